"""Group commit: batches are written by one thread, synced together, then acknowledged.

One thread, because the disk takes one sync at a time anyway and because a file then needs no lock. What arrives while a
sync runs is the next group, so the harder the load, the fewer syncs a batch costs.

After a failed write or fdatasync the kernel may have dropped the pages and report success next time, so that
descriptor is never synced again: its requests fail, the file is cut at its last durable length and a new one is begun.
Batches that were decoded meanwhile may count on what has just been lost (as duplicates of it), so they fail as well,
until the event loop has undone the claims.
"""

import asyncio
import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from tellback.server.intake.contract import Batch, Unavailable
from tellback.server.journal.disk import Disk
from tellback.server.journal.format import SUFFIX, Closed, Mark, read, written

log = logging.getLogger("tellback.server.journal")

ROTATE = 16 << 20
"""Bytes at which a file is closed though nobody asked for it."""

GROUP = 32 << 20
"""Bytes that are synced together at most."""

_HEAL_SECONDS = 1.0


class JournalFailed(Unavailable):
    """The batch is not durable, and never will be."""


class _Waiting(NamedTuple):
    batch: Batch
    data: bytes
    mark: Mark
    future: asyncio.Future[None]


class Journal:
    """`append` and `close` belong to the event loop that made the journal; `take` and `done` to the loader's thread."""

    def __init__(
        self,
        folder: Path,
        *,
        settled: Callable[[Sequence[Batch]], None] = lambda batches: None,
        undone: Callable[[Sequence[Batch]], None] = lambda batches: None,
        disk: Disk | None = None,
    ) -> None:
        """`settled` and `undone` are called in the event loop: these batches are durable, these never will be."""
        self.folder = folder
        self.backlog = 0
        """Bytes appended and not yet loaded."""
        self._settled, self._undone = settled, undone
        self._disk = disk or Disk()
        self._loop = asyncio.get_running_loop()
        self._wake = threading.Condition()
        self._queue: list[_Waiting] = []
        self._closed: list[Closed] = []
        self._loading: list[Closed] = []
        self._rotate = self._stop = False
        self._failed: OSError | None = None
        self._number = max((int(p.stem) for p in folder.glob(f"*{SUFFIX}")), default=0)
        self._current: Closed | None = None
        self._descriptor = -1
        self._recover()
        self._thread = threading.Thread(target=self._run, name="tellback-journal", daemon=True)
        self._thread.start()

    # The event loop's side

    @property
    def failed(self) -> OSError | None:
        """Why nothing can be appended just now; None when all is well."""
        return self._failed

    def append(self, batch: Batch) -> asyncio.Future[None]:
        """Done when an fdatasync that covers the batch has ended; `JournalFailed` when there will be none."""
        data, mark = written(batch)
        future = self._loop.create_future()
        with self._wake:
            if self._failed or self._stop:
                raise JournalFailed(str(self._failed or "it is stopping"))
            self._queue.append(_Waiting(batch, data, mark, future))
            self.backlog += len(data)
            self._wake.notify_all()
        return future

    def waiting(self) -> list[Closed]:
        """The files that an earlier process left and the loader has not taken."""
        with self._wake:
            return list(self._closed)

    def close(self) -> None:
        """Write and sync what was appended, then stop. What is not loaded stays for the next start."""
        with self._wake:
            self._stop = True
            self._wake.notify_all()
        self._thread.join()

    # The loader's side

    def take(self, timeout: float) -> list[Closed]:
        """The files closed since the last call, the current one among them; [] when `timeout` s brought nothing."""
        with self._wake:
            self._wake.wait_for(lambda: self._closed or self._open() or self._stop, timeout)
            if not self._closed and self._open() and not self._stop:
                self._rotate = True
                self._wake.notify_all()
                self._wake.wait_for(lambda: not self._rotate or self._stop, timeout)
            files, self._closed = self._closed, []
            self._loading += files
            return files

    def done(self, files: Sequence[Closed]) -> None:
        """These are visible."""
        with self._wake:
            for file in files:
                self._loading.remove(file)
                self.backlog -= file.size

    def again(self, files: Sequence[Closed]) -> None:
        """Those of these that are not `done` come back with the next `take`."""
        with self._wake:
            back = [file for file in files if file in self._loading]
            for file in back:
                self._loading.remove(file)
            self._closed[:0] = back

    def oldest(self) -> int | None:
        """When the first batch that is not yet visible was acknowledged, ns since epoch; None when all are visible."""
        with self._wake:
            files = [*self._loading, *self._closed]
            if self._current is not None and self._current.marks:
                files.append(self._current)
            return min((file.first for file in files), default=None)

    def _open(self) -> bool:
        """Whether the current file holds anything acknowledged."""
        return self._current is not None and bool(self._current.marks)

    # The writing thread

    def _recover(self) -> None:
        """What an earlier process left: torn tails are cut, whole batches wait for the loader."""
        for path in sorted(self.folder.glob(f"*{SUFFIX}"), key=lambda p: int(p.stem)):
            file = read(path)
            if not file.marks:
                path.unlink()
                continue
            if file.size < path.stat().st_size:
                log.warning("%s: cut %d bytes that were never acknowledged", path, path.stat().st_size - file.size)
                self._disk.cut(path, file.size)
            self._closed.append(file)
            self.backlog += file.size

    def _run(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._queue or self._rotate or self._stop)
                group = self._next_group()
                if not group:
                    self._finish()
                    self._rotate = False
                    self._wake.notify_all()
                    if self._stop and not self._queue:
                        return
                    continue
            try:
                self._commit(group)
            except OSError as error:
                self._fail(group, error)

    def _next_group(self) -> list[_Waiting]:
        if self._rotate:
            return []
        size = count = 0
        for waiting in self._queue:
            if count and size + len(waiting.data) > GROUP:
                break
            size += len(waiting.data)
            count += 1
        group, self._queue = self._queue[:count], self._queue[count:]
        return group

    def _commit(self, group: list[_Waiting]) -> None:
        if self._current is None:
            self._number += 1
            path = self.folder / f"{self._number:012d}{SUFFIX}"
            self._descriptor = self._disk.create(path)
            self._current = Closed(path, 0, 0)
        data = b"".join(waiting.data for waiting in group) if len(group) > 1 else group[0].data
        self._disk.write(self._descriptor, data)
        self._disk.sync(self._descriptor)
        with self._wake:
            current = self._current
            current.first = current.first or time.time_ns()
            current.size += len(data)
            current.marks += [(waiting.mark, waiting.batch.rejects) for waiting in group]
            if current.size >= ROTATE:
                self._finish()
            self._wake.notify_all()
        self._loop.call_soon_threadsafe(self._acknowledge, group)

    def _finish(self) -> None:
        """The current file, if there is one, is closed and immutable from here on."""
        if self._current is None:
            return
        os.close(self._descriptor)
        if self._current.marks:
            self._closed.append(self._current)
        else:
            self._current.path.unlink(missing_ok=True)
        self._current, self._descriptor = None, -1

    def _fail(self, group: list[_Waiting], error: OSError) -> None:
        log.error("the journal cannot be written: %s; requests are refused, their senders will come again", error)
        with self._wake:
            self._failed = error
            group, self._queue = group + self._queue, []
            self.backlog -= sum(len(waiting.data) for waiting in group)
        # Until the tail is gone for certain nothing is accepted: a crash could bring it back beside its re-send.
        while not self._cut():
            self._loop.call_soon_threadsafe(self._give_up, group, error, False)
            group = []
            with self._wake:
                if self._wake.wait_for(lambda: self._stop, _HEAL_SECONDS):
                    break
        with self._wake:
            self._finish()
            self._wake.notify_all()
        self._loop.call_soon_threadsafe(self._give_up, group, error, True)

    def _cut(self) -> bool:
        try:
            if self._current is not None:
                self._disk.cut(self._current.path, self._current.size)
        except OSError as error:
            log.error("the journal's tail cannot be cut: %s; trying again", error)
            return False
        return True

    # In the event loop, on behalf of the writing thread

    def _acknowledge(self, group: list[_Waiting]) -> None:
        self._settled([waiting.batch for waiting in group])
        for waiting in group:
            if not waiting.future.done():  # its client may have gone
                waiting.future.set_result(None)

    def _give_up(self, group: list[_Waiting], error: OSError, healed: bool) -> None:
        self._undone([waiting.batch for waiting in group])
        for waiting in group:
            if not waiting.future.done():
                waiting.future.set_exception(JournalFailed(str(error)))
        if healed:
            self._failed = None
