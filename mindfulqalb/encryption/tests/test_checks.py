from __future__ import annotations

import base64
import uuid
from typing import TYPE_CHECKING, Any

import pytest
from django.core import checks
from django.db import models
from django.db.models.functions import Now
from django.test.utils import isolate_apps

from mindfulqalb.encryption.checks import check_keys, check_labels
from mindfulqalb.encryption.fields import EncryptedTextField, encrypted_fields
from mindfulqalb.encryption.tests.keys import INDEX_KEY, OLD_KEY, make_key, use_keys
from mindfulqalb.encryption.tests.notebook.models import Annotation, Note

if TYPE_CHECKING:
    from pytest_django import Settings


@pytest.fixture(autouse=True)
def production(settings: Settings) -> None:
    """Judge the keys as in production."""
    settings.DEVELOPMENT = False


def found(messages: list[checks.CheckMessage]) -> list[tuple[str | None, str]]:
    """Return ids and sentences."""
    return [(message.id, message.msg) for message in messages]


def test_good_keys_raise_no_complaint() -> None:
    assert check_keys() == []


def test_checks_are_registered() -> None:
    registered: list[Any] = list(checks.registry.registry.get_checks())

    assert [check in registered for check in (check_keys, check_labels)] == [True, True]


@pytest.mark.parametrize("setting", ["ENCRYPTION_KEY", "BLIND_INDEX_KEY"])
def test_missing_key_is_e001(settings: Settings, setting: str) -> None:
    setattr(settings, setting, "")

    assert found(check_keys()) == [
        ("encryption.E001", f"{setting} is missing; make one with: openssl rand -base64 32"),
    ]


@pytest.mark.parametrize("setting", ["ENCRYPTION_KEY_FALLBACKS", "BLIND_INDEX_KEY_FALLBACKS"])
def test_malformed_key_is_e002(settings: Settings, setting: str) -> None:
    setattr(settings, setting, ["c2hvcnQ="])

    assert found(check_keys()) == [
        ("encryption.E002", f"{setting}[0] holds 5 bytes, not 32; make one with: openssl rand -base64 32"),
    ]


def test_key_used_twice_is_e003(settings: Settings) -> None:
    settings.BLIND_INDEX_KEY = OLD_KEY

    assert found(check_keys()) == [
        (
            "encryption.E003",
            "ENCRYPTION_KEY is the same key as BLIND_INDEX_KEY; make one with: openssl rand -base64 32",
        ),
        (
            "encryption.E003",
            "BLIND_INDEX_KEY is the same key as ENCRYPTION_KEY; make one with: openssl rand -base64 32",
        ),
    ]


@pytest.mark.parametrize(
    "typed", [b"The quick brown fox jumps over 1", bytes(32), b"0123456789abcdef" * 2, bytes(range(0xF0, 0x100)) * 2]
)
def test_typed_key_is_e004_in_production_only(settings: Settings, typed: bytes) -> None:
    use_keys(settings, OLD_KEY, base64.b64encode(typed).decode())

    assert found(check_keys()) == [
        (
            "encryption.E004",
            "A key of ENCRYPTION_KEY was typed, not drawn at random; make one with: openssl rand -base64 32",
        ),
    ]
    settings.DEVELOPMENT = True
    assert check_keys() == []


def test_random_keys_are_never_called_typed(settings: Settings) -> None:
    use_keys(settings, OLD_KEY, *(make_key(str(number)) for number in range(200)))

    assert check_keys() == []


def test_no_message_holds_a_key(settings: Settings) -> None:
    use_keys(settings, OLD_KEY, INDEX_KEY, "c2hvcnQ=", base64.b64encode(bytes(32)).decode())
    messages = str(check_keys())

    assert [key in messages for key in (OLD_KEY, INDEX_KEY, "c2hvcnQ=")] == [False] * 3


@pytest.mark.usefixtures("notebook_installed")
def test_shared_label_is_e005(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check_labels() == []

    monkeypatch.setattr(encrypted_fields(Annotation)[0], "label", "notebook.body")

    assert found(check_labels()) == [
        (
            "encryption.E005",
            "notebook.Note.body and notebook.Annotation.text share the label 'notebook.body'.",
        ),
    ]


def checked(**options: Any) -> list[str | None]:
    """Return the ids that a model with one encrypted field gets; `pk` is its id field."""
    pk = options.pop("pk", models.UUIDField(primary_key=True, default=uuid.uuid4))
    with isolate_apps("mindfulqalb.encryption"):
        members = {"__module__": __name__, "Meta": type("Meta", (), {"app_label": "encryption"})}
        field = EncryptedTextField(**{"label": "encryption.sample", **options})
        model: Any = type("Sample", (models.Model,), {**members, "id": pk, "text": field})
        return [message.id for message in model.check()]


def test_sound_field_raises_no_complaint() -> None:
    assert checked(null=True, blank=True, max_length=5, db_column="text_encrypted") == []
    assert [message for model in (Note, Annotation) for message in model.check()] == []


@pytest.mark.parametrize("label", ["", "body", "notebook.", "Note.body", "notebook body"])
def test_label_unlike_app_and_field_is_e006(label: str) -> None:
    assert checked(label=label) == ["encryption.E006"]


@pytest.mark.parametrize(
    ("pk", "ids"),
    [
        (models.BigAutoField(primary_key=True), ["encryption.E007"]),
        (models.DateTimeField(primary_key=True, db_default=Now()), ["encryption.E007"]),
        (models.DateTimeField(primary_key=True, default=lambda: None, db_default=Now()), []),
        (models.CharField(primary_key=True, max_length=5), []),
    ],
    ids=["serial", "db_default", "both", "given"],
)
def test_row_id_from_the_database_is_e007(pk: Any, ids: list[str]) -> None:
    assert checked(pk=pk) == ids


@pytest.mark.parametrize(
    "options", [{"unique": True}, {"db_index": True}, {"db_default": "x"}, {"choices": [("a", "A")]}], ids=str
)
def test_option_that_means_nothing_is_e008(options: dict[str, Any]) -> None:
    assert checked(**options) == ["encryption.E008"]
