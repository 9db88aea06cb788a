"""Show of a person no more than it takes to tell two rows apart."""

from __future__ import annotations

HIDDEN = "…"


def mask_name(name: str) -> str:
    """`Jane Doe` becomes `J… D…`."""
    return " ".join(_first(word) for word in name.split())


def mask_email(email: str) -> str:
    """`jane@example.com` becomes `j…@e….com`."""
    local, at, domain = email.rpartition("@")
    if not at:
        return _first(email)
    host, dot, ending = domain.rpartition(".")
    return f"{_first(local)}@{_first(host or domain)}{dot}{ending if dot else ''}"


def mask_phone(phone: str) -> str:
    """`+919876543210` becomes `…10`."""
    return f"{HIDDEN}{phone[-2:]}" if phone else ""


def mask_address(address: str) -> str:
    """`203.0.113.77` becomes `2…`."""
    return _first(address)


def _first(word: str) -> str:
    return f"{word[:1]}{HIDDEN}" if word else ""
