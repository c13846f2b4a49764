"""The loader: takes closed journal files and makes them visible, soon and each once.

It loads at once what is there, then rests for as long as keeps a record's way under a second: under load files grow
while the last ones are loaded, and larger files cost less per record. When it falls behind, intake waits for it.
"""

import contextlib
import json
import logging
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import duckdb

from tellback.server.journal import Closed, Journal
from tellback.server.journal.disk import Disk
from tellback.server.store import salvage
from tellback.server.store.engine import Store
from tellback.server.store.load import Unloadable
from tellback.server.store.zone import ahead

log = logging.getLogger("tellback.server.store")

REST = 0.45
"""Seconds from the beginning of a load to that of the next while records stream in. A record that comes after a pause
is loaded at once."""

MARGIN = 1.5
"""Requests that were let in before the backlog was looked at add to it."""

ENOUGH_SECONDS = 0.35
"""Of loading that has gathered and ends the rest early."""

CHECKPOINT_SECONDS = 30.0
CHECKPOINT_FILES = 256

SALVAGE_AFTER = 2
"""Times a process may have died while it loaded a file before the file is looked at by another process."""

_RETRY_SECONDS = 2.0


class Loader:
    """A thread from `start` to `stop`. `journal` must have been opened after `store`."""

    def __init__(self, store: Store, journal: Journal, attempts: Path) -> None:
        """`attempts` is the small file that remembers, over a crash, what was being loaded."""
        self.store, self.journal = store, journal
        self.rate = 50e6
        """Bytes of journal loaded per second, of late."""
        self.failed: Exception | None = None
        """Why the last load did not go; None when it did."""
        self._attempts = attempts
        self._before = _read_attempts(attempts)
        self._loaded: list[Closed] = []
        self._checkpointed = time.monotonic()
        self._stop = threading.Event()
        self._disk = Disk()
        self._already = store.loaded()
        salvage.sweep(journal.folder)
        store.pending = journal.oldest
        self._thread = threading.Thread(target=self._run, name="tellback-loader", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Loads what the journal has closed, checkpoints and ends. Close the journal first."""
        self._stop.set()
        self._thread.join()

    @property
    def behind(self) -> float:
        """Seconds that loading the backlog will take, with what is let in meanwhile."""
        return MARGIN * self.journal.backlog / self.rate

    def _run(self) -> None:
        ahead(self.store.zone)  # worked out once in a process, before the first record waits for it
        while not self._stop.is_set():
            try:
                files = self.journal.take(0.5)
                started = time.monotonic()
                self._load_all(files)
                if files:
                    self._rest(started + REST)
                else:
                    self._stop.wait(0.02)
                self._maybe_checkpoint()
            except Exception as error:
                self.failed = error
                log.exception("the loader stumbled; trying again")
                self._stop.wait(_RETRY_SECONDS)
        if self.failed is None:
            self._load_all(self.journal.take(0))
        self._checkpoint()

    def _rest(self, until: float) -> None:
        """Let records gather, but not more than can be loaded soon."""
        self._stop.wait(0.02)
        while time.monotonic() < until and self.behind < ENOUGH_SECONDS and not self._stop.is_set():
            self._stop.wait(0.02)

    def _load_all(self, files: Sequence[Closed]) -> None:
        """Fresh files together; those that were there when a process died each alone."""
        try:
            if self.failed is not None:
                # A commit that was reported as failed may have reached the disk all the same.
                self._already = self.store.loaded()
            files = self._skip_loaded(files)
            suspects = [file for file in files if self._before.get(file.name)]
            fresh = [file for file in files if not self._before.get(file.name)]
            for group in [fresh, *([file] for file in suspects)]:
                if group and not self._load(group):
                    return
        finally:
            self.journal.again(files)

    def _skip_loaded(self, files: Sequence[Closed]) -> list[Closed]:
        if not self._already:
            return list(files)
        done = [file for file in files if file.name in self._already]
        self._loaded += done
        self.journal.done(done)
        return [file for file in files if file.name not in self._already]

    def _load(self, group: list[Closed]) -> bool:
        started = time.monotonic()
        self._note(*group)
        try:
            if any(self._before.get(file.name, 0) >= SALVAGE_AFTER for file in group):
                self._salvage(group)
            else:
                self.store.load(group)
        except (duckdb.Error, Unloadable, OSError) as error:
            if not self._rescue(group, error):
                return False
        self.failed = None
        self.journal.done(group)
        self._loaded += group
        for file in group:
            self._before.pop(file.name, None)
        self._note()
        size, took = sum(file.size for file in group), max(time.monotonic() - started, 1e-3)
        if size > 1 << 20:  # small loads are all overhead and say nothing of the rate
            self.rate += 0.3 * (size / took - self.rate)
        return True

    def _rescue(self, group: list[Closed], error: Exception) -> bool:
        """A load failed. Where the file is to blame its culprits go to quarantine; else all of it comes back later."""
        log.warning("%s could not be loaded: %s", ", ".join(file.name for file in group), error)
        try:
            if isinstance(error, duckdb.FatalException):
                self.store.reopen()
            done = self.store.loaded()  # what a commit reported as failed may have reached all the same
            self._salvage([file for file in group if file.name not in done])
        except Exception as again:
            self.failed = again
            self._note()
            log.error("loading waits: %s", again)
            self._stop.wait(_RETRY_SECONDS)
            return False
        return True

    def _salvage(self, group: Sequence[Closed]) -> None:
        for file in group:
            found = salvage.culprits(file, self.store.zone)
            if not found:
                self.store.load([file])
                continue
            log.error("%s: %d lines cannot be loaded and go to quarantine", file.name, len(found))
            copy = file.path.with_suffix(salvage.SALVAGED)
            try:
                salvage.without(file, found, copy)
                self.store.load([file], {file.name: copy}, found)
            finally:
                copy.unlink(missing_ok=True)

    def _note(self, *group: Closed) -> None:
        """What is being loaded from now on. Survives the process, not the machine: a power cut blames no file."""
        counts = self._before | {file.name: self._before.get(file.name, 0) + 1 for file in group}
        # On a full disk the journal comes first; a note that is not there only delays the blame by one start.
        with contextlib.suppress(OSError):
            if counts:
                self._attempts.write_text(json.dumps(counts))
            else:
                self._attempts.unlink(missing_ok=True)

    def _maybe_checkpoint(self) -> None:
        if self._loaded and (
            len(self._loaded) >= CHECKPOINT_FILES or time.monotonic() - self._checkpointed > CHECKPOINT_SECONDS
        ):
            self._checkpoint()

    def _checkpoint(self) -> None:
        """Journal files go once the store's file has what they have, their names only when they cannot come back."""
        files, self._loaded = self._loaded, []
        self._checkpointed = time.monotonic()
        try:
            covered = self.store.checkpoint()
        except duckdb.Error as error:
            log.error("checkpoint: %s", error)
            self.store.reopen()
            covered = False
        if not covered:
            self._loaded = files
            return
        for file in files:
            file.path.unlink(missing_ok=True)
        self._disk.sync_folder(self.journal.folder)
        self.store.forget([file.name for file in files])


def _read_attempts(path: Path) -> dict[str, int]:
    try:
        known = json.loads(path.read_text())
        return {str(name): int(count) for name, count in known.items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}
