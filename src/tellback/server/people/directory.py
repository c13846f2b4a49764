"""The directory as it is kept, and how it gets into the store, where questions join it to records."""

import threading
from typing import Protocol

import msgspec
from sqlalchemy import delete, insert, select

from tellback.server.decisions import Decisions
from tellback.server.decisions.tables import Person as Row
from tellback.server.people import table
from tellback.server.people.table import BadLine, Person


class Report(msgspec.Struct, frozen=True):
    imported: int
    bad: list[BadLine]


class PeopleStore(Protocol):
    def replace_people(self, rows: list[tuple[str, str | None, str | None, str]]) -> None:
        """user, team, name, extra (a JSON object), the whole table in one transaction."""


def import_csv(decisions: Decisions, raw: bytes) -> Report:
    """Replaces the whole directory by the good lines of `raw` in one transaction.

    table.FileError when nothing in the file can be used; then nothing has changed.
    """
    read = table.read(raw)
    rows = [
        {"user": p.user, "team": p.team, "name": p.name, "extra": msgspec.json.encode(p.extra).decode()}
        for p in read.people
    ]
    with decisions.begin() as session:
        session.execute(delete(Row))
        session.execute(insert(Row), rows)
    return Report(len(rows), read.bad)


def people(decisions: Decisions) -> list[Person]:
    with decisions.read() as session:
        rows = session.scalars(select(Row).order_by(Row.team.is_(None), Row.team, Row.user)).all()
    return [Person(row.user, row.team, row.name, msgspec.json.decode(row.extra, type=dict[str, str])) for row in rows]


class Sync:
    """Keeps the store's table of people like the directory. Call it a few times a second; it is nearly free.

    The first call always writes, so that a store that was away catches up.
    """

    def __init__(self, decisions: Decisions, store: PeopleStore) -> None:
        self._decisions, self._store = decisions, store
        self._version: int | None = None
        self._written: list[tuple[str, str | None, str | None, str]] | None = None
        self._turn = threading.Lock()

    def __call__(self) -> bool:
        """True when the store was written to. May be called from any thread."""
        with self._turn:
            return self._catch_up()

    def _catch_up(self) -> bool:
        version = self._decisions.version()
        if version == self._version:
            return False
        with self._decisions.read() as session:
            found = session.execute(select(Row.user, Row.team, Row.name, Row.extra).order_by(Row.user)).all()
        rows = [(user, team, name, extra) for user, team, name, extra in found]
        wrote = rows != self._written
        if wrote:
            self._store.replace_people(rows)
            self._written = rows
        self._version = version
        return wrote
