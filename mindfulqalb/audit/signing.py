"""The key that signs checkpoints and exports (Ed25519), and the public keys that say whose word it is."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.conf import settings

from mindfulqalb.audit.digests import canonical
from mindfulqalb.encryption.keyring import decode_key

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY_ID_DIGITS = 16


@dataclass(frozen=True)
class Signature:
    """Who signed, and the signature in hexadecimal."""

    key_id: str
    text: str


def sign(statement: Mapping[str, Any]) -> Signature:
    """Sign the canonical form of a statement. Raises ValueError when AUDIT_SIGNING_KEY is no key."""
    key = _private_key()
    return Signature(key_id(key.public_key()), key.sign(canonical(dict(statement))).hex())


def signing_key() -> Ed25519PublicKey:
    """Return the public half of the key that signs now."""
    return _private_key().public_key()


def is_signed(statement: Mapping[str, Any], signature: Signature) -> bool:
    """Say whether a key that we know signed exactly this."""
    key = public_keys().get(signature.key_id)
    if key is None:
        return False
    try:
        key.verify(bytes.fromhex(signature.text), canonical(dict(statement)))
    except (InvalidSignature, ValueError):
        return False
    return True


def public_keys() -> dict[str, Ed25519PublicKey]:
    """Return the public half of the signing key first, then the older ones in AUDIT_PUBLIC_KEYS, by key id."""
    older = [Ed25519PublicKey.from_public_bytes(decode_key(text)) for text in settings.AUDIT_PUBLIC_KEYS]
    return {key_id(key): key for key in (signing_key(), *older)}


def key_id(key: Ed25519PublicKey) -> str:
    """Return the id of a key: the beginning of its digest, so that nobody has to name keys."""
    return hashlib.sha256(raw_bytes(key)).hexdigest()[:KEY_ID_DIGITS]


def raw_bytes(key: Ed25519PublicKey) -> bytes:
    """Return the 32 bytes of a public key."""
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def pem(key: Ed25519PublicKey) -> str:
    """Return a public key as other programs read it."""
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")


def _private_key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(decode_key(settings.AUDIT_SIGNING_KEY))
