"""Journal files made by hand, and a loader as a start of the server has it."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tellback.server.intake.contract import Batch
from tellback.server.journal import Closed, Journal
from tellback.server.journal.format import read, written
from tellback.server.store import Loader, Store
from tests.server.running import until


def line(**fields: object) -> bytes:
    full = {"time": 1, "kind": "event", "project": "1", "segment": "s", "offset": 0, "received": 1, **fields}
    return msgspec.json.encode(full) + b"\n"


def batch(lines: Sequence[bytes], **more: Any) -> Batch:
    return Batch("1", "t", "records", 5, lines=list(lines), **more)


def closed(folder: Path, number: int, *batches: Batch) -> Closed:
    path = folder / "journal" / f"{number:012d}.ndjson"
    path.write_bytes(b"".join(written(one)[0] for one in batches))
    return read(path)


def ledger(store: Store) -> dict[str, int]:
    return dict(store.query("SELECT reason, records FROM ledger WHERE project = '1'").rows)


def loader(folder: Path, store: Store) -> tuple[Loader, Journal]:
    journal = Journal(folder / "journal")
    return Loader(store, journal, folder / "loading.json"), journal


async def run_loader(folder: Path, store: Store) -> None:
    """As a start of the server does, until all is visible, then an orderly end."""
    made, journal = loader(folder, store)
    made.start()
    await asyncio.to_thread(until, lambda: journal.oldest() is None)
    await asyncio.to_thread(journal.close)
    await asyncio.to_thread(made.stop)
