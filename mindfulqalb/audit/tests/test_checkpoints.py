"""The signed word on the chain, and its copies outside of the house."""

from __future__ import annotations

import email
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from django.core.management import call_command

from mindfulqalb.audit.checkpoints import (
    certificate_of,
    certificate_text,
    is_genuine,
    statement_of,
    stored_copies,
    take_checkpoint,
)
from mindfulqalb.audit.checks import check_signing_keys
from mindfulqalb.audit.digests import GENESIS, canonical, sha256_of
from mindfulqalb.audit.models import AuditCheckpoint, AuditSeal
from mindfulqalb.audit.signing import public_keys
from mindfulqalb.audit.tasks import checkpoint as checkpoint_task
from mindfulqalb.audit.tests.keys import make_signing_key, use_signing_key
from mindfulqalb.audit.tests.test_services import NOW, make_event
from mindfulqalb.audit.verification import verify_now
from mindfulqalb.mail.models import SentMail
from mindfulqalb.outbox.delivery import deliver_due
from mindfulqalb.outbox.models import OutboxMessage
from mindfulqalb.outbox.states import State

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_django import Settings
    from rest_framework.test import APIClient

    from mindfulqalb.sandbox.tests.sandbox_process import SandboxProcess

pytestmark = pytest.mark.django_db


def test_checkpoint_says_how_far_the_chain_goes() -> None:
    make_event()
    make_event()

    checkpoint = take_checkpoint(now=NOW)

    end = AuditSeal.objects.get(sequence=2)
    assert statement_of(AuditCheckpoint.objects.get(number=1)) == {
        "kind": "mindfulqalb audit checkpoint",
        "number": 1,
        "sequence": 2,
        "chain_digest": end.chain_digest,
        "previous": GENESIS,
        "signed_at": "2026-12-01T06:00:00.000000+00:00",
        "key_id": checkpoint.key_id,
    }


def test_checkpoint_of_nothing_is_signed_too() -> None:
    checkpoint = take_checkpoint(now=NOW)

    assert (checkpoint.sequence, checkpoint.chain_digest, is_genuine(certificate_of(checkpoint))) == (0, GENESIS, True)


def test_checkpoints_follow_each_other() -> None:
    first = take_checkpoint(now=NOW)
    second = take_checkpoint(now=NOW + timedelta(days=1))

    assert (second.number, second.previous) == (2, sha256_of(statement_of(first)))


def test_signature_holds_for_a_stranger_with_the_public_key(capsys: pytest.CaptureFixture[str]) -> None:
    certificate = json.loads(certificate_text(take_checkpoint(now=NOW)))
    call_command("audit_public_keys")
    printed = capsys.readouterr().out

    key = load_pem_public_key(printed[printed.index("-----BEGIN") :].encode())

    signature = bytes.fromhex(certificate["signature"])
    assert key.verify(signature, canonical(certificate["statement"])) is None  # type: ignore[call-arg, union-attr]


@pytest.mark.parametrize(
    "change",
    [
        {"sequence": 5},
        {"chain_digest": "1" * 64},
        {"signed_at": "2020-01-01T00:00:00.000000+00:00"},
        {"key_id": "0" * 16},
        {"kind": "something else"},
        {"more": 1},
    ],
)
def test_word_that_was_changed_is_not_ours(change: dict[str, object]) -> None:
    certificate = certificate_of(take_checkpoint(now=NOW))
    certificate["statement"] |= change

    assert is_genuine(certificate) is False


@pytest.mark.parametrize("certificate", [{}, {"statement": []}, {"statement": {}, "signature": 5}])
def test_what_is_no_certificate_is_not_ours(certificate: dict[str, object]) -> None:
    assert is_genuine(certificate) is False


@pytest.mark.parametrize("signature", ["", "zz", "00" * 64])
def test_signature_that_is_none_is_not_ours(signature: str) -> None:
    assert is_genuine(certificate_of(take_checkpoint(now=NOW)) | {"signature": signature}) is False


def test_rotated_key_still_verifies_what_it_signed_by_its_public_half(settings: Settings) -> None:
    old_public = use_signing_key(settings, make_signing_key())
    certificate = certificate_of(take_checkpoint(now=NOW))

    use_signing_key(settings, make_signing_key())
    before = is_genuine(certificate)
    settings.AUDIT_PUBLIC_KEYS = [old_public]

    assert (before, is_genuine(certificate), len(public_keys())) == (False, True, 2)


def test_keys_stand_at_an_address(api: APIClient, settings: Settings) -> None:
    settings.AUDIT_PUBLIC_KEYS = [use_signing_key(settings, make_signing_key())]
    use_signing_key(settings, make_signing_key())
    checkpoint = take_checkpoint(now=NOW)

    keys = api.get("/api/audit/keys").json()["keys"]

    assert [(key["keyId"], key["algorithm"]) for key in keys] == [(key_id, "Ed25519") for key_id in public_keys()]
    assert keys[0]["keyId"] == checkpoint.key_id
    assert keys[0]["publicKey"].startswith("-----BEGIN PUBLIC KEY-----\n")


@pytest.mark.parametrize(("signing", "older"), [("", []), ("short", []), (make_signing_key(), ["short"])])
def test_check_names_a_key_that_is_none(settings: Settings, signing: str, older: list[str]) -> None:
    settings.AUDIT_SIGNING_KEY, settings.AUDIT_PUBLIC_KEYS = signing, older

    assert [message.id for message in check_signing_keys()] == ["audit.E001"]


def test_check_has_nothing_to_say_about_good_keys() -> None:
    assert check_signing_keys() == []


@pytest.mark.django_db(transaction=True)
def test_copies_leave_by_directory_and_mail(sandbox: SandboxProcess, settings: Settings, tmp_path: Path) -> None:
    settings.AUDIT_CHECKPOINT_DIRECTORY, settings.AUDIT_CHECKPOINT_EMAIL = str(tmp_path), "auditor@example.org"
    make_event()
    checkpoint = take_checkpoint(now=NOW)

    deliver_due(now=NOW, limit=10)

    (mail,) = sandbox.mailbox()
    (attached,) = mail["attachments"]
    kept = email.message_from_string(SentMail.objects.get().content)
    as_sent: Any = kept.get_payload()[1].get_payload(decode=True)  # type: ignore[index, union-attr]
    assert (mail["to"], mail["subject"], attached["filename"], json.loads(bytes(as_sent))) == (
        ["auditor@example.org"],
        "Audit checkpoint 1",
        "checkpoint-00000001.json",
        certificate_of(checkpoint),
    )
    assert stored_copies(tmp_path) == [certificate_of(checkpoint)]


@pytest.mark.django_db(transaction=True)
def test_copy_that_lies_there_stays_as_it_is(settings: Settings, tmp_path: Path) -> None:
    settings.AUDIT_CHECKPOINT_DIRECTORY = str(tmp_path)
    (tmp_path / "checkpoint-00000001.json").write_text("{}")
    take_checkpoint(now=NOW)

    deliver_due(now=NOW, limit=10)

    assert (stored_copies(tmp_path), OutboxMessage.objects.get().state) == ([{}], State.DELIVERED)


@pytest.mark.django_db(transaction=True)
def test_copy_that_was_cut_off_before_it_said_anything_is_written_anew(settings: Settings, tmp_path: Path) -> None:
    settings.AUDIT_CHECKPOINT_DIRECTORY = str(tmp_path)
    checkpoint = take_checkpoint(now=NOW)
    (tmp_path / "checkpoint-00000001.json").touch()

    deliver_due(now=NOW, limit=10)

    names = [file.name for file in tmp_path.iterdir()]
    assert (stored_copies(tmp_path), names) == ([certificate_of(checkpoint)], ["checkpoint-00000001.json"])


@pytest.mark.parametrize("content", ["", '{"statement": ', "[]", "\udcff"])
def test_copy_that_cannot_be_read_is_a_finding_and_hides_no_other(
    settings: Settings, tmp_path: Path, content: str
) -> None:
    settings.AUDIT_CHECKPOINT_DIRECTORY = str(tmp_path)
    make_event()
    take_checkpoint(now=NOW)
    text = certificate_text(take_checkpoint(now=NOW + timedelta(days=1)))
    (tmp_path / "checkpoint-00000001.json").write_text(content, errors="surrogateescape")
    (tmp_path / "checkpoint-00000002.json").write_text(text)

    verification = verify_now(clock=lambda: NOW)

    assert verification.findings == ["altered: the copy checkpoint-00000001.json cannot be read"]


@pytest.mark.django_db(transaction=True)
def test_copy_for_a_directory_that_is_away_waits_for_it(settings: Settings, tmp_path: Path) -> None:
    settings.AUDIT_CHECKPOINT_DIRECTORY = str(tmp_path / "unmounted")
    take_checkpoint(now=NOW)
    deliver_due(now=NOW, limit=10)

    message = OutboxMessage.objects.get()
    (tmp_path / "unmounted").mkdir()
    deliver_due(now=message.due_at, limit=10)

    assert (message.state, len(stored_copies(tmp_path / "unmounted"))) == (State.PENDING, 1)


def test_without_a_destination_nothing_waits_in_the_outbox() -> None:
    checkpoint_task()

    assert (AuditCheckpoint.objects.count(), OutboxMessage.objects.count()) == (1, 0)
