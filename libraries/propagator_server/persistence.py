"""The rows in SQLite: what a propagator knew is there again after it was killed.

Each change is written when it is made. A crash of the process loses nothing that was answered for; what was going on
then has ended, and `interrupted` says so of it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable, Iterator, MutableMapping
from dataclasses import asdict, fields
from datetime import datetime
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, get_args, get_origin, get_type_hints

from .clock import now
from .records import Action, ActionStatus, Checkpoint, Cluster, Policy
from .store import Store

Row = TypeVar("Row")
Value = TypeVar("Value")
KINDS: dict[str, type[Any]] = {"cluster": Cluster, "action": Action, "checkpoint": Checkpoint, "policy": Policy}
INTERRUPTED = "the propagator was stopped while this went on"
_SCHEMA = """
CREATE TABLE IF NOT EXISTS entry (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, id TEXT NOT NULL, value TEXT NOT NULL,
    UNIQUE (kind, id)
)
"""


class Database:
    """Values as JSON by kind and id, in the order in which they came. `file` None: in memory.

    The file has what pods' specs have in it (environment variables, say): 0600. One propagator has it at a time;
    another one waits for `patience` seconds. Raises sqlite3.Error, OSError.
    """

    def __init__(self, file: Path | None, *, patience: float = 5.0) -> None:
        if file:
            os.close(os.open(file, os.O_CREAT | os.O_RDWR, 0o600))
            file.chmod(0o600)
        self._connection = sqlite3.connect(str(file) if file else ":memory:", isolation_level=None, timeout=patience)
        self._connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.execute(_SCHEMA)

    def put(self, kind: str, id_: str, value: Any) -> None:
        """Writes a value, in the place of one that is there."""
        self._connection.execute(
            "INSERT INTO entry (kind, id, value) VALUES (?, ?, ?)"
            " ON CONFLICT (kind, id) DO UPDATE SET value = excluded.value",
            (kind, id_, json.dumps(value, default=_plain)),
        )

    def remove(self, kind: str, id_: str) -> None:
        """Removes a value."""
        self._connection.execute("DELETE FROM entry WHERE kind = ? AND id = ?", (kind, id_))

    def read(self, kind: str) -> list[tuple[str, Any]]:
        """Ids and values of a kind."""
        found = self._connection.execute("SELECT id, value FROM entry WHERE kind = ? ORDER BY number", (kind,))
        return [(id_, json.loads(value)) for id_, value in found]

    def close(self) -> None:
        """Closes it."""
        self._connection.close()


class Kept(MutableMapping[str, Value], Generic[Value]):
    """A dictionary that is kept in a database."""

    def __init__(
        self, database: Database, kind: str, to_json: Callable[[Value], Any], from_json: Callable[[Any], Value]
    ) -> None:
        self._database, self._kind, self._to_json = database, kind, to_json
        self._values = {id_: from_json(value) for id_, value in database.read(kind)}

    def __getitem__(self, key: str) -> Value:
        return self._values[key]

    def __setitem__(self, key: str, value: Value) -> None:
        self._database.put(self._kind, key, self._to_json(value))
        self._values[key] = value

    def __delitem__(self, key: str) -> None:
        del self._values[key]
        self._database.remove(self._kind, key)

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)


def kept_store(database: Database) -> Store:
    """A store with the rows of a database, which follows each change of it from now on."""
    store = Store()
    for kind, cls in KINDS.items():
        for _, value in database.read(kind):
            store.load(_row(cls, value))
    names = {cls: kind for kind, cls in KINDS.items()}

    def changed(old: Any, new: Any) -> None:
        kind = names[type(old if new is None else new)]
        if new is None:
            database.remove(kind, old.id)
        else:
            database.put(kind, new.id, asdict(new))

    store.observe(changed)
    return store


def interrupted(store: Store) -> list[Action]:
    """Ends every action that was going on when the propagator before this one ended; which they were."""
    found = [action for action in store.actions() if not action.ended]
    for action in found:
        store.change_action(action.id, status=ActionStatus.ERROR, error=INTERRUPTED, completed=now())
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{value!r} cannot be kept")


def _row(cls: type[Row], value: dict[str, Any]) -> Row:
    hints = get_type_hints(cls)
    known = {field.name for field in fields(cls)}  # type: ignore[arg-type]
    return cls(**{name: _typed(hints[name], each) for name, each in value.items() if name in known})


def _typed(kind: Any, value: Any) -> Any:
    if isinstance(kind, UnionType):
        kind = next(each for each in get_args(kind) if each is not NoneType)
    if value is None:
        return None
    if kind is datetime:
        return datetime.fromisoformat(value)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind(value)
    return tuple(value) if get_origin(kind) is tuple else value
