"""The timetable: what ships, what is in force, and who may change it how."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.urls import reverse

from mindfulqalb.audit.models import AuditEvent
from mindfulqalb.audit.services import ReasonRequired
from mindfulqalb.retention.models import RetentionRule
from mindfulqalb.retention.registry import kinds
from mindfulqalb.retention.states import Action
from mindfulqalb.retention.timetable import (
    SHIPPED,
    Rule,
    RuleRefused,
    change_rule,
    expiry,
    load_shipped_rules,
    rule_for,
    shipped_rules,
)
from mindfulqalb.staff.tests.builders import log_in

if TYPE_CHECKING:
    from django.test import Client
    from pytest_django import Settings

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 1, 6, 0, tzinfo=UTC)


def change(kind: str = "consent", **overrides: Any) -> RetentionRule:
    """Keep consent for eight years from now on."""
    load_shipped_rules()
    rule = RetentionRule.objects.get(kind=kind, jurisdiction="IN")
    values: dict[str, Any] = {"period_days": 2920, "action": rule.action, "basis": "Our insurer asks for it"}
    act = {"actor": "staff:1", "reason": "insurer", "now": NOW}
    return change_rule(rule_id=rule.id, **(values | act | overrides))


def test_every_kind_of_record_has_a_rule_and_every_rule_a_kind() -> None:
    assert {row[0] for row in SHIPPED["IN"]} == set(kinds)
    assert {rule.kind for rule in shipped_rules()} == set(kinds)


def test_shipped_rules_are_lawful_and_possible() -> None:
    assert [str(rule) for rule in shipped_rules() if rule.period_days < rule.minimum_days] == []
    assert [str(rule) for rule in shipped_rules() if rule.action not in kinds[rule.kind].actions] == []


def test_loading_keeps_what_somebody_changed() -> None:
    change()

    call_command("load_retention_rules")

    assert rule_for("consent").period == timedelta(days=2920)
    assert RetentionRule.objects.count() == len(shipped_rules())


def test_an_empty_table_means_the_rules_that_ship() -> None:
    assert rule_for("consent") == Rule("consent/IN", timedelta(days=365), timedelta(days=7 * 365), Action.KEEP_DIGEST)
    assert expiry(kind="consent", now=NOW) == NOW + timedelta(days=7 * 365)


def test_of_several_jurisdictions_the_longest_holds(settings: Settings) -> None:
    settings.RETENTION_JURISDICTIONS = ["IN", "US", "EU"]

    assert rule_for("mail") == Rule("mail/US", timedelta(days=2190), timedelta(days=2190), Action.ERASE)


def test_a_kind_without_a_rule_here_is_kept_as_india_says(settings: Settings) -> None:
    settings.RETENTION_JURISDICTIONS = ["EU"]

    assert (rule_for("receipt").name, rule_for("booking").name) == ("receipt/IN", "booking/EU")


def test_a_change_is_on_record() -> None:
    rule = change()

    event = AuditEvent.objects.get(action="retention.rule_changed")
    assert (event.actor, event.target, event.reason) == ("staff:1", f"retention_rule:{rule.id}", "insurer")
    assert event.details == {
        "before": {"period_days": 2555, "action": "keep_digest"},
        "after": {"period_days": 2920, "action": "keep_digest"},
    }


def test_nothing_goes_sooner_than_the_law_allows() -> None:
    with pytest.raises(RuleRefused):
        change(period_days=364)
    with pytest.raises(IntegrityError, match="retention_period_lawful"), transaction.atomic():
        RetentionRule.objects.filter(kind="consent").update(period_days=0, minimum_days=1)


def test_nothing_goes_in_a_way_that_it_cannot() -> None:
    with pytest.raises(RuleRefused):
        change("webhook", action=Action.ANONYMISE, period_days=365)


def test_a_change_needs_a_reason() -> None:
    with pytest.raises(ReasonRequired):
        change(reason=" ")


def test_staff_change_a_rule_in_the_admin(client: Client) -> None:
    staff = log_in(client)
    load_shipped_rules()
    rule = RetentionRule.objects.get(kind="consent", jurisdiction="IN")
    page = reverse("admin:retention_retentionrule_change", args=[rule.id])
    sent = {"period_days": "2920", "action": "keep_digest", "basis": "insurer", "reason": "They asked"}

    refused = [
        client.post(page, sent | {"period_days": "10"}),
        client.post(page, sent | {"action": "anonymise"}),
        client.post(page, sent | {"reason": ""}),
    ]
    done = client.post(page, sent)

    errors = [sorted(answer.context["adminform"].form.errors) for answer in refused]
    assert (errors, done.status_code) == ([["period_days"], ["action"], ["reason"]], 302)
    rule.refresh_from_db()
    event = AuditEvent.objects.get(action="retention.rule_changed")
    assert (rule.period_days, event.actor) == (2920, f"staff:{staff.pk}")
