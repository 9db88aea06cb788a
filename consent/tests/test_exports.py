"""What an auditor takes home, and by which doors."""

from __future__ import annotations

import csv
import gc
import io
import json
import tracemalloc
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from rest_framework.test import APIClient

from consent import exports
from consent.evidence import Circumstances
from consent.export_filter import ConsentFilter
from consent.exports import export_consents
from consent.models import ConsentRecord
from consent.states import ConsentState
from consent.tests.builders import NOW, make_consent, publish
from consent.tests.exporting import EVERYTHING, emails, entries, opened, records, taken, verdict
from consent.withdrawal import withdraw_consent
from mindfulqalb.api.public_ids import CONSENT
from mindfulqalb.audit.exports import archive, trail
from mindfulqalb.audit.exports.period import Period
from mindfulqalb.audit.models import AuditCheckpoint, AuditEvent
from mindfulqalb.audit.services import ReasonRequired, record_read
from mindfulqalb.staff.roles import COMPLIANCE_AUDITOR, FRONT_DESK
from mindfulqalb.staff.tests.builders import PASSWORD, log_in, make_member
from mindfulqalb.staff.tokens import sign_in

if TYPE_CHECKING:
    from pathlib import Path

    from django.test import Client

pytestmark = pytest.mark.django_db

PEOPLE = ("anna", "bela", "chitra")


@pytest.fixture(autouse=True)
def _consents() -> None:
    publish()
    for days, person in enumerate(PEOPLE):
        make_consent(email=f"{person}@example.com", now=NOW - timedelta(days=days))


# What is in it


def test_export_holds_records_in_clear_by_time_with_their_proofs() -> None:
    archive = taken()

    first = records(archive)[0]
    record = ConsentRecord.objects.order_by("created_at")[0]
    event = AuditEvent.objects.get(target=f"consent:{record.id}")
    assert emails(archive) == ["chitra", "bela", "anna"]
    assert (
        first["record"]["id"],
        first["record"]["full_ip_address_encrypted"],
        first["record"]["consent_version"],
    ) == (
        str(record.id),
        "203.0.113.77",
        "2024-01-15",
    )
    assert (first["head"]["id"], first["payload"]["evidence"]) == (str(event.id), event.evidence)


def test_export_shows_nothing_of_events_about_others_but_their_heads() -> None:
    record_read(actor="staff:1", target="booking:1", fields=["email"], reason="They phoned", now=NOW)

    (entry,) = [entry for entry in entries(taken()) if entry["head"]["target"] == "booking:1"]

    assert sorted(entry) == ["head", "sequence"]


def test_export_holds_the_texts() -> None:
    shown = {entry["sha256"]: entry["text"] for entry in entries(taken(), "documents.jsonl")}

    record = ConsentRecord.objects.all()[0]
    assert record.document is not None
    assert shown[record.document_sha256] == record.document.text


def test_csv_is_for_people() -> None:
    text = opened(taken()).read("consents.csv")

    rows = list(csv.DictReader(io.StringIO(text.decode("utf-8-sig"))))
    record = ConsentRecord.objects.order_by("created_at")[0]
    assert text.startswith(b"\xef\xbb\xbf")
    assert [row["email"] for row in rows] == ["chitra@example.com", "bela@example.com", "anna@example.com"]
    assert (rows[0]["id"], rows[0]["acknowledgments"], rows[0]["is_flagged"], rows[0]["created_at"]) == (
        CONSENT.encode(record.id),
        "item1 item2 item3",
        "False",
        "2026-11-29T06:00:00.000000+00:00",
    )


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n"])
def test_csv_lets_no_spreadsheet_run_what_a_client_sent(sign: str) -> None:
    hostile = f"{sign}HYPERLINK(1)"
    make_consent(email="dora@example.com", circumstances=Circumstances(user_agent=hostile), now=NOW)

    archive = taken()

    rows = list(csv.DictReader(io.StringIO(opened(archive).read("consents.csv").decode("utf-8-sig"), newline="")))
    agents = [entry["record"]["user_agent"] for entry in records(archive)]
    shown = {row["email"]: row["user_agent"] for row in rows}
    assert (shown["dora@example.com"], hostile in agents) == (f"'{hostile}", True)


def test_manifest_says_who_why_when_and_of_what() -> None:
    archive = taken(ConsentFilter(version="2024-01-15"))

    manifest = json.loads(opened(archive).read("manifest.json"))["manifest"]
    checkpoint = AuditCheckpoint.objects.get()
    assert {name: manifest[name] for name in ("subject", "exported_by", "reason", "exported_at", "filters")} == {
        "subject": "consents",
        "exported_by": "staff:1",
        "reason": "Audit 2026",
        "exported_at": "2026-12-01T06:00:00.000000+00:00",
        "filters": {"version": "2024-01-15"},
    }
    assert (manifest["format"], manifest["files"]["consents.csv"]["lines"]) == (2, 4)
    assert manifest["checkpoint"]["statement"]["chain_digest"] == checkpoint.chain_digest


def test_export_is_an_event_before_its_first_byte_leaves() -> None:
    export, archive = export_consents(wanted=ConsentFilter(state="valid"), actor="staff:1", reason="Audit", now=NOW)

    event = AuditEvent.objects.get(id=export.event_id)
    next(archive)
    archive.close()  # type: ignore[attr-defined]
    assert (event.action, event.actor, event.details, event.reason) == (
        "consents.exported",
        "staff:1",
        {"filters": {"state": "valid"}},
        "Audit",
    )


def test_export_without_a_reason_is_refused_and_leaves_no_trace() -> None:
    with pytest.raises(ReasonRequired):
        export_consents(wanted=EVERYTHING, actor="staff:1", reason=" ", now=NOW)

    assert AuditEvent.objects.filter(action="consents.exported").count() == 0


def test_period_takes_whole_days_of_the_practice() -> None:
    day = date(2026, 11, 30)

    found = [
        emails(taken(ConsentFilter(period))) for period in (Period(day, day), Period(since=day), Period(until=day))
    ]

    assert found == [["bela"], ["bela", "anna"], ["chitra", "bela"]]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (ConsentFilter(version="2024-01-15"), ["chitra", "bela", "anna", "anna"]),
        (ConsentFilter(session_type="couples"), []),
        (ConsentFilter(session_type="individual"), ["chitra", "bela", "anna", "anna"]),
        (ConsentFilter(state=ConsentState.VALID), ["chitra", "bela"]),
        (ConsentFilter(state=ConsentState.WITHDRAWN), ["anna", "anna"]),
    ],
)
def test_filter_narrows(wanted: ConsentFilter, found: list[str]) -> None:
    consent = ConsentRecord.objects.get(created_at=NOW)
    withdraw_consent(consent_id=consent.id, circumstances=Circumstances(), now=NOW)

    assert emails(taken(wanted)) == found


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_export_reads_in_chunks_and_leaves_nobody_out(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    for module in (exports, trail):
        monkeypatch.setattr(module, "CHUNK_ROWS", size)
    make_consent(email="dora@example.com", now=NOW)

    assert sorted(emails(taken())) == ["anna", "bela", "chitra", "dora"]


def test_export_needs_no_more_memory_for_more_records(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (exports, trail):
        monkeypatch.setattr(module, "CHUNK_ROWS", 20)
    monkeypatch.setattr(archive, "CHUNK_BYTES", 16 * 1024)  # fewer than sixty records fill

    def peak() -> int:
        gc.collect()
        _, taken = export_consents(wanted=EVERYTHING, actor="staff:1", reason="Audit", now=NOW)
        tracemalloc.start()
        for _ in taken:
            gc.collect()  # what is thrown away late says nothing about what is needed
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    peak()
    for number in range(60):
        make_consent(email=f"{number}@example.com", now=NOW)
    few = peak()
    for number in range(240):
        make_consent(email=f"more{number}@example.com", now=NOW)

    assert peak() < few * 1.3


# The doors


def save(tmp_path: Path, **options: Any) -> Path:
    output = tmp_path / "consents.zip"
    make_member(COMPLIANCE_AUDITOR)
    call_command("export_consents", by="meera", reason="Audit", output=output, **options)
    return output


def test_command_writes_what_its_owner_alone_can_read(tmp_path: Path, key: str) -> None:
    output = save(tmp_path)

    assert (output.stat().st_mode & 0o777, verdict(output.read_bytes(), key, tmp_path)) == (0o600, "")


def test_command_narrows(tmp_path: Path) -> None:
    assert emails(save(tmp_path, since=date(2026, 12, 1), state="valid").read_bytes()) == ["anna"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--by", "nobody", "--reason", "Audit", "--output", "x.zip"], "nobody of the staff is called nobody"),
        (["--by", "meera", "--reason", " ", "--output", "x.zip"], "Please say why"),
        (["--by", "meera", "--reason", "Audit", "--output", "/dev/null/x.zip"], "cannot be written"),
    ],
)
def test_command_says_what_is_wrong(arguments: list[str], said: str) -> None:
    make_member(COMPLIANCE_AUDITOR)

    with pytest.raises(CommandError, match=said):
        call_command("export_consents", *arguments)


def test_command_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "consents.zip").write_text("kept")

    with pytest.raises(CommandError):
        save(tmp_path)

    assert (tmp_path / "consents.zip").read_text() == "kept"


def test_command_exports_events_too(tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]) -> None:
    make_member(COMPLIANCE_AUDITOR)
    output = tmp_path / "events.zip"
    call_command("export_audit_events", by="meera", reason="Audit", output=output, since=date(2026, 11, 30))

    archive = output.read_bytes()
    shown = [entry for entry in entries(archive) if "payload" in entry]
    targets = [entry["head"]["target"].partition(":")[0] for entry in shown]
    assert (targets.count("consent"), verdict(archive, key, tmp_path)) == (2, "")


def ask(role: str, body: dict[str, Any]) -> Any:
    make_member(role, password=PASSWORD)
    _, pair = sign_in(username="meera", password=PASSWORD, code="", now=timezone.now())
    return APIClient().post("/api/staff/consents/export", body, headers={"Authorization": f"Bearer {pair.access}"})


def test_api_sends_the_archive_to_an_auditor(tmp_path: Path, key: str) -> None:
    response = ask(COMPLIANCE_AUDITOR, {"reason": "Audit", "version": "2024-01-15"})

    archive = b"".join(response.streaming_content)
    manifest = json.loads(opened(archive).read("manifest.json"))["manifest"]
    assert (response.status_code, response["Content-Type"], response["Cache-Control"]) == (
        200,
        "application/zip",
        "no-store",
    )
    assert (manifest["filters"], verdict(archive, key, tmp_path)) == ({"version": "2024-01-15"}, "")


def test_api_asks_for_a_reason() -> None:
    response = ask(COMPLIANCE_AUDITOR, {})

    assert (response.status_code, sorted(response.json()["fields"])) == (400, ["reason"])


def test_api_names_a_state_and_a_day_that_are_none() -> None:
    response = ask(COMPLIANCE_AUDITOR, {"reason": "Audit", "state": "x", "since": "yesterday"})

    assert (response.status_code, sorted(response.json()["fields"])) == (400, ["since", "state"])


def test_api_refuses_other_roles_and_strangers() -> None:
    other = ask(FRONT_DESK, {"reason": "Audit"}).status_code
    stranger = APIClient().post("/api/staff/consents/export", {"reason": "Audit"}).status_code

    assert (other, stranger, AuditEvent.objects.filter(action="consents.exported").count()) == (403, 401, 0)


PAGE = "/admin/consent/consentrecord/export/"


def test_admin_asks_why_and_sends_the_archive(client: Client, tmp_path: Path, key: str) -> None:
    member = log_in(client)

    listed = client.get("/admin/consent/consentrecord/").content.decode()
    asked = client.post(PAGE, {"reason": " "})
    sent = client.post(PAGE, {"reason": "Audit", "until": "2026-11-30"})

    archive = b"".join(sent.streaming_content)  # type: ignore[attr-defined]
    assert (PAGE in listed, asked.status_code, "required" in asked.content.decode()) == (True, 200, True)
    assert (verdict(archive, key, tmp_path), emails(archive)) == ("", ["chitra", "bela"])
    assert AuditEvent.objects.get(action="consents.exported").actor == f"staff:{member.pk}"


def test_admin_keeps_the_export_from_other_roles(client: Client) -> None:
    client.force_login(make_member(FRONT_DESK))

    assert client.post(PAGE, {"reason": "Audit"}).status_code == 403
