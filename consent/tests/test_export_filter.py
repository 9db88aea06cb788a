"""What keeps a typo from passing for "there is none"."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from consent.export_filter import ConsentFilter, NothingMatches
from consent.exports import export_consents
from consent.tests.builders import NOW, make_consent, publish
from mindfulqalb.api.errors import InvalidInput
from mindfulqalb.audit.exports.period import Period
from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.staff.roles import COMPLIANCE_AUDITOR
from mindfulqalb.staff.tests.builders import PASSWORD, log_in, make_member
from mindfulqalb.staff.tokens import sign_in

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

pytestmark = pytest.mark.django_db

PAGE = "/admin/consent/consentrecord/export/"


@pytest.fixture(autouse=True)
def _consents() -> None:
    """Two of November, and one of December."""
    publish()
    for days in range(3):
        make_consent(email=f"{days}@example.com", now=NOW - timedelta(days=days))


def taken(wanted: ConsentFilter, actor: str = "staff:1") -> bytes:
    _, archive = export_consents(wanted=wanted, actor=actor, reason="Audit", now=NOW, allow_empty=True)
    return b"".join(archive)


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"version": "2020-01-01"}, "version"),
        ({"session_type": "Individual"}, "sessionType"),
        ({"state": "Valid"}, "state"),
    ],
)
def test_filter_that_no_record_can_pass_is_refused_by_name(wanted: dict[str, str], field: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        taken(ConsentFilter(**wanted))  # type: ignore[arg-type]

    assert (list(refusal.value.fields), AuditEvent.objects.filter(action="consents.exported").count()) == ([field], 0)


def test_period_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(InvalidInput) as refusal:
        Period(date(2026, 12, 1), date(2026, 11, 30))

    assert refusal.value.fields == {"since": ["2026-12-01 is later than until, 2026-11-30."]}


@pytest.mark.parametrize(("since", "until"), [(date.min, date(2026, 12, 1)), (date(2026, 12, 1), date.max)])
def test_period_that_reaches_beyond_any_clock_is_refused(since: date, until: date) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Period(since, until)

    odd = {name: day for name, day in {"since": since, "until": until}.items() if day in (date.min, date.max)}
    assert refusal.value.fields == {name: [f"There is no record of {day}."] for name, day in odd.items()}


def test_type_that_only_records_name_is_known() -> None:
    make_consent(session_type="retired")

    assert taken(ConsentFilter(session_type="retired")) != b""


def test_export_of_nothing_is_refused_unless_it_is_wanted() -> None:
    wanted = ConsentFilter(session_type="couples")

    with pytest.raises(NothingMatches) as refusal:
        export_consents(wanted=wanted, actor="staff:1", reason="Audit", now=NOW)

    assert (refusal.value.detail, list(refusal.value.fields)) == ("0 of 3 records match.", ["allowEmpty"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--document", "2020-01-01"], "Version: There is no '2020-01-01'; there is 2024-01-15."),
        (["--session-type", "Individual"], "Session type: There is no 'Individual'"),
        (["--since", "2026-12-01", "--until", "2026-11-30"], "Since: 2026-12-01 is later than until"),
        (["--session-type", "couples"], "0 of 3 records match."),
    ],
)
def test_command_refuses_a_typo_and_writes_nothing(tmp_path: Path, arguments: list[str], said: str) -> None:
    make_member(COMPLIANCE_AUDITOR)
    output = tmp_path / "x.zip"

    with pytest.raises(CommandError) as error:
        call_command("export_consents", "--by", "meera", "--reason", "Audit", "--output", str(output), *arguments)

    assert (said in str(error.value), output.exists()) == (True, False)


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"version": "2020-01-01"}, 400, "version"),
        ({"sessionType": "Individual"}, 400, "sessionType"),
        ({"since": "2026-12-01", "until": "2026-11-30"}, 400, "since"),
        ({"sessionType": "couples"}, 409, "allowEmpty"),
    ],
)
def test_api_refuses_a_typo_by_name(body: dict[str, str], status: int, field: str) -> None:
    make_member(COMPLIANCE_AUDITOR, password=PASSWORD)
    _, pair = sign_in(username="meera", password=PASSWORD, code="", now=timezone.now())
    headers = {"Authorization": f"Bearer {pair.access}"}

    response = APIClient().post("/api/staff/consents/export", {"reason": "Audit"} | body, headers=headers)

    assert (response.status_code, list(response.json()["fields"])) == (status, [field])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"version": "2020-01-01"}, "Select a valid choice. 2020-01-01 is not one of the available choices."),
        ({"session_type": "Individual"}, "Select a valid choice."),
        ({"since": "2026-12-01", "until": "2026-11-30"}, "2026-12-01 is later than until, 2026-11-30."),
        ({"session_type": "couples"}, "0 of 3 records match."),
    ],
)
def test_admin_refuses_a_typo_beside_its_field(client: Client, body: dict[str, str], said: str) -> None:
    log_in(client)

    page = client.post(PAGE, {"reason": "Audit"} | body).content.decode()

    assert (said in page, '<option value="2024-01-15"' in page) == (True, True)


def test_admin_exports_nothing_when_that_is_wanted(client: Client) -> None:
    log_in(client)

    sent = client.post(PAGE, {"reason": "Audit", "session_type": "couples", "allow_empty": "on"})

    assert sent["Content-Type"] == "application/zip"
