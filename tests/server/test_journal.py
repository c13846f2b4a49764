"""The journal: durable before it is acknowledged, whole or not at all, honest when the disk is not."""

import asyncio
import contextlib
import errno
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tellback.server.intake.contract import Batch
from tellback.server.journal import Journal, JournalFailed
from tellback.server.journal.disk import Disk
from tellback.server.journal.format import read, written
from tests.server.running import Running, rows


def batch(name: str, count: int = 2) -> Batch:
    made = Batch("1", "t", "records", 1, lines=[b'{"time":1,"name":"%b"}\n' % name.encode()] * count)
    made.reject(1, "why", b"what")
    return made


def names(folder: Path) -> list[str]:
    """What a new start would find, in order."""
    found = []
    for path in sorted(folder.glob("*.ndjson")):
        closed = read(path)
        data = path.read_bytes()[: closed.size]
        found += [line.split(b'"')[-2].decode() for line in data.splitlines() if line.startswith(b'{"time"')]
    return found


@contextlib.asynccontextmanager
async def journal(folder: Path, disk: Disk | None = None, **hooks: Any) -> AsyncIterator[Journal]:
    folder.mkdir(exist_ok=True)
    made = Journal(folder, disk=disk, **hooks)
    try:
        yield made
    finally:
        await asyncio.to_thread(made.close)


async def append(journal: Journal, batch: Batch) -> None:
    await journal.append(batch)


class Recording(Disk):
    """What is asked of the disk, in order; `fail` names the calls that fail next."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.fail: list[str] = []
        self.written = b""

    def _call(self, name: str) -> None:
        self.calls.append(name)
        if name in self.fail:
            self.fail.remove(name)
            raise OSError(errno.EIO, f"{name} failed")

    def create(self, path: Path) -> int:
        self._call("create")
        return super().create(path)

    def write(self, descriptor: int, data: bytes) -> None:
        if "write" in self.fail:  # a disk that fills up takes a part first
            super().write(descriptor, data[: len(data) // 2])
        self._call("write")
        super().write(descriptor, data)

    def sync(self, descriptor: int) -> None:
        self._call("sync")
        super().sync(descriptor)

    def cut(self, path: Path, size: int) -> None:
        self._call("cut")
        super().cut(path, size)


def test_what_arrives_during_a_sync_is_the_next_group(tmp_path: Path) -> None:
    disk = Recording()

    async def main() -> None:
        async with journal(tmp_path / "j", disk) as made:
            await asyncio.gather(*(made.append(batch(str(n))) for n in range(50)))

    asyncio.run(main())
    assert names(tmp_path / "j") == [str(n) for n in range(50) for _ in range(2)]
    assert disk.calls.count("sync") < 50
    assert disk.calls.index("create") < disk.calls.index("write") < disk.calls.index("sync")


@pytest.mark.parametrize("failing", ["sync", "write", "create"])
def test_after_a_failure_requests_are_refused_the_file_is_cut_and_a_new_one_begun(tmp_path: Path, failing: str) -> None:
    disk, undone = Recording(), []

    async def main() -> None:
        async with journal(tmp_path / "j", disk, undone=lambda batches: undone.extend(batches)) as made:
            if failing != "create":
                await made.append(batch("kept"))
            disk.fail = [failing]
            lost = [batch("lost1"), batch("lost2")]
            results = await asyncio.gather(*(append(made, one) for one in lost), return_exceptions=True)
            assert all(isinstance(result, JournalFailed) for result in results)
            # The first may have failed before the second came, which then was not even queued.
            assert undone
            assert undone == lost[: len(undone)]
            while made.failed:
                await asyncio.sleep(0.01)
            await made.append(batch("after"))

    asyncio.run(main())
    assert names(tmp_path / "j") == (["kept", "kept"] if failing != "create" else []) + ["after", "after"]
    if failing != "create":
        assert len(list((tmp_path / "j").iterdir())) == 2
        at = len(disk.calls) - 1 - disk.calls[::-1].index("cut")
        assert disk.calls[at + 1] == "create", "the descriptor that failed is never used again"


def test_nothing_is_accepted_until_the_tail_is_gone_for_certain(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("tellback.server.journal.writer._HEAL_SECONDS", 0.05)
    disk = Recording()

    async def main() -> None:
        async with journal(tmp_path / "j", disk) as made:
            await made.append(batch("kept"))
            disk.fail = ["sync", "cut", "cut"]
            with pytest.raises(JournalFailed):
                await made.append(batch("lost"))
            with pytest.raises(JournalFailed):
                made.append(batch("refused"))
            while made.failed:
                await asyncio.sleep(0.01)
            await made.append(batch("after"))

    asyncio.run(main())
    assert names(tmp_path / "j") == ["kept", "kept", "after", "after"]
    assert disk.calls.count("cut") == 3


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=40)
@given(counts=st.lists(st.integers(0, 3), min_size=1, max_size=4), data=st.data())
def test_a_torn_tail_is_cut_and_what_was_whole_is_kept(
    tmp_path_factory: pytest.TempPathFactory, counts: Sequence[int], data: st.DataObject
) -> None:
    folder = tmp_path_factory.mktemp("torn")
    parts = [written(batch(str(n), count))[0] for n, count in enumerate(counts)]
    whole = b"".join(parts)
    torn = bytearray(whole[: data.draw(st.integers(0, len(whole)), "cut")])
    damage: Callable[[bytearray], None] = data.draw(st.sampled_from([lambda b: None, _flip, _zero]))
    intact = len(torn)
    if torn and damage in (_flip, _zero):
        damage(torn)
        intact = len(torn) - 1
    path = folder / "000000000001.ndjson"
    path.write_bytes(torn)
    sizes = [sum(map(len, parts[: n + 1])) for n in range(len(parts))]
    durable = max((size for size in sizes if size <= intact), default=0)
    assert read(path).size == durable

    async def main() -> list[int]:
        async with journal(folder) as made:
            await made.append(batch("new"))
            return [closed.size for closed in made.waiting()]

    assert asyncio.run(main()) == ([durable] if durable else [])
    assert (path.read_bytes() if durable else b"") == whole[:durable]


def _flip(data: bytearray) -> None:
    data[-1] ^= 1


def _zero(data: bytearray) -> None:
    data[-1] = 0


def test_a_taken_file_is_immutable_and_pending_until_it_is_done(tmp_path: Path) -> None:
    async def main() -> None:
        async with journal(tmp_path / "j") as made:
            assert made.oldest() is None
            await made.append(batch("a"))
            assert made.oldest() is not None
            [first] = await asyncio.to_thread(made.take, 5)
            await made.append(batch("b"))
            [second] = await asyncio.to_thread(made.take, 5)
            assert (first.records, second.records, first.path != second.path) == (2, 2, True)
            made.done([first])
            assert made.oldest() == second.first
            made.again([second])
            assert await asyncio.to_thread(made.take, 5) == [second]
            made.done([second])
            assert (made.oldest(), made.backlog) == (None, 0)
            assert await asyncio.to_thread(made.take, 0.01) == []

    asyncio.run(main())


@pytest.mark.linux
@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="needs Linux and root to mount a tmpfs")
def test_a_full_disk_refuses_in_words_and_recovers(tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(small)], capture_output=True)
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a tmpfs: {mounted.stderr.decode().strip()}")
    try:
        ballast = small / "ballast"
        with Running(small / "data") as server:
            assert server.post(b'{"name":"first"}').status == 202
            with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
                while True:
                    file.write(b"x" * 4096)
            reply = server.post(b'{"name":"lost","message":"%b"}' % (b"x" * 100_000))
            assert reply.status == 503
            assert reply.headers["retry-after"]
            assert "space" in reply.json()["error"]["message"]
            ballast.unlink()
            while (reply := server.post(b'{"name":"after"}')).status == 503:
                pass
            assert reply.status == 202
            assert server.stop() == 0
        assert sorted(rows(small / "data", "SELECT name FROM records")) == [("after",), ("first",)]
    finally:
        subprocess.run(["umount", str(small)], check=True)
        shutil.rmtree(small, ignore_errors=True)
