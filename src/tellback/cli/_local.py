"""A data directory opened by the command itself. Needs `tellback[server]`."""

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tellback.cli._exit import USAGE, CommandError
from tellback.server.access import Access
from tellback.server.decisions import Decisions, open_decisions
from tellback.server.decisions.database import DatabaseError
from tellback.server.questions.contract import Store


@contextmanager
def decisions(data: Path | None) -> Iterator[Decisions]:
    """Also beside a running server, which notices within a second."""
    assert data is not None
    try:
        opened = open_decisions(data)
    except DatabaseError as error:
        raise CommandError(str(error)) from None
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def access(data: Path | None) -> Iterator[Access]:
    with decisions(data) as opened:
        yield Access(opened)


@contextmanager
def opened(data: Path) -> Iterator[Store]:
    """The store without a server, with everything in it that the journal had."""
    from tellback.server.app import Server, Settings
    from tellback.server.folder import DataFolder, FolderError, for_this_user_only
    from tellback.server.store import Store as Engine

    if not (data / "store.duckdb").exists():
        raise CommandError(
            f"{data} has no records; `tellback serve --data {data}` starts a server that takes some", USAGE
        )

    async def load_what_waits() -> None:
        server = Server(Settings(data))
        await server.open()
        await server.close()

    for_this_user_only()
    try:
        # A server that was killed leaves acknowledged records in its journal. Starting and stopping one loads them.
        asyncio.run(load_what_waits())
        with contextlib.closing(DataFolder(data)) as folder, contextlib.closing(Engine(folder.store)) as store:
            yield store
    except FolderError as error:
        raise CommandError(str(error)) from None
