"""Whether all that should be in an export is in it, as the verifier alone can tell; its keys, and who took it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from django.db.models import Q

from consent.export_filter import ConsentFilter
from consent.exports import export_consents
from consent.models import ConsentRecord
from consent.tests.builders import NOW, make_consent, publish
from mindfulqalb.audit.doors import open_door
from mindfulqalb.audit.exports import trail
from mindfulqalb.audit.exports.events import export_events
from mindfulqalb.audit.exports.period import Period
from mindfulqalb.audit.sealing import seal_events
from mindfulqalb.audit.services import record_purge, record_read
from mindfulqalb.audit.tests.doors import run_sql
from mindfulqalb.staff.tests.builders import make_member

if TYPE_CHECKING:
    from django.test import Client

pytestmark = pytest.mark.django_db

VERIFIER = Path(trail.__file__).with_name("verify_export.py")
NOVEMBER = Period(date(2026, 11, 1), date(2026, 11, 30))


@pytest.fixture(autouse=True)
def _consents() -> None:
    """Two of November, and one of December."""
    publish()
    for days in range(3):
        make_consent(email=f"{days}@example.com", now=NOW - timedelta(days=days))


def taken(wanted: ConsentFilter, actor: str = "staff:1") -> bytes:
    _, archive = export_consents(wanted=wanted, actor=actor, reason="Audit", now=NOW, allow_empty=True)
    return b"".join(archive)


def answer(archive: bytes, key: str, tmp_path: Path) -> tuple[int, str]:
    file = tmp_path / "export.zip"
    file.write_bytes(archive)
    return answer_to(str(file), key)


def answer_to(*arguments: str) -> tuple[int, str]:
    """How the verifier ends, and all that it says."""
    command = [sys.executable, str(VERIFIER), *arguments]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.returncode, result.stdout + result.stderr


def delete(record: ConsentRecord) -> None:
    """As the owner of the database can."""
    run_sql("SET CONSTRAINTS ALL IMMEDIATE")
    run_sql("ALTER TABLE consent_records DISABLE TRIGGER USER")
    run_sql("DELETE FROM consent_records WHERE id = %s", [record.id])


def oldest() -> ConsentRecord:
    return ConsentRecord.objects.order_by("created_at")[0]


@pytest.mark.parametrize("period", [NOVEMBER, Period(until=date(2026, 11, 30)), Period(since=date(2026, 11, 29))])
def test_export_of_a_period_lacks_a_deleted_record_and_fails(tmp_path: Path, key: str, period: Period) -> None:
    record = oldest()
    delete(record)

    code, said = answer(taken(ConsentFilter(period)), key, tmp_path)

    assert (code, f"nothing is missing within the period, such as ['consent:{record.id}']" in said) == (1, True)


def test_export_of_another_period_does_not_need_it(tmp_path: Path, key: str) -> None:
    delete(oldest())

    code, said = answer(taken(ConsentFilter(Period(since=date(2026, 12, 1)))), key, tmp_path)

    complete = "Complete for its period, from 2026-11-30T18:30:00.000000+00:00 to before the export.\n"
    assert (code, "Not in this export: 2 before the period." in said, complete in said) == (0, True, True)


def test_looking_at_a_record_within_the_period_does_not_ask_for_it(tmp_path: Path, key: str) -> None:
    record_read(actor="staff:1", target=f"consent:{oldest().id}", fields=["email"], reason="Why", now=NOW)

    assert answer(taken(ConsentFilter(Period(since=date(2026, 12, 1)))), key, tmp_path)[0] == 0


def test_record_of_the_period_that_was_purged_under_a_rule_is_no_fault(tmp_path: Path, key: str) -> None:
    record = oldest()
    seal_events(now=NOW)
    record_purge(targets=[f"consent:{record.id}"], rule="IN-consent", actor="system", now=NOW)
    with open_door("retention"):
        record.delete()

    code, said = answer(taken(ConsentFilter(NOVEMBER)), key, tmp_path)

    assert (code, "Records purged: 1 under rule IN-consent." in said) == (0, True)


@pytest.mark.parametrize(
    ("wanted", "named"),
    [
        (ConsentFilter(version="2024-01-15"), "version"),
        (ConsentFilter(NOVEMBER, session_type="individual", state="valid"), "session_type, state"),
    ],
)
def test_export_by_other_criteria_says_that_completeness_is_not_proven(
    tmp_path: Path, key: str, wanted: ConsentFilter, named: str
) -> None:
    delete(oldest())

    code, said = answer(taken(wanted), key, tmp_path)

    not_proven = f"Completeness NOT proven: filtered by {named}.\n"
    assert (code, not_proven in said, "Complete for" in said) == (0, True, False)


def test_empty_export_says_in_words_what_is_outside_of_it(tmp_path: Path, key: str) -> None:
    code, said = answer(taken(ConsentFilter(Period(until=date(2026, 11, 28)))), key, tmp_path)

    assert (code, "THE EXPORT IS EMPTY." in said, said.count(": after the period\n")) == (0, True, 3)
    assert f"- consent:{oldest().id} of 2026-11-29T06:00:00.000000+00:00: after the period\n" in said


def test_export_of_events_that_leaves_one_of_its_period_out_fails(
    tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def taken_events() -> bytes:
        _, archive = export_events(period=NOVEMBER, actor="staff:1", reason="Audit", now=NOW)
        return b"".join(archive)

    whole = answer(taken_events(), key, tmp_path)
    monkeypatch.setattr(Period, "of", lambda _, column: Q(**{f"{column}__gte": NOW - timedelta(days=1)}))
    code, said = answer(taken_events(), key, tmp_path)

    assert (whole[0], "Complete for its period" in whole[1]) == (0, True)
    assert (code, "nothing is missing within the period" in said) == (1, True)


# The key file, and who


def test_verifier_takes_the_keys_as_the_api_serves_them(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "keys.json"
    file.write_bytes(client.get("/api/audit/keys").content)

    assert answer(taken(ConsentFilter()), str(file), tmp_path)[0] == 0


@pytest.mark.parametrize(
    "content",
    ["", '{"keys": []}', "-----BEGIN PUBLIC KEY-----\nbm8=\n-----END PUBLIC KEY-----", None],
)
def test_verifier_does_not_blame_the_evidence_for_the_key_file(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "keys"
    if content is not None:
        file.write_text(content)

    code, said = answer(taken(ConsentFilter()), str(file), tmp_path)

    assert (code, said.partition(" (")[0].strip()) == (2, "NOTHING VERIFIED: the key file holds no usable key")


@pytest.mark.parametrize("arguments", [(), ("export.zip",), ("a", "b", "c")])
def test_verifier_called_wrongly_says_how(arguments: tuple[str, ...]) -> None:
    code, said = answer_to(*arguments)

    assert (code, "python verify_export.py export.zip" in said, "Traceback" in said) == (2, True, False)


def test_manifest_and_verifier_name_who_took_it(tmp_path: Path, key: str) -> None:
    actor = f"staff:{make_member().pk}"

    archive = taken(ConsentFilter(), actor)

    manifest = json.loads(zipfile.ZipFile(io.BytesIO(archive)).read("manifest.json"))["manifest"]
    said = answer(archive, key, tmp_path)[1]
    assert (manifest["exported_by"], manifest["exported_by_name"]) == (actor, "meera")
    assert said.startswith(f"consents taken by {actor} (meera), because: Audit\n")
