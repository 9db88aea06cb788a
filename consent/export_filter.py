"""Which consent records an export is to hold."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Q

from consent.models import ConsentDocument, ConsentRecord
from consent.queries import with_state
from consent.states import GIVING, ConsentState
from mindfulqalb.api.errors import InvalidInput, Refusal
from mindfulqalb.audit.exports.period import Period
from mindfulqalb.catalogue.models import SessionType
from mindfulqalb.staff.values import distinct_values

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from django.db.models import QuerySet


class NothingMatches(Refusal):
    """An export would hold no record, and nobody said that this is wanted."""

    code = "nothing_matches"
    status = 409


@dataclass(frozen=True)
class ConsentFilter:
    """Which records; what is empty does not narrow. A state brings with it the acts that closed such a consent."""

    period: Period = dataclasses.field(default_factory=Period)
    version: str = ""
    session_type: str = ""
    state: str = ""

    def rows(self, now: datetime) -> QuerySet[ConsentRecord]:
        """Find the records."""
        exact = {"consent_version": self.version, "session_type": self.session_type}
        rows = ConsentRecord.objects.filter(
            self.period.of("created_at"), **{name: value for name, value in exact.items() if value}
        )
        if self.state:
            given = with_state(now=now).filter(state=self.state).values("id")
            rows = rows.filter(Q(id__in=given) | Q(refers_to__in=given) & ~Q(event__in=GIVING))
        return rows

    def narrowed(self) -> dict[str, str]:
        """Name what is set beside the period."""
        names = {"version": self.version, "session_type": self.session_type, "state": self.state}
        return {name: value for name, value in names.items() if value}

    def refuse_mistakes(self) -> None:
        """Raise InvalidInput, with the fields, for what no record can have: a typo must not pass for "there is none".

        What was only ever named by records that are purged by now is unknown, too.
        """
        asked: list[tuple[str, str, Callable[[], list[str]]]] = [
            ("version", self.version, known_versions),
            ("sessionType", self.session_type, known_session_types),
            ("state", self.state, lambda: list(ConsentState)),
        ]
        wrong = {
            name: [f"There is no {value!r}; there is {', '.join(known())}."]
            for name, value, known in asked
            if value and value not in known()
        }
        if wrong:
            raise InvalidInput(fields=wrong)

    def refuse_nothing(self, now: datetime) -> None:
        """Raise NothingMatches when no record is left."""
        if not self.rows(now).exists():
            sentence = f"0 of {ConsentRecord.objects.count()} records match."
            raise NothingMatches(sentence, fields={"allowEmpty": [f"{sentence} Set this to export none all the same."]})


def known_versions() -> list[str]:
    """List the versions of all texts that are or were published, and those that records name beside."""
    published = ConsentDocument.objects.filter(published_at__isnull=False).values_list("version", flat=True)
    return sorted({*published, *distinct_values(ConsentRecord._meta.get_field("consent_version"))})


def known_session_types() -> list[str]:
    """List the types of session that we have, and those that records name beside."""
    return sorted({*SessionType.values, *distinct_values(ConsentRecord._meta.get_field("session_type"))})
