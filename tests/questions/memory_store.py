"""A store of a few rows for the tests of questions: the same tables and macros, without journal and loader."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import msgspec

from tellback.server.schema import COLUMNS

MACROS = """
CREATE MACRO week_of(day) AS CAST(date_trunc('week', day) AS DATE);
CREATE MACRO month_of(day) AS CAST(date_trunc('month', day) AS DATE);
CREATE MACRO hour_of(time) AS time - ((time % 3600000000000) + 3600000000000) % 3600000000000;
CREATE MACRO each_line(text) AS unnest(string_split(text, chr(10)));
"""


@dataclass
class Rows:
    columns: list[str]
    rows: list[tuple[Any, ...]]


def ns(text: str) -> int:
    """`2026-11-01` or `2026-11-01T10:00:00`, both UTC."""
    moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
    return int(moment.timestamp()) * 10**9


class MemoryStore:
    def __init__(self, zone: str = "UTC") -> None:
        self.zone = zone
        self.gaps = 0
        self.now = ns("2026-12-01")
        self.connection = duckdb.connect()
        columns = ", ".join(f'"{name}" {type_}' for name, type_ in COLUMNS.items())
        self.connection.execute(f"CREATE TABLE records ({columns})")
        self.connection.execute('CREATE TABLE people ("user" VARCHAR, team VARCHAR, name VARCHAR, extra JSON)')
        self.connection.execute("CREATE TABLE ledger (project VARCHAR, reason VARCHAR, records BIGINT)")
        self.connection.execute(
            "CREATE TABLE quarantine (received BIGINT, project VARCHAR, wire VARCHAR, line BIGINT, reason VARCHAR,"
            " sample VARCHAR)"
        )
        self.connection.execute(MACROS)
        self.lock = threading.Lock()
        self.offset = 0

    def query(self, sql: str, params: Mapping[str, object]) -> Rows:
        with self.lock:
            cursor = self.connection.cursor()
        cursor.execute(sql, dict(params))
        return Rows([column[0] for column in cursor.description or []], cursor.fetchall())

    def through(self) -> int:
        return self.now

    def missing(self, project: str | None = None) -> int:
        return self.gaps

    def clear(self) -> None:
        for table in ("records", "people", "ledger", "quarantine"):
            self.connection.execute(f"DELETE FROM {table}")

    def add(self, *records: Mapping[str, Any]) -> None:
        """`time` as ns or as for `ns`; everything else has a default."""
        rows = []
        for record in records:
            self.offset += 100
            row: dict[str, Any] = {
                "project": "1", "kind": "event", "segment": "a" * 32, "offset": self.offset, "received": 0,
                **record,
            }  # fmt: skip
            if isinstance(row["time"], str):
                row["time"] = ns(row["time"])
            row["day"] = datetime.fromtimestamp(row["time"] // 10**9, ZoneInfo(self.zone)).date()
            if row.get("attrs") is not None:
                row["attrs"] = msgspec.json.encode(row["attrs"]).decode()
            rows.append([row.get(name) for name in COLUMNS])
        marks = ", ".join("?" * len(COLUMNS))
        if rows:
            self.connection.executemany(f"INSERT INTO records VALUES ({marks})", rows)

    def people(self, pairs: Iterable[tuple[str, str | None]]) -> None:
        rows = [[user, team, None, None] for user, team in pairs]
        if rows:
            self.connection.executemany("INSERT INTO people VALUES (?, ?, ?, ?)", rows)
