"""The spool of this process: takes lines without waiting, and keeps them whatever happens to the process.

A line goes to the active segment. When that is full the next one, made ahead by the keeper, takes its place under a
lock. All else (a fork, the first record, no segment ready) also goes the careful way.
"""

import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol

from tellback.client import native, notice
from tellback.client.folder import ProcessFolder
from tellback.client.fork import Mark
from tellback.client.lost import Lost
from tellback.client.prefault import prefault
from tellback.client.segment import Segment, new_id, sync_folder

if TYPE_CHECKING:
    from threading import RLock

    from tellback.client.metrics.book import Book

FIRST: Final = 1 << 18
LARGEST: Final = 8 << 20
"""Segments grow fourfold from FIRST to LARGEST: a hundred small processes shall not eat the budget."""

_PATIENCE: Final = 1.0  # seconds before a disk that had no room is asked again


class Background(Protocol):
    """The threads that work for a spool. Told of things; never waited for."""

    def start(self) -> bool: ...  # False: not yet, ask again at the next record
    def rotated(self) -> None: ...
    def forked(self) -> None: ...


class Spool:
    """Made by `init`; `append` is all that a record needs."""

    append: Callable[[bytes], None]
    """`take`; while there are rules, what stands before it (`switch`). Never raises."""

    __slots__ = (
        "_header", "_locks", "_making", "_page", "_retry", "_start", "active", "append", "background", "book", "closed",
        "folder", "largest", "late_rotations", "lost", "over_budget", "own", "pid", "resting", "root", "rotations",
        "shelf",
        "spares", "write",
    )  # fmt: skip

    def __init__(self, root: Path, header: Callable[[int], bytes], background: Background) -> None:
        """Make this process's folder and its first segment. OSError if that cannot be done."""
        self.root = root
        self._header = header
        self.append = self.take
        self._locks: dict[int, RLock] = {}
        self._page = Mark().page
        self._retry = 0.0
        self._making = 0
        self.book: Book | None = None
        """What this process counts, from its first counter on."""
        self.closed = False
        self.resting = False
        """The process is ending: a record that still comes opens a folder anew."""
        self.background = background
        self.spares: deque[Segment] = deque()
        self.own: deque[Segment] = deque()
        """All segments of this process that hold lines, oldest first, the active one among them."""
        self.shelf = native.lock()
        """Held while a background thread reads or deletes a segment of `own`; never by a call of the host's."""
        self.lost = Lost()
        self.late_rotations = 0
        self.over_budget = False
        self.largest = LARGEST
        """Bytes of a segment at most; less where the disk is small."""
        self._open()

    def _open(self) -> None:
        self.pid = os.getpid()
        self._start = time.time_ns()
        self.rotations = 0
        self.folder = ProcessFolder.create(self.root, new_id(self._start))
        try:
            self.active = self._create(FIRST)
        except BaseException:
            self.folder.release()
            raise
        self.own.append(self.active)
        # The first record takes the careful way, which starts the threads: a process that never records has none.
        self.write: Callable[[bytes], object] = _unstarted

    def take(self, line: bytes) -> None:
        """Take one line, newline included. Never raises, and never waits on the usual path."""
        try:
            if self._page[0]:
                self.write(line)
                return
        except ValueError:  # full, sealed, closed, or the first record
            pass
        self.place(line)

    def place(self, line: bytes, *, counted: bool = True) -> bool:
        """The careful way of `take`; False if the line was dropped, which is then counted unless it comes again."""
        if self.closed:
            return False
        try:
            with self._lock():
                self.begin()
                for _ in range(64):  # other threads may fill what was just opened
                    try:
                        self.active.write(line)
                        return True
                    except ValueError:
                        if not self._rotate(self.active, len(line)):
                            break
        except Exception:  # Never in the way
            self.lost.add("error")
            return False
        if counted:
            self.lost.add("budget" if self.over_budget else "disk")
        return False

    def begin_book(self, make: "Callable[[Spool], Book]") -> "Book":
        """This process's book; made at its first counter, and anew in a fork."""
        with self._lock():
            self.begin()
            if self.book is None or self.book.closed:
                self.book = make(self)
            return self.book

    def begin(self) -> None:
        """Start the threads, though nothing was recorded yet."""
        with self._lock():
            if not self._page[0]:
                self._forked()
            if not self.own:
                self._open()
            if self.write is _unstarted:
                self.write = self.active.write
                try:
                    started = self.background.start()
                except (
                    Exception
                ) as error:  # an upgrade under our feet, no memory: the record is to be kept all the same
                    notice.once("threads", f"Records are kept in {self.root}, but not by this process sent: {error!r}.")
                    started = True
                if not started:
                    self.write = _unstarted

    def awake(self) -> None:
        """There is work for the threads, though no record: start them unless they run. Never raises."""
        if (self.write is _unstarted or not self._page[0]) and not self.resting:
            try:
                self.begin()
            except Exception:  # Never in the way
                self.lost.add("error", 0)

    def mute(self) -> None:
        """A record came while the red button was pressed. The first one starts the thread that watches the button."""
        self.awake()
        self.lost.add("disabled")

    def holds_lines(self) -> bool:
        """Whether there is anything here that the server does not have."""
        return any(segment.position() > max(segment.head, segment.acknowledged) for segment in list(self.own))

    def _lock(self) -> "RLock":
        # Re-entrant: a signal handler or a finalizer may record while its own thread rotates. By process: a lock that
        # another thread held while this process was forked would never be released here.
        return self._locks.setdefault(os.getpid(), native.rlock())

    def _rotate(self, full: Segment, need: int) -> bool:
        """Put a fresh segment in the place of a full one. Under the lock, yet a signal handler may rotate in between.

        That is why the order matters: a segment is among `own` before it is active, so whatever a nested call does, no
        segment with lines in it is forgotten; the sender seals all that are not active.
        """
        fresh = self._spare(need) or self._late(need)
        if fresh is None:
            return False
        if self.active is not full:  # a signal handler's record came while the segment was made, and made one too
            self.spares.append(fresh)
            return True
        self.own.append(fresh)
        self.active = fresh
        if self.write is not _unstarted:
            self.write = fresh.write
        self.rotations += 1
        full.seal()
        self.background.rotated()
        return True

    def _spare(self, need: int) -> Segment | None:
        try:
            spare = self.spares.popleft()
        except IndexError:
            return None
        if spare.size - spare.head < need:  # a very long line in a young process
            self.spares.appendleft(spare)
            return None
        return spare

    def _late(self, need: int) -> Segment | None:
        """No spare is ready: make one in the call. Never lost outranks never in the way."""
        now = time.monotonic()
        if self.over_budget or now < self._retry:
            return None
        # A signal handler that interrupts the making needs one, too: a small one, lest the next signal interrupt it.
        size = LARGEST if need > FIRST // 2 else FIRST if self._making else self.next_size()
        self._making += 1
        try:
            fresh = self._create(size)
        except OSError:
            self._retry = now + _PATIENCE
            return None
        finally:
            self._making -= 1
        self.late_rotations += 1
        return fresh

    def next_size(self) -> int:
        """Of the segment after those there are."""
        return min(self.largest, FIRST << 2 * (self.rotations + len(self.spares) + 1))

    def _create(self, size: int) -> Segment:
        return Segment.create(self.folder.path, new_id(time.time_ns()), size, self._header(self._start))

    def refill(self) -> None:
        """Have spares ready: one, and two once the process has shown that it writes much. By the keeper alone."""
        while len(self.spares) < (2 if self.rotations else 1) and not self.over_budget:
            with self.shelf:  # lest `close` overlook a spare in the making
                if self.closed or self.resting:
                    return
                try:
                    fresh = self._create(self.next_size())
                except OSError:
                    return  # the disk is full or the folder is gone; a call that needs one tries again and counts
                prefault(fresh.map, fresh.size)
                self.spares.append(fresh)

    def drop_spares(self) -> None:
        while self.spares:
            try:
                self.spares.pop().delete()
            except (IndexError, OSError):
                return

    def moved(self) -> None:
        """If the folder was deleted under our feet, go on in a new one. What lies in the old segments is still there
        for the sender, which holds them open, but would not outlive this process."""
        there = (self.folder.path / "lock").exists()
        if there and self.active.path.exists():
            return
        with self._lock():
            if self.closed or self.resting:  # it was us who took it away
                return
            if there:
                self._renew()
                return
            old, spares = self.folder, list(self.spares)
            self.spares.clear()
            self.folder = ProcessFolder.create(self.root, new_id(time.time_ns()))
            self._renew()
        old.let_go()
        for spare in spares:
            spare.delete()

    def _renew(self) -> None:
        self._retry = 0.0  # it failed in the old folder
        self._rotate(self.active, 0)

    def _forked(self) -> None:
        """A fork, at its first record: leave the parent's files alone and open some of one's own."""
        if self.pid != os.getpid():
            self.let_go()
            self.lost = Lost()  # what the parent lost, the parent tells
            self.book = None  # and what it counted
            self.shelf = native.lock()
            self.background.forked()
            self._open()
            self._locks = {self.pid: self._lock()}
        self._page[0] = 1

    def inherited(self) -> None:
        """Python has forked: the child lets go of the lock at once, lest a dead parent's folder look alive."""
        self.folder.let_go()
        self._page[0] = 0
        if self.book is not None:
            self.book.inherited()

    def let_go(self) -> None:
        """Close what was inherited by a fork, without a trace in the parent's files."""
        self.folder.let_go()
        for segment in (*self.own, *self.spares):
            segment.close()
        self.own.clear()
        self.spares.clear()

    def close(self) -> None:
        """Take no more lines; leave on the disk only what the server does not have yet."""
        with self._lock():
            if self.pid != os.getpid():
                self.let_go()
                return
            self.closed = True
            self._leave_book()
            self._leave()

    def rest(self) -> None:
        """The same at the end of the process, where other exit handlers and finalizers may record after us: their lines
        go into a new folder, which the next process ships."""
        with self._lock():
            if self.pid == os.getpid() and not self.closed:
                self.resting = True
                self._leave_book()
                self._leave()

    def _leave_book(self) -> None:
        # What was counted since its last report lies on its pages, for who takes the folder over; what is counted from
        # now on goes to another book, in another folder.
        book, self.book = self.book, None
        if book is not None:
            book.leave()

    def _leave(self) -> None:
        self.write = _unstarted
        if not self.shelf.acquire(timeout=1):
            return  # a thread hangs on the disk: all stays as it is, for the next process
        try:
            self.drop_spares()
            self._shut()
        finally:
            self.shelf.release()
        self.folder.release()

    def _shut(self) -> None:
        for segment in list(self.own):
            with suppress(OSError):
                if segment.seal() <= max(segment.head, segment.acknowledged):
                    segment.delete()
                else:
                    segment.trim()
                    segment.close()
        self.own.clear()


class DurableSpool(Spool):
    """Syncs each line to the disk before the call returns: survives a power cut, and costs what the disk costs."""

    __slots__ = ()

    def take(self, line: bytes) -> None:
        before = self.active
        super().take(line)
        # The line may lie in any segment from that one on: other threads rotate, too, and a fork begins anew. One that
        # was shipped and deleted meanwhile needs no sync, and must not keep the others from theirs.
        after = list(self.own)
        with suppress(ValueError):
            del after[: after.index(before)]
        for segment in after:
            try:
                segment.sync()
            except OSError:
                self.lost.add("sync", 0)

    def _create(self, size: int) -> Segment:
        made = super()._create(size)
        with suppress(OSError):  # what is synced must have a name, too
            for folder in (self.folder.path, self.root):
                sync_folder(folder)
        return made


def _unstarted(line: bytes) -> object:
    raise ValueError("no record yet")
