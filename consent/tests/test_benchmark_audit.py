"""The measurement measures, and leaves nothing behind."""

from __future__ import annotations

import re

import pytest
from django.core.management import call_command
from django.db import connection

from consent.models import ConsentRecord
from mindfulqalb.audit.models import AuditEvent, AuditSeal


@pytest.mark.django_db(transaction=True)
def test_benchmark_reports_and_leaves_nothing_behind(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("benchmark_audit", writers=2, rounds=2, seconds=0.2, events=2500)

    lines = capsys.readouterr().out.splitlines()
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regnamespace('audit_benchmark')")
        (schema,) = cursor.fetchone()
    assert re.fullmatch(
        r"2 writers, 2 rounds: \d+ consents/s without audit, \d+/s with it; \d+ % of the rate \(from \d+ to \d+ %\)",
        lines[0],
    )
    assert re.fullmatch(
        r"our processor time of a consent: [\d.]+ ms without audit, [\d.]+ ms with it \(\d+ %\)", lines[1]
    )
    assert lines[2:4] == ["2000 of 2500 events verified", "2500 of 2500 events verified"]
    assert re.fullmatch(r"2500 events: sealed in [\d.]+ s, verified in [\d.]+ s, 0 findings", lines[4])
    assert (schema, ConsentRecord.objects.count(), AuditEvent.objects.count(), AuditSeal.objects.count()) == (
        None,
        0,
        0,
        0,
    )
