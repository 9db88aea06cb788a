"""Write a ZIP archive as it is sent: no file on this disk ever holds what goes out."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zipfile import ZIP_DEFLATED, ZipFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from _typeshed import ReadableBuffer

CHUNK_BYTES = 256 * 1024
SIGNATURE_CHARACTERS = 128


@dataclass(frozen=True)
class Part:
    """One file of the archive, made line by line when its turn comes."""

    name: str
    lines: Callable[[], Iterable[bytes]]


class Archive:
    """An archive on its way out; `files` says of each part that was written how long it is, and its digest."""

    def __init__(self) -> None:
        """Begin with an empty archive."""
        self.files: dict[str, dict[str, Any]] = {}
        self._outlet, self._digest = _Outlet(), hashlib.sha256()
        self._zip = ZipFile(self._outlet, "w", ZIP_DEFLATED, compresslevel=1)

    def write(self, part: Part) -> Iterator[bytes]:
        """Write one part, and yield what is ready to be sent."""
        digest, count = hashlib.sha256(), 0
        with self._zip.open(part.name, "w", force_zip64=True) as member:
            for line in part.lines():
                member.write(line)
                digest.update(line)
                count += line.count(b"\n")
                if self._outlet.waiting >= CHUNK_BYTES:
                    yield self._take()
        self.files[part.name] = {"sha256": digest.hexdigest(), "lines": count}
        yield self._take()

    def close(self, *, sign: Callable[[str], str]) -> bytes:
        """End the archive, and return the last of it: its comment signs the digest of every byte before.

        The digests of the files leave the archive's own headers open to change.
        """
        self._zip.comment = b"0" * SIGNATURE_CHARACTERS
        self._zip.close()
        rest = self._outlet.take()[:-SIGNATURE_CHARACTERS]
        self._digest.update(rest)
        return rest + sign(self._digest.hexdigest()).encode("ascii")

    def abandon(self) -> None:
        """Leave it unfinished: nobody is there to take the rest."""
        self._zip.fp = None

    def _take(self) -> bytes:
        ready = self._outlet.take()
        self._digest.update(ready)
        return ready


class _Outlet(io.RawIOBase):
    """A file that cannot be rewound: what is written waits to be taken."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self.waiting = 0

    def writable(self) -> bool:
        return True

    def write(self, data: ReadableBuffer, /) -> int:
        part = bytes(data)
        self._parts.append(part)
        self.waiting += len(part)
        return len(part)

    def take(self) -> bytes:
        ready = b"".join(self._parts)
        self._parts, self.waiting = [], 0
        return ready
