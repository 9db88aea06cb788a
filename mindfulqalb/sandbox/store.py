"""The sandbox's memory: JSON records in one SQLite file, safe from threads and from a killed process."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

Record = dict[str, Any]

SCHEMA = """
CREATE TABLE IF NOT EXISTS records (
    kind TEXT NOT NULL, key TEXT NOT NULL, position INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)
);
CREATE INDEX IF NOT EXISTS records_in_order ON records (kind, position);
CREATE TABLE IF NOT EXISTS counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL);
"""


class Store:
    """Records by kind and key. One lock serialises every transaction, so two clients cannot win one slot."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.RLock()
        self._depth = 0
        self._callbacks: list[Callable[[], None]] = []
        self._connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        # WAL keeps what was committed when the process is killed, and costs no disk flush per commit.
        self._connection.execute("PRAGMA journal_mode=WAL")
        self._connection.execute("PRAGMA synchronous=NORMAL")
        self._connection.executescript(SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Hold the lock; commit at the end of the outermost block, roll back when it raises."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                self._depth -= 1
                if outermost:
                    self._connection.execute("ROLLBACK")
                    self._callbacks.clear()
                raise
            self._depth -= 1
            if outermost:
                self._commit()

    def _commit(self) -> None:
        self._connection.execute("COMMIT")
        callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def after_commit(self, callback: Callable[[], None]) -> None:
        """Run the callback once the outermost transaction has committed; at once when there is none."""
        with self._lock:
            if self._depth:
                self._callbacks.append(callback)
                return
        callback()

    def get(self, kind: str, key: str) -> Record | None:
        """Return a copy of the record, or None."""
        with self._lock:
            row = self._connection.execute(
                "SELECT body FROM records WHERE kind = ? AND key = ?", (kind, key)
            ).fetchone()
        return None if row is None else _loaded(row[0])

    def put(self, kind: str, key: str, record: Record) -> None:
        """Write the record; a new one goes to the end of its kind, a known one keeps its place."""
        with self.transaction():
            self._connection.execute(
                "INSERT INTO records (kind, key, position, body) VALUES (?, ?, ?, ?)"
                " ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
                (kind, key, self.count("position"), json.dumps(record, ensure_ascii=False)),
            )

    def remove(self, kind: str, key: str) -> bool:
        """Forget the record; say whether there was one."""
        with self.transaction():
            statement = "DELETE FROM records WHERE kind = ? AND key = ?"
            removed = self._connection.execute(statement, (kind, key)).rowcount > 0
            if removed:
                self.count("position")
        return removed

    def all(self, kind: str) -> list[Record]:
        """Return every record of the kind, oldest first."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT body FROM records WHERE kind = ? ORDER BY position", (kind,)
            ).fetchall()
        return [_loaded(row[0]) for row in rows]

    def last(self, kind: str, number: int) -> list[Record]:
        """Return the newest records of the kind, newest first."""
        statement = "SELECT body FROM records WHERE kind = ? ORDER BY position DESC LIMIT ?"
        with self._lock:
            rows = self._connection.execute(statement, (kind, number)).fetchall()
        return [_loaded(row[0]) for row in rows]

    def prune(self, kind: str, keep: int) -> None:
        """Keep only the newest records of the kind."""
        with self._lock:
            self._connection.execute(
                "DELETE FROM records WHERE kind = ? AND position <= (SELECT position FROM records WHERE kind = ?"
                " ORDER BY position DESC LIMIT 1 OFFSET ?)",
                (kind, kind, keep),
            )

    def count(self, name: str) -> int:
        """Add one to a counter and return it: 1 on the first call."""
        with self._lock:
            row = self._connection.execute(
                "INSERT INTO counters (name, value) VALUES (?, 1)"
                " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
                (name,),
            ).fetchone()
        return int(row[0])

    def counters(self, prefix: str) -> dict[str, int]:
        """Return the counters whose names start with the prefix, without it."""
        with self._lock:
            rows = self._connection.execute("SELECT name, value FROM counters ORDER BY name").fetchall()
        return {name[len(prefix) :]: value for name, value in rows if name.startswith(prefix)}

    def revision(self) -> int:
        """Return a number that grows with every change."""
        return self.counters("position").get("", 0)

    def clear(self) -> None:
        """Forget everything."""
        with self.transaction():
            self._connection.execute("DELETE FROM records")
            # Ids go on counting, so that nothing under way can be mistaken for something new.
            self._connection.execute("DELETE FROM counters WHERE name LIKE 'calls:%'")
            self.count("position")


def _loaded(text: str) -> Record:
    loaded: Record = json.loads(text)
    return loaded


_store: Store | None = None


def open_store(path: Path) -> Store:
    """Open the process's store."""
    global _store  # noqa: PLW0603 - set once, before the first request
    _store = Store(path)
    return _store


def store() -> Store:
    """Return the process's store; it must have been opened."""
    if _store is None:
        raise RuntimeError("the sandbox's store is not open")
    return _store
