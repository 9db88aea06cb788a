"""System checks: what `manage.py check` says about keys and labels."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from mindfulqalb.encryption.fields import encrypted_fields, encrypted_models
from mindfulqalb.encryption.keyring import KeyringError, key_problems, master_keys

KEY_SETTINGS = ("ENCRYPTION_KEY", "BLIND_INDEX_KEY")
KEY_PROBLEM_IDS = {"missing": "encryption.E001", "malformed": "encryption.E002", "reused": "encryption.E003"}
# 32 random bytes have fewer distinct values than this, or only printable ones, about once in 10^13 draws.
FEWEST_DISTINCT_BYTES = 20
PRINTABLE = range(0x20, 0x7F)


def check_keys(**_: Any) -> list[CheckMessage]:
    """Report keys that are missing, malformed, used twice or guessable."""
    problems = [problem for setting in KEY_SETTINGS for problem in key_problems(setting)]
    found: list[CheckMessage] = [Error(problem.message, id=KEY_PROBLEM_IDS[problem.kind]) for problem in problems]
    if not getattr(settings, "DEVELOPMENT", False):  # its published keys are words
        found += [message for setting in KEY_SETTINGS for message in _weak_keys(setting)]
    return found


def check_labels(**_: Any) -> list[CheckMessage]:
    """Report labels that two columns share: a value moved from one to the other would open."""
    fields_by_label: dict[str, list[str]] = defaultdict(list)
    for model in encrypted_models():
        for field in encrypted_fields(model):
            fields_by_label[field.label].append(str(field))
    return [
        Error(f"{' and '.join(names)} share the label {label!r}.", id="encryption.E005")
        for label, names in fields_by_label.items()
        if len(names) > 1
    ]


def _weak_keys(setting: str) -> list[CheckMessage]:
    try:
        keys = master_keys(setting)
    except KeyringError:
        return []  # said already
    message = f"A key of {setting} was typed, not drawn at random; make one with: openssl rand -base64 32"
    return [Error(message, id="encryption.E004") for key in keys if _is_weak(key)]


def _is_weak(key: bytes) -> bool:
    return len(set(key)) < FEWEST_DISTINCT_BYTES or all(byte in PRINTABLE for byte in key)
