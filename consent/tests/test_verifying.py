"""What a stranger can make of an export without us, and of one that was tampered with."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import tracemalloc
from datetime import date, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from consent.export_filter import ConsentFilter
from consent.models import ConsentRecord
from consent.tests.builders import NOW, make_consent, publish
from consent.tests.exporting import opened, taken, verdict
from mindfulqalb.audit.doors import open_door
from mindfulqalb.audit.exports import services
from mindfulqalb.audit.exports.events import export_events
from mindfulqalb.audit.exports.period import Period
from mindfulqalb.audit.exports.verify_export import verify
from mindfulqalb.audit.sealing import seal_events
from mindfulqalb.audit.services import erase_payloads, record_purge, record_read
from mindfulqalb.audit.signing import pem, public_keys
from mindfulqalb.audit.tests.doors import run_sql
from mindfulqalb.audit.tests.keys import make_signing_key, use_signing_key

if TYPE_CHECKING:
    from pytest_django import Settings

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _consents() -> None:
    publish()
    for days in range(3):
        make_consent(email=f"{days}@example.com", now=NOW - timedelta(days=days))


def test_stranger_with_python_and_cryptography_alone_verifies_it(tmp_path: Path, key: str) -> None:
    (tmp_path / "export.zip").write_bytes(taken())
    with opened(taken()) as archive:
        archive.extract("verify_export.py", tmp_path)
    packages = tmp_path / "packages"
    packages.mkdir()
    for name in ("cryptography", "cffi", "_cffi_backend", "pycparser"):
        spec = find_spec(name)
        if spec and spec.origin:
            place = Path(spec.origin).parent if spec.submodule_search_locations else Path(spec.origin)
            (packages / place.name).symlink_to(place)

    result = subprocess.run(
        [sys.executable, "-S", str(tmp_path / "verify_export.py"), str(tmp_path / "export.zip"), key],
        env={"PYTHONPATH": str(packages), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[4].startswith("VERIFIED: 3 consents in full.")


def test_every_flipped_byte_fails_it(tmp_path: Path, key: str) -> None:
    archive = taken(ConsentFilter(Period(since=date(2026, 12, 1))))
    places = [*range(0, len(archive), 97), *range(len(archive) - 160, len(archive))]

    passed = []
    for place in places:
        flipped = bytearray(archive)
        flipped[place] ^= 0x20  # turns a letter into its capital, which hexadecimal would not mind
        if verdict(bytes(flipped), key, tmp_path) == "":
            passed.append(place)

    assert (verdict(archive, key, tmp_path), passed) == ("", [])


@pytest.mark.parametrize("cut", [1, 128, 129, 5000])
def test_archive_that_was_cut_or_lengthened_fails(tmp_path: Path, key: str, cut: int) -> None:
    archive = taken()

    ends = [verdict(changed, key, tmp_path) for changed in (archive[:-cut], archive + b"x" * cut)]

    assert [end.partition(":")[0] for end in ends] == ["DOES NOT HOLD"] * 2


def test_export_under_another_key_fails(tmp_path: Path, key: str, settings: Settings) -> None:
    use_signing_key(settings, make_signing_key())

    assert "is signed by a key of yours" in verdict(taken(), key, tmp_path)


def test_export_signed_before_a_rotation_still_holds(tmp_path: Path, settings: Settings) -> None:
    archive = taken()
    settings.AUDIT_PUBLIC_KEYS = [use_signing_key(settings, settings.AUDIT_SIGNING_KEY)]
    use_signing_key(settings, make_signing_key())
    file = tmp_path / "keys.pem"
    file.write_text("".join(pem(key) for key in public_keys().values()))

    assert verdict(archive, str(file), tmp_path) == ""


def taken_events() -> bytes:
    return b"".join(export_events(period=Period(), actor="staff:1", reason="Audit", now=NOW)[1])


def tamper(statement: str, *parameters: Any) -> None:
    for table in ("consent_records", "audit_events", "consent_documents", "audit_seals"):
        run_sql("SET CONSTRAINTS ALL IMMEDIATE")
        run_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    run_sql(statement, list(parameters))


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("UPDATE consent_records SET consent_version = '2020-01-01'", "is as it was recorded"),
        ("UPDATE consent_records SET created_at = created_at - interval '1 year'", "is as it was recorded"),
        ("UPDATE audit_events SET actor = 'staff:1'", "the trail is the one that the checkpoint was signed over"),
        ("UPDATE audit_events SET details = '{}'", "is as it was recorded"),
        ("UPDATE consent_documents SET text = 'x'", "is the one with its digest"),
        ("DELETE FROM audit_events", "of the trail is there"),
        ("DELETE FROM consent_records", "nothing is missing"),
    ],
)
def test_server_that_exports_what_was_tampered_with_is_found_out(
    tmp_path: Path, key: str, statement: str, said: str
) -> None:
    taken()
    tamper(statement)

    assert said in verdict(taken(), key, tmp_path)


def test_record_that_was_slipped_in_is_found_out(tmp_path: Path, key: str) -> None:
    run_sql("CREATE TEMPORARY TABLE copy ON COMMIT DROP AS SELECT * FROM consent_records LIMIT 1")
    run_sql("UPDATE copy SET id = gen_random_uuid()")
    run_sql("INSERT INTO consent_records SELECT * FROM copy")

    assert "an event vouches for consent:" in verdict(taken(), key, tmp_path)


def test_record_purged_under_a_rule_is_told_and_no_fault(
    tmp_path: Path, key: str, capsys: pytest.CaptureFixture[str]
) -> None:
    record = ConsentRecord.objects.get(created_at=NOW)
    seal_events(now=NOW)
    record_purge(targets=[f"consent:{record.id}"], rule="IN-consent", actor="system", now=NOW)
    with open_door("retention"):
        record.delete()

    assert verdict(taken(), key, tmp_path) == ""
    assert "Records purged: 1 under rule IN-consent." in capsys.readouterr().out


def test_event_that_lost_what_it_told_without_a_rule_is_found_out(tmp_path: Path, key: str) -> None:
    event = record_read(actor="staff:1", target="booking:1", fields=["email"], reason="They phoned", now=NOW)

    seal_events(now=NOW)
    erase_payloads(event_ids=[event.id], rule="IN-events", actor="system", now=NOW)
    by_rule = verdict(taken_events(), key, tmp_path)
    other = record_read(actor="staff:1", target="booking:2", fields=["email"], reason="They phoned", now=NOW)
    tamper(
        "UPDATE audit_events SET salt = NULL, details = NULL, evidence = NULL, reason = NULL WHERE id = %s", other.id
    )

    assert (by_rule, str(other.id) in verdict(taken_events(), key, tmp_path)) == ("", True)


def test_export_of_another_format_says_what_reads_it(
    tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(services, "FORMAT", 1)

    said = verdict(taken(), key, tmp_path)

    told = "NOTHING VERIFIED: this reads format 2; for 1 take the verify_export.py in the archive\n"
    assert (said, capsys.readouterr().err) == ("2", told)


def test_verifier_needs_no_more_memory_for_a_longer_trail(tmp_path: Path, key: str) -> None:
    def peak(count: int) -> int:
        for number in range(count):
            record_read(actor="staff:1", target=f"booking:{number}", fields=["email"], reason="They phoned", now=NOW)
        (tmp_path / "export.zip").write_bytes(taken_events())
        gc.collect()
        tracemalloc.start()
        verify(str(tmp_path / "export.zip"), key)
        _, highest = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return highest

    assert peak(800) * 1.3 > peak(1600)
