"""From a closed journal file to visible records, in one transaction with everything that says so.

DuckDB reads the file itself; no record becomes a Python object. Whatever happens between BEGIN and COMMIT, after a
restart the file is either in `loaded` or has left no trace.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from tellback.server.intake.contract import SAMPLE
from tellback.server.journal import Closed
from tellback.server.schema import COLUMNS, JOURNAL_COLUMNS
from tellback.server.store.tables import QUOTED

_LINE_BUFFER = 8 << 20
"""Bytes of the longest line that the reader takes: twice what intake lets through."""

MOST_COUNTED = 2**60
"""Where a line of the ledger stands still. What clients say they dropped is a number that they chose: two of them shall
not overflow 64 bits, which would make this load fail, and every later one with it."""


class Unloadable(Exception):  # noqa: N818 - reads as what happened
    """The engine read another number of records than intake wrote."""


class Culprit(NamedTuple):
    """A line that intake accepted and the engine cannot load."""

    line: int
    """In the file, from 0."""
    project: str
    wire: str
    received: int
    reason: str
    sample: bytes


def rows(paths: Sequence[Path], zone: str) -> str:
    """SQL that reads journal files as rows of `records`."""
    files = ", ".join(_literal(str(path)) for path in paths)
    columns = ", ".join(f"{_literal(name)}: {_literal(type_)}" for name, type_ in JOURNAL_COLUMNS.items())
    day = f'CAST(timezone({_literal(zone)}, make_timestamptz("time" // 1000)) AS DATE)'
    chosen = ", ".join(f"{day} AS day" if name == "day" else f'"{name}"' for name in COLUMNS)
    return (
        f"SELECT {chosen} FROM read_json([{files}], format = 'newline_delimited', columns = {{{columns}}}, "
        f"compression = 'uncompressed', maximum_object_size = {_LINE_BUFFER}) "
        # The marks of batches have none of the columns.
        'WHERE "time" IS NOT NULL'
    )


def load(
    cursor: duckdb.DuckDBPyConnection,
    files: Sequence[Closed],
    zone: str,
    instead: Mapping[str, Path] | None = None,
    culprits: Sequence[Culprit] = (),
) -> None:
    """Load files whole, but for `culprits`; `instead` names copies without them. Raises duckdb.Error, `Unloadable`."""
    instead = instead or {}
    expected = sum(file.records for file in files) - len(culprits)
    cursor.execute("BEGIN")
    try:
        if expected:
            paths = [instead.get(file.name, file.path) for file in files]
            cursor.execute(f"INSERT INTO records ({QUOTED}) {rows(paths, zone)}")
            got = (cursor.fetchone() or (0,))[0]
            if got != expected:
                raise Unloadable(f"{got} of {expected} records in {', '.join(file.name for file in files)}")
        now = time.time_ns()
        _insert(cursor, "loaded", [(file.name, now) for file in files])
        _account(cursor, files, culprits)
        cursor.execute("COMMIT")
    except BaseException:
        _rollback(cursor)
        raise


def _account(cursor: duckdb.DuckDBPyConnection, files: Sequence[Closed], culprits: Sequence[Culprit]) -> None:
    counts: Counter[tuple[str, str]] = Counter()
    ranges: list[tuple[str, str, int, int]] = []
    digests: list[tuple[str, str, int]] = []
    refused: list[tuple[int, str, str, int, str, str]] = []
    for file in files:
        for mark, rejects in file.marks:
            counts[mark.project, "accepted"] += mark.records
            counts[mark.project, "duplicate"] += mark.duplicates
            counts[mark.project, "quarantined"] += mark.rejected
            for reason, number in mark.dropped.items():
                counts[mark.project, f"dropped:{reason}"] += number
            if mark.segment is not None:
                ranges.append((mark.project, mark.segment, mark.offset, mark.offset + mark.size))
            if mark.digest is not None and not mark.duplicates:
                digests.append((mark.project, mark.digest, mark.received))
            refused += [(mark.received, mark.project, mark.wire, r.line, r.reason, r.sample) for r in rejects]
    for culprit in culprits:
        counts[culprit.project, "accepted"] -= 1
        counts[culprit.project, "quarantined"] += 1
        sample = culprit.sample[:SAMPLE].decode("utf-8", "replace")
        refused.append((culprit.received, culprit.project, culprit.wire, culprit.line, culprit.reason, sample))
    _insert(cursor, "segments", ranges)
    _insert(cursor, "digests", digests)
    _insert(cursor, "quarantine", refused)
    ledger = [(project, reason, min(number, MOST_COUNTED)) for (project, reason), number in counts.items() if number]
    _insert(
        cursor, "ledger", ledger,
        f"ON CONFLICT DO UPDATE SET records = least(ledger.records + excluded.records, {MOST_COUNTED})",
    )  # fmt: skip


def _insert(cursor: duckdb.DuckDBPyConnection, table: str, values: Sequence[tuple[Any, ...]], more: str = "") -> None:
    """Rows by column: a statement per row would cost more than the load itself."""
    if not values:
        return
    columns = list(zip(*values, strict=True))
    types = ["BIGINT" if all(isinstance(value, int) for value in column) else "VARCHAR" for column in columns]
    chosen = ", ".join(f"unnest($c{n}::{type_}[])" for n, type_ in enumerate(types))
    cursor.execute(
        f"INSERT INTO {table} SELECT {chosen} {more}", {f"c{n}": list(column) for n, column in enumerate(columns)}
    )


def _rollback(cursor: duckdb.DuckDBPyConnection) -> None:
    try:
        cursor.execute("ROLLBACK")
    except duckdb.Error:  # the engine has already done so
        return


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
