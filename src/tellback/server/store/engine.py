"""The store's file and everyone's way to it: one cursor per question, one writer at a time."""

import asyncio
import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from tellback.server.intake.seen import DIGEST_NS
from tellback.server.journal import Closed
from tellback.server.journal.disk import Disk
from tellback.server.store import load as loading
from tellback.server.store.tables import MACROS, MERGE_SEGMENTS, MISSING, TABLES, VERSION
from tellback.server.store.zone import is_zone, machine_zone

QUARANTINE_ROWS = 100_000
"""Rejected lines that are kept to be looked at; the ledger counts all of them."""

_WORKERS = 4
_MERGE_ROWS = 10_000


class Result(NamedTuple):
    """What a question gives: the columns' names, and rows as tuples."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


class QueryTimeout(Exception):  # noqa: N818 - reads as what happened
    """The query took longer than it was given, and was stopped."""


class Store:
    """`query` and `through` may be called from any thread; writing is serialized here."""

    def __init__(
        self, path: Path, *, zone: str | None = None, threads: int | None = None, memory: str | None = None
    ) -> None:
        """Opens or makes the file. `zone` (IANA) is fixed by the first opening. Raises ValueError when another is
        asked for later, when it is no zone, and when the file cannot be opened."""
        if zone is not None and not is_zone(zone):
            raise ValueError(f"{zone!r} is no time zone: give an IANA name such as Europe/Berlin")
        self.path = path
        self._config: dict[str, Any] = {
            "checkpoint_threshold": "256MB",
            "memory_limit": memory or _memory(),
            "threads": threads or min(os.cpu_count() or 1, 4),
            # Nothing is fetched from anywhere while a question runs.
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        self._writing = threading.RLock()
        self._pool = ThreadPoolExecutor(_WORKERS, "tellback-query")
        self._merged = 0
        self._loads = 0
        self._gaps: dict[str | None, tuple[int, int]] = {}
        self.pending: Callable[[], int | None] = lambda: None
        """When the oldest batch that is acknowledged and not yet visible was acknowledged; the loader sets it."""
        self._connection = self._connect()
        # The journal's files go once this one has what they have, so its name must be as durable as they are.
        Disk().sync_folder(self.path.parent)
        self.zone = self._settle_zone(zone)
        self._forget_unlinked()

    def _connect(self) -> duckdb.DuckDBPyConnection:
        try:
            connection = duckdb.connect(str(self.path), config=self._config)
        except duckdb.Error as error:
            raise ValueError(f"{self.path} cannot be opened: {error}; what is in the journal is safe") from None
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(TABLES)
        connection.execute(MACROS)
        return connection

    def _settle_zone(self, asked: str | None) -> str:
        known = dict(self.query("SELECT key, value FROM meta").rows)
        if known.get("version", VERSION) != VERSION:
            raise ValueError(f"{self.path} was written by another version of Tellback ({known['version']})")
        if "zone" not in known:
            known["zone"] = asked or machine_zone()
            self._connection.execute(
                "INSERT INTO meta VALUES ('zone', $zone), ('version', $version)",
                {"zone": known["zone"], "version": VERSION},
            )
        elif asked is not None and asked != known["zone"]:
            raise ValueError(
                f"this installation reports in {known['zone']}, fixed when it first started; it cannot become {asked}"
            )
        return str(known["zone"])

    # Questions

    def query(self, sql: str, params: Mapping[str, object] | None = None, timeout: float | None = None) -> Result:
        """Run one statement on a cursor of its own. Raises duckdb.Error, `QueryTimeout` after `timeout` s."""
        cursor = self._connection.cursor()
        if timeout is None:
            return _run(cursor, sql, params)
        late = threading.Event()

        def stop() -> None:
            late.set()
            cursor.interrupt()

        timer = threading.Timer(timeout, stop)
        timer.daemon = True
        timer.start()
        try:
            return _run(cursor, sql, params)
        except duckdb.InterruptException:
            if late.is_set():
                raise QueryTimeout(f"stopped after {timeout} s") from None
            raise
        finally:
            timer.cancel()

    async def ask(self, sql: str, params: Mapping[str, object] | None = None, timeout: float | None = None) -> Result:
        """`query` on a small pool of threads; cancelling the task stops the query."""
        loop = asyncio.get_running_loop()
        cursor = self._connection.cursor()
        given_up = threading.Event()

        def run() -> Result:
            if given_up.is_set():
                raise QueryTimeout("given up before it began")
            return _run(cursor, sql, params)

        future = loop.run_in_executor(self._pool, run)
        try:
            async with asyncio.timeout(timeout):
                return await asyncio.shield(future)
        except (asyncio.CancelledError, TimeoutError) as error:
            given_up.set()
            # An interrupt that comes before the statement has begun is lost, so it is repeated until the query ends.
            while not future.done():
                with contextlib.suppress(duckdb.ConnectionException):  # it has just ended, and its thread closed it
                    cursor.interrupt()
                await asyncio.wait([future], timeout=0.02)
            future.exception()  # looked at, so that nothing warns of it
            if isinstance(error, TimeoutError):
                raise QueryTimeout(f"stopped after {timeout} s") from None
            raise

    def through(self) -> int:
        """ns since epoch until which all that was acknowledged is visible. Ask before the query it is said of."""
        now = time.time_ns()
        oldest = self.pending()
        return now if oldest is None else min(now, oldest - 1)

    def missing(self, project: str | None = None) -> int:
        """Gaps in segments: bytes that a client has written and that have not come, or not yet. None: all projects.

        Every answer says it, and only a load changes it: counted once for each load, not for each question.
        """
        loads = self._loads
        known = self._gaps.get(project)
        if known is not None and known[0] == loads:
            return known[1]
        found = int(self.query(MISSING, {"project": project}).rows[0][0])
        # Under the number of loads from before the query: what a load changed meanwhile is counted anew.
        self._gaps[project] = (loads, found)
        return found

    def counts(self) -> list[tuple[str, int]]:
        """(reason, records) of the ledger, over all projects."""
        return [
            (str(reason), int(records))
            for reason, records in self.query("SELECT reason, sum(records) FROM ledger GROUP BY reason").rows
        ]

    # What the journal and intake need at start

    def ranges(self) -> Iterable[tuple[Any, ...]]:
        """(project, segment, first, last) of everything accepted and loaded."""
        return self.query("SELECT * FROM segments").rows

    def digests(self) -> Iterable[tuple[Any, ...]]:
        """(project, digest, received) of the last hour."""
        return self.query("SELECT * FROM digests WHERE received > $since", {"since": time.time_ns() - DIGEST_NS}).rows

    def loaded(self) -> set[str]:
        """Names of journal files whose records are visible."""
        return {name for (name,) in self.query("SELECT name FROM loaded").rows}

    def _forget_unlinked(self) -> None:
        """Their names may come again, so they must be gone before a journal is opened."""
        journal = self.path.parent / "journal"
        gone = [name for name in self.loaded() if not (journal / name).exists()]
        if gone:
            # A server was killed between unlinking them and syncing: after a power cut they would come back, and be
            # loaded again if their names were forgotten.
            Disk().sync_folder(journal)
        self.forget(gone)

    # Writing

    def load(
        self,
        files: Sequence[Closed],
        instead: Mapping[str, Path] | None = None,
        culprits: Sequence[loading.Culprit] = (),
    ) -> None:
        """Make journal files visible, all or none. Raises duckdb.Error or `load.Unloadable`; then nothing changed."""
        with self._writing:
            loading.load(self._connection.cursor(), files, self.zone, instead, culprits)
            self._loads += 1

    def forget(self, names: Sequence[str]) -> None:
        """These files are durably unlinked and cannot come back."""
        if not names:
            return
        with self._writing:
            self._connection.cursor().execute(
                "DELETE FROM loaded WHERE name IN (SELECT unnest($n))", {"n": list(names)}
            )

    def checkpoint(self) -> bool:
        """Everything into the file proper. False when running queries do not let it; then try again later."""
        with self._writing:
            cursor = self._connection.cursor()
            self._tidy(cursor)
            try:
                cursor.execute("CHECKPOINT")
            except duckdb.FatalException:
                raise
            except duckdb.Error:
                return False
            return True

    def _tidy(self, cursor: duckdb.DuckDBPyConnection) -> None:
        rows = (cursor.execute("SELECT count(*) FROM segments").fetchone() or (0,))[0]
        # Merging rewrites the table: done when it has doubled, it costs a constant per load.
        if rows > 2 * self._merged + _MERGE_ROWS:
            self._transaction(cursor, MERGE_SEGMENTS)
            self._merged = (cursor.execute("SELECT count(*) FROM segments").fetchone() or (0,))[0]
        cursor.execute("DELETE FROM digests WHERE received < $since", {"since": time.time_ns() - DIGEST_NS})
        cursor.execute(
            "DELETE FROM quarantine WHERE received < "
            f"(SELECT received FROM quarantine ORDER BY received DESC LIMIT 1 OFFSET {QUARANTINE_ROWS})"
        )

    def replace_people(self, people: Sequence[tuple[str, str | None, str | None, object]]) -> None:
        """The whole directory: (user, team, name, extra), extra as JSON text or what JSON can hold."""
        rows = [
            (user, team, name, extra if isinstance(extra, str) or extra is None else json.dumps(extra))
            for user, team, name, extra in people
        ]
        with self._writing:
            cursor = self._connection.cursor()
            columns = [list(column) for column in zip(*rows, strict=True)] if rows else [[], [], [], []]
            cursor.execute("BEGIN")
            try:
                cursor.execute("DELETE FROM people")
                cursor.execute(
                    "INSERT INTO people SELECT unnest($c0::VARCHAR[]), unnest($c1::VARCHAR[]), unnest($c2::VARCHAR[]), "
                    "unnest($c3::VARCHAR[])",
                    {f"c{n}": column for n, column in enumerate(columns)},
                )
                cursor.execute("COMMIT")
            except BaseException:
                cursor.execute("ROLLBACK")
                raise

    def _transaction(self, cursor: duckdb.DuckDBPyConnection, sql: str) -> None:
        cursor.execute("BEGIN")
        try:
            cursor.execute(sql)
            cursor.execute("COMMIT")
        except BaseException:
            cursor.execute("ROLLBACK")
            raise

    def reopen(self) -> None:
        """After a fatal error the engine answers nothing until its file is opened anew."""
        with self._writing:
            self._connection.close()
            self._connection = self._connect()

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        with self._writing:
            self._connection.close()


def _run(cursor: duckdb.DuckDBPyConnection, sql: str, params: Mapping[str, object] | None) -> Result:
    try:
        cursor.execute(sql, dict(params) if params else None)
        return Result([column[0] for column in cursor.description or ()], cursor.fetchall())
    finally:
        cursor.close()


def _memory() -> str:
    """A quarter of the machine's memory: the server shares it with what it watches."""
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        total = 4 << 30
    return f"{max(total // 4 >> 20, 512)}MiB"
