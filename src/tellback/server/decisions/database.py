"""Opens the database, brings its tables up to date, and notices what other processes change in it."""

import os
import threading
import time
from contextlib import AbstractContextManager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker
from sqlalchemy.pool import ConnectionPoolEntry

HEAD = "0001"
"""The newest migration; a test holds it to what Alembic finds."""

FILE = "decisions.sqlite"
_POLL = 0.25  # seconds
_READING = "tellback_reading"


class DatabaseError(Exception):
    """The database cannot be used; says what to do."""


class Decisions:
    """A database that is up to date. Safe to use from any thread."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._sessions = sessionmaker(engine, expire_on_commit=False)
        self._readers = sessionmaker(engine.execution_options(**{_READING: True}), expire_on_commit=False)
        self._watch = _Watch(engine)

    def begin(self) -> AbstractContextManager[Session]:
        """A session in a transaction, committed at the end of the block."""
        return self._sessions.begin()

    def read(self) -> AbstractContextManager[Session]:
        """The same for what only reads: it waits for no writer."""
        return self._readers.begin()

    def version(self, *, now: bool = False) -> int:
        """A number that changes within a quarter second of any commit, also one of another process; with `now` at once,
        where the database is SQLite (a few microseconds; others would be read whole each time)."""
        return self._watch.version(now)

    def close(self) -> None:
        self._watch.close()
        self.engine.dispose()


def open_decisions(folder: Path, url: str | None = None) -> Decisions:
    """The database of the data directory `folder`, or `url` (default `TELLBACK_DATABASE`), migrated to the newest form.

    DatabaseError when it was written by a newer Tellback or cannot be opened.
    """
    url = url if url is not None else os.environ.get("TELLBACK_DATABASE", "")
    path = folder / FILE
    try:
        target = make_url(url or f"sqlite:///{path}")
    except ArgumentError:
        raise DatabaseError("TELLBACK_DATABASE is no database address; one looks like postgresql://host/name") from None
    if not url:
        try:  # before SQLite makes it with the umask's mode: it holds who is who
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        except OSError as error:
            raise DatabaseError(f"{path} cannot be opened: {error.strerror}") from error
    try:
        engine = create_engine(target)
    except ModuleNotFoundError as error:
        raise DatabaseError(f"TELLBACK_DATABASE needs a driver that is not installed: {error.name}") from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _configure_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    try:
        _bring_up_to_date(engine)
        return Decisions(engine)
    except SQLAlchemyError as error:
        engine.dispose()
        raise DatabaseError(f"the database of decisions cannot be used: {error}") from error
    except BaseException:
        engine.dispose()
        raise


def _configure_sqlite(connection: object, _: ConnectionPoolEntry) -> None:
    # The driver's own transactions begin too late (at the first write), which makes two writers fail instead of wait.
    connection.isolation_level = None  # type: ignore[attr-defined]  # a sqlite3.Connection; the event says object
    cursor = connection.cursor()  # type: ignore[attr-defined]  # the same
    for pragma in ("busy_timeout = 10000", "journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reading = connection.get_execution_options().get(_READING, False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _bring_up_to_date(engine: Engine) -> None:
    if _stamp(engine) == HEAD:
        return  # Alembic takes longer to import than all the rest of this
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except CommandError as error:
            raise DatabaseError(
                f"the database of decisions has a form that this version does not know ({error}); "
                "it was written by a newer Tellback: install that version or restore a backup"
            ) from None


def _stamp(engine: Engine) -> str | None:
    with engine.execution_options(**{_READING: True}).begin() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


class _Watch:
    """Asks the database now and then whether it has changed.

    SQLite's `data_version` changes when another connection commits; the connection that asks never writes, so for it
    every commit is another's. Other databases have no such number: there every poll counts as a change.
    """

    def __init__(self, engine: Engine) -> None:
        self._sqlite = engine.dialect.name == "sqlite"
        self._lock = threading.Lock()
        self._connection = engine.raw_connection() if self._sqlite else None
        self._version = -1
        self._asked = float("-inf")

    def version(self, at_once: bool = False) -> int:
        with self._lock:
            now = time.monotonic()
            if now - self._asked >= _POLL or (at_once and self._sqlite):
                self._asked = now
                if self._connection is None:
                    self._version += 1
                else:
                    cursor = self._connection.cursor()
                    cursor.execute("PRAGMA data_version")
                    self._version = cursor.fetchone()[0]  # type: ignore[index]  # a pragma with a value has one row
                    cursor.close()
            return self._version

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
