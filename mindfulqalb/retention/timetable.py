"""How long what is kept: the rules that ship, and those in force."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.db import transaction

from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.services import record, required_reason
from mindfulqalb.retention.models import RetentionRule
from mindfulqalb.retention.registry import kinds
from mindfulqalb.retention.states import Action

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

YEAR = 365
DPDP = "DPDP Rules 2025, 8(3): one year at least"
BOOKS = "Companies Act 2013 s. 128: books and vouchers for eight years"
HIPAA = "HIPAA 164.316(b)(2)(i): six years"
STORAGE = "GDPR 5(1)(e): no longer than the purpose needs"
PURPOSE = "No law asks for it; the purpose ends"


@dataclass(frozen=True)
class Rule:
    """What holds for a kind of record here: of several jurisdictions the longest."""

    name: str
    minimum: timedelta
    period: timedelta
    action: Action


# kind, minimum by law, period (days), action, basis
SHIPPED: dict[str, tuple[tuple[str, int, int, Action, str], ...]] = {
    "IN": (
        ("booking", 3 * YEAR, 3 * YEAR, Action.ANONYMISE, "IMC Regulations 2002, 1.3: records for three years"),
        ("unbooked", YEAR, YEAR, Action.ANONYMISE, DPDP),
        ("calendar_finding", YEAR, YEAR, Action.ERASE, DPDP),
        ("consent", YEAR, 7 * YEAR, Action.KEEP_DIGEST, "DPDP Act s. 6(10): proof of consent; DPDP rule 8(3)"),
        ("payment", 8 * YEAR, 8 * YEAR, Action.ANONYMISE, BOOKS),
        ("receipt", 8 * YEAR, 8 * YEAR, Action.ANONYMISE, BOOKS),
        ("webhook", YEAR, YEAR, Action.ERASE, DPDP),
        ("audit_event", YEAR, 8 * YEAR, Action.ERASE, f"{DPDP}; they explain the books, so as long as these"),
        ("mail", YEAR, 3 * YEAR, Action.ERASE, DPDP),
        ("reminder_refusal", 0, 7 * YEAR, Action.ERASE, PURPOSE),
        ("subject_request", YEAR, 3 * YEAR, Action.ERASE, DPDP),
        ("known_device", 0, YEAR, Action.ERASE, PURPOSE),
        ("session", 0, 0, Action.ERASE, PURPOSE),
        ("refresh_token", 0, 0, Action.ERASE, PURPOSE),
        ("kept_answer", 0, 1, Action.ERASE, PURPOSE),
        ("outbox", 0, 90, Action.ERASE, PURPOSE),
        ("bulk_action", 0, 90, Action.ERASE, PURPOSE),
    ),
    "EU": (
        ("booking", 0, 3 * YEAR, Action.ANONYMISE, STORAGE),
        ("unbooked", 0, 30, Action.ANONYMISE, STORAGE),
        ("consent", 0, 3 * YEAR, Action.KEEP_DIGEST, "GDPR 7(1): proof of consent"),
        ("mail", 0, YEAR, Action.ERASE, STORAGE),
        ("webhook", 0, 90, Action.ERASE, STORAGE),
    ),
    "US": (
        ("booking", 6 * YEAR, 6 * YEAR, Action.ANONYMISE, HIPAA),
        ("consent", 6 * YEAR, 7 * YEAR, Action.KEEP_DIGEST, HIPAA),
        ("mail", 6 * YEAR, 6 * YEAR, Action.ERASE, HIPAA),
        ("audit_event", 6 * YEAR, 8 * YEAR, Action.ERASE, HIPAA),
    ),
}


class RuleRefused(Refusal):
    """The rule would keep something shorter than the law, or make it go in a way that it cannot."""

    code = "rule_refused"
    status = 409
    sentence = "This rule cannot be: it is shorter than the law's minimum, or this kind cannot go in this way."


def shipped_rules() -> list[RetentionRule]:
    """Make the rules that ship, unsaved."""
    columns = ("kind", "minimum_days", "period_days", "action", "basis")
    return [
        RetentionRule(jurisdiction=jurisdiction, **dict(zip(columns, row, strict=True)))
        for jurisdiction, rows in SHIPPED.items()
        for row in rows
    ]


def load_shipped_rules() -> None:
    """Add the rules that are missing; those that are there stay as somebody made them. Safe to repeat."""
    RetentionRule.objects.bulk_create(shipped_rules(), ignore_conflicts=True)


def rule_for(kind: str) -> Rule:
    """Return what holds for a kind of record in RETENTION_JURISDICTIONS; where nothing does, India's as shipped."""
    here = [rule for rule in _known(kind) if rule.jurisdiction in settings.RETENTION_JURISDICTIONS]
    rules = here or [rule for rule in shipped_rules() if (rule.kind, rule.jurisdiction) == (kind, "IN")]
    longest = max(rules, key=lambda rule: rule.period_days)
    return Rule(
        name=str(longest),
        minimum=timedelta(days=max(rule.minimum_days for rule in rules)),
        period=timedelta(days=longest.period_days),
        action=Action(longest.action),
    )


def expiry(*, kind: str, now: datetime) -> datetime:
    """Say when a record of this kind that is made now may go."""
    return now + rule_for(kind).period


def change_rule(
    *, rule_id: UUID, period_days: int, action: str, basis: str, actor: str, reason: str, now: datetime
) -> RetentionRule:
    """Change how long something is kept and how it goes, on record. Raises RuleRefused, ReasonRequired."""
    why = required_reason(reason)
    with transaction.atomic():
        rule = RetentionRule.objects.select_for_update().get(id=rule_id)
        before = {"period_days": rule.period_days, "action": rule.action}
        if period_days < rule.minimum_days or action not in kinds[rule.kind].actions:
            raise RuleRefused
        rule.period_days, rule.action, rule.basis = period_days, action, basis
        rule.save(update_fields=["period_days", "action", "basis"])
        details = {"before": before, "after": {"period_days": period_days, "action": action}}
        record(
            action="retention.rule_changed",
            actor=actor,
            target=f"retention_rule:{rule.id}",
            details=details,
            reason=why,
            now=now,
        )
    return rule


def _known(kind: str) -> list[RetentionRule]:
    stored = list(RetentionRule.objects.filter(kind=kind))
    return stored or [rule for rule in shipped_rules() if rule.kind == kind]
