"""What the export commands have in common."""

from __future__ import annotations

import os
from datetime import date
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import CommandError

from mindfulqalb.api.errors import Refusal
from mindfulqalb.audit.exports.period import Period
from mindfulqalb.staff.models import StaffMember

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from django.core.management.base import CommandParser, OutputWrapper

MEBIBYTE = 1024 * 1024


def add_export_arguments(parser: CommandParser) -> None:
    """Take who, why, which period and where to."""
    parser.add_argument("--by", required=True, type=_actor, metavar="USERNAME", help="who takes it out: a staff member")
    parser.add_argument("--reason", required=True, help="why; it goes on record")
    parser.add_argument("--since", type=date.fromisoformat, metavar="DAY", help="first day, such as 2026-01-01")
    parser.add_argument("--until", type=date.fromisoformat, metavar="DAY", help="last day")
    parser.add_argument("--output", required=True, type=Path, help="the archive to write; it must not be there yet")


def period_of(options: dict[str, Any]) -> Period:
    """Read the period."""
    return Period(since=options["since"], until=options["until"])


def save(archive: Iterator[bytes], output: Path, stdout: OutputWrapper) -> None:
    """Write the archive so that its owner alone can read it, and say how far it is."""
    try:
        handle = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise CommandError(f"{output} cannot be written: {error.strerror}") from error
    written, told = 0, 0
    with os.fdopen(handle, "wb") as file:
        for chunk in archive:
            written += file.write(chunk)
            if written >= told + 10 * MEBIBYTE:
                told = written
                stdout.write(f"{written / MEBIBYTE:.0f} MiB written")
    stdout.write(f"{output}: {written} bytes. Whoever gets it runs the verify_export.py in it, with our public key.")


def refused_in_words(handle: Callable[..., None]) -> Callable[..., None]:
    """End a command with a refusal's own sentence."""

    @wraps(handle)
    def run(*args: Any, **options: Any) -> None:
        try:
            handle(*args, **options)
        except Refusal as refusal:
            raise CommandError(refusal.detail) from refusal

    return run


def _actor(username: str) -> str:
    member = StaffMember.objects.filter(username=username, is_active=True).first()
    if member is None:
        raise CommandError(f"nobody of the staff is called {username}")
    return f"staff:{member.pk}"
