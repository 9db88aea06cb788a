"""What the cancellation rules mean for one session, as moments and as a sentence that a client understands."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.utils import dateformat
from django.utils.translation import gettext as _

from mindfulqalb.catalogue.models import CancellationRule
from mindfulqalb.languages.writing import time_of_day

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from zoneinfo import ZoneInfo

EVERYTHING, HALF = 100, 50


@dataclass(frozen=True)
class RefundStep:
    """Cancelled until then, and after the step before, so many percent come back."""

    until: datetime
    percent: int


def cancellation_rules() -> list[CancellationRule]:
    """Read the rules, the earliest first."""
    return list(CancellationRule.objects.order_by("-hours_before"))


def refund_steps(rules: Sequence[CancellationRule], *, starts_at: datetime, now: datetime) -> list[RefundStep]:
    """Say until when how much comes back, for the moments that are left; after the last step nothing does.

    Agrees with refund_percent at every moment before the session.
    """
    steps: list[RefundStep] = []
    for rule in rules:
        notice = timedelta(hours=rule.hours_before)
        if starts_at - now < notice:
            continue
        if steps and steps[-1].percent == rule.refund_percent:
            steps.pop()
        steps.append(RefundStep(starts_at - notice, rule.refund_percent))
    if steps and steps[-1].percent == 0:
        steps.pop()
    return steps


def terms_text(steps: Sequence[RefundStep], *, starts_at: datetime, zone: ZoneInfo) -> str:
    """Write the steps as one line, its moments on the clock of `zone`."""
    if not steps or steps[0].until >= starts_at:
        return _from_now_on(steps[0].percent if steps else 0)
    first, *later = steps
    said = {"moment": _moment(first.until, zone), "share": _share_of_it(first.percent)}
    parts = [_("Cancel until %(moment)s: %(share)s back") % said]
    parts.extend(
        _("until %(moment)s %(share)s") % {"moment": _moment(step.until, zone), "share": _share(step.percent)}
        for step in later
        if step.until < starts_at
    )
    last = steps[-1].percent if steps[-1].until >= starts_at else 0
    parts.append(_("after that %(share)s") % {"share": _share(last)})
    return _("%(sentence)s.") % {"sentence": "; ".join(parts)}


def _from_now_on(percent: int) -> str:
    if percent == EVERYTHING:
        return _("Cancel at any time before it begins: all of it back.")
    if percent == HALF:
        return _("If you cancel, half of the price comes back.")
    if percent == 0:
        return _("If you cancel, nothing of the price comes back.")
    return _("If you cancel, %(percent)s %% of the price comes back.") % {"percent": percent}


def _share_of_it(percent: int) -> str:
    named = {EVERYTHING: _("all of it"), HALF: _("half of it"), 0: _("nothing")}
    return named.get(percent, f"{percent} %")


def _share(percent: int) -> str:
    named = {EVERYTHING: _("all"), HALF: _("half"), 0: _("nothing")}
    return named.get(percent, f"{percent} %")


def _moment(moment: datetime, zone: ZoneInfo) -> str:
    there = moment.astimezone(zone)
    return f"{dateformat.format(there, 'D j M')}, {time_of_day(there)}"
