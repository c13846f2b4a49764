"""When a file cannot be loaded: one bad line costs that line, and a fault elsewhere costs nothing."""

import asyncio
import json
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from tellback.server.journal import Closed, Mark
from tellback.server.journal.format import read
from tellback.server.store import Store, salvage
from tests.server.files import batch, closed, ledger, line, run_loader

# Culprits: intake lets none through, so they are put into a journal file by hand


def poisoned(folder: Path, number: int, lines: Sequence[bytes]) -> Closed:
    body = b"".join(lines)
    mark = Mark("1", "t", "records", 5, bytes=len(body), crc32=zlib.crc32(body), records=len(lines))
    path = folder / "journal" / f"{number:012d}.ndjson"
    path.write_bytes(body + b'{"batch":' + msgspec.json.encode(mark) + b"}\n")
    file = read(path)
    assert file.records == len(lines)
    return file


POISON = [
    line().replace(b'"time":1', b'"time":"abc"'),
    b'{"time":1,"name":"\xff"}\n',
    b'{"time":99999999999999999999}\n',
]


def test_one_bad_line_costs_that_line(folder: Path, store: Store) -> None:
    good = [line(name=f"n{n}") for n in range(20)]
    lines = [*good[:7], POISON[0], *good[7:9], POISON[1], *good[9:], POISON[2]]
    poisoned(folder, 1, lines)
    closed(folder, 2, batch([line(name="next")]))
    asyncio.run(run_loader(folder, store))
    assert store.query("SELECT count(*), count(DISTINCT name) FROM records").rows == [(21, 21)]
    assert ledger(store) == {"accepted": 21, "quarantined": 3}
    found = store.query("SELECT line, reason, sample FROM quarantine ORDER BY line").rows
    assert [number for number, _, _ in found] == [7, 10, 22]
    assert all("cannot load it" in reason for _, reason, _ in found)
    assert found[0][2].encode() == POISON[0]
    assert list((folder / "journal").iterdir()) == []


def test_a_line_that_kills_the_engine_is_found_by_halving() -> None:
    deadly = {3, 11}

    def judge(lines: Sequence[bytes]) -> dict[int, str] | None:
        numbers = [int(one) for one in lines]
        return None if deadly & set(numbers) else {at: "bad" for at, number in enumerate(numbers) if number == 5}

    found = salvage.survey([b"%d\n" % n for n in range(16)], judge)
    assert found == {3: "the engine dies while loading it", 5: "bad", 11: "the engine dies while loading it"}


def test_a_file_that_two_processes_died_of_is_looked_at_by_another(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = closed(folder, 1, batch([line(name="a"), line(name="deadly"), line(name="b")]))
    (folder / "journal" / "probe-left").mkdir()  # the second of them died while it looked
    (folder / "journal" / "000000000001.salvaged").write_bytes(b"")
    (folder / "loading.json").write_text(json.dumps({file.name: 2}))

    def judge(lines: Sequence[bytes], zone: str, folder: Path) -> dict[int, str] | None:
        return None if any(b"deadly" in one for one in lines) else {}

    monkeypatch.setattr(salvage, "_probe", judge)
    asyncio.run(run_loader(folder, store))
    assert store.query("SELECT name FROM records ORDER BY name").rows == [("a",), ("b",)]
    assert ledger(store) == {"accepted": 2, "quarantined": 1}
    assert not (folder / "loading.json").exists()
    assert list((folder / "journal").iterdir()) == []


def test_the_probe_is_a_process_that_finds_them(folder: Path) -> None:
    file = poisoned(folder, 1, [line(), POISON[0], line()])
    [culprit] = salvage.culprits(file, "UTC")
    assert (culprit.line, culprit.project, culprit.sample) == (1, "1", POISON[0])
    assert salvage.culprits(closed(folder, 2, batch([line()])), "UTC") == []


@pytest.mark.parametrize("error", [duckdb.IOException("no space left"), OSError("disk"), RuntimeError("unforeseen")])
def test_a_load_that_fails_for_another_reason_is_tried_again(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr("tellback.server.store.loader._RETRY_SECONDS", 0.01)
    closed(folder, 1, batch([line(name="a")]))
    real, failures = store.load, iter([True, True, False])

    def load(*arguments: Any) -> None:
        if next(failures, False):
            raise error
        real(*arguments)

    monkeypatch.setattr(store, "load", load)
    asyncio.run(run_loader(folder, store))
    assert ledger(store) == {"accepted": 1}
    assert store.query("SELECT count(*) FROM quarantine").rows == [(0,)]
