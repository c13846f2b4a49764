"""Watches the packages of this process, and makes records of what is seen."""

import os
import sys
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from tellback.client import chores, live, native, notice
from tellback.client.context import current
from tellback.client.events import emit
from tellback.client.usage.hotspots import Hotspots
from tellback.client.usage.inventory import steps
from tellback.client.usage.monitor import Monitor
from tellback.client.usage.packages import Packages
from tellback.client.usage.recorder import Recorder, lists
from tellback.client.usage.sampler import EVERY, Look, Sampler, Seen
from tellback.client.waker import Waker

PROFILE: Final = 60.0
"""Seconds that one record of kind `profile` covers."""

DAILY: Final = 86_400.0
"""Seconds after which what was seen is told again: a process that runs for months must not look unused after one."""

AGAIN: Final = 7 * 86_400.0
"""Seconds after which a machine tells the inventory of a release again: the first may have been lost."""

PAUSE: Final = 9
"""The inventory rests for so many times as long as it worked: it takes at most a tenth of one core."""

_hooked = False
_current: "Watch | None" = None


class Watch:
    """From `begin` to `stop`."""

    def __init__(self, names: list[str], *, lines: bool, hotspots: bool) -> None:
        self.packages = Packages(names)
        watches_calls = hasattr(sys, "monitoring")
        self._recorder = Recorder(_emit, Monitor.how if watches_calls else Seen.how, _user, _wake)
        looks: list[Look] = []
        self._monitor: Monitor | None = None
        self._seen: Seen | None = None
        if watches_calls:
            self._monitor = Monitor(self.packages, self._recorder, lines=lines, open_=_open)
        else:
            self._seen = Seen(self.packages, self._recorder, lines=lines)
            looks.append(self._seen)
        self._hotspots = Hotspots(self.packages, _emit_profile, EVERY) if hotspots else None
        if self._hotspots is not None:
            looks.append(self._hotspots)
        self._sampler = Sampler(looks, open_=_open) if looks else None
        self._steps = self._inventory()
        self._in_turns = False
        self._profile_at = time.monotonic() + PROFILE
        self._daily_at = time.monotonic() + DAILY
        self._rest = Waker()
        self._ended = False

    def begin(self) -> bool:
        """Start watching; False, with a word about it, if there is nothing to watch or nowhere to put it."""
        global _current
        if live.spool is None and not live.paused():
            notice.say("Usage is not watched, for nothing is recorded: call tellback.init first.", "info")
            return False
        for name in self.packages.missing:
            notice.say(f"Usage of {name!r} is not watched: no package or module of that name is found.")
        if not self.packages.roots:
            return False
        for watcher in (self._monitor, self._sampler):
            trouble = watcher.start() if watcher is not None else None
            if trouble:
                notice.say(trouble)
        _current = self
        _hook_forks()
        chores.add(self)
        _wake()
        try:
            native.start_new_thread(self._tell_inventory, ())
        except RuntimeError:  # a Python without threads: a file at each turn
            self._in_turns = True
        return True

    def stop(self) -> None:
        """Tell what was seen, and end."""
        if self._ended:  # with the client; what it had not told is not for the next one to tell
            return
        chores.remove(self)
        self.turn(hurry=True)
        self.end()

    def turn(self, hurry: bool) -> None:
        """Make records of what was seen. Does no I/O but for its share of an inventory where there are no threads."""
        if self._in_turns:
            next(self._steps, None)
        if live.spool is None:
            return
        if self._monitor is not None:
            self._monitor.tick()
        self._recorder.drain()
        if time.monotonic() >= self._daily_at:
            self._daily_at = time.monotonic() + DAILY
            self._begin_anew()
        if self._hotspots is not None and (hurry or time.monotonic() >= self._profile_at):
            self._profile_at = time.monotonic() + PROFILE
            self._hotspots.drain()

    def _begin_anew(self) -> None:
        self._recorder.again()
        for watcher in (self._monitor, self._seen):
            if watcher is not None:
                watcher.again()

    def end(self) -> None:
        """Watch no more."""
        global _current
        self._ended = True
        self._rest.wake()
        if _current is self:
            _current = None
        for watcher in (self._monitor, self._sampler):
            if watcher is not None:
                watcher.stop()

    def forked(self) -> None:
        """In a fork: what waited is the parent's to tell, and the sampler's thread is not here."""
        self._recorder.waived()
        if self._sampler is not None:
            self._sampler.start()

    def _tell_inventory(self) -> None:
        begin = time.thread_time()
        try:
            for _ in self._steps:
                if self._ended:
                    return
                now = time.thread_time()
                self._rest.wait(min(1.0, PAUSE * (now - begin)))
                begin = time.thread_time()
        except Exception as error:
            notice.once("inventory", f"The inventory of {', '.join(self.packages.names)} could not be told: {error}.")

    def _inventory(self) -> Iterator[None]:
        """Reads one file at each step, then tells all at once; nothing if this machine told the same before."""
        files = sorted(self.packages.files())
        spool = live.spool
        if spool is None or not files:
            return
        mark = spool.root / f".inventory-{_fingerprint(files)}"
        if _age(mark) < AGAIN:
            return
        yield
        found = yield from steps(files)
        if not self._ended and live.takes("usage", "inventory"):
            tell(self.packages.names, *found)
            mark.touch()


def tell(packages: Iterable[str], places: list[str], unread: list[str]) -> None:
    """Put on record which functions packages have (`inventory.Inventory`)."""
    attrs: dict[str, Any] = {"packages": list(packages)}
    if unread:
        attrs["unread"] = unread[:100]
    for text in lists(places):
        emit("usage", "inventory", {"message": text}, attrs)


def _fingerprint(files: list[tuple[str, Path]]) -> str:
    """Of what there is to read, for whom and where to: the same again need not be told again."""
    import hashlib

    digest = hashlib.sha256(repr(live.identity).encode("utf-8", "replace"))
    for module, path in files:
        try:
            stat = path.stat()
        except OSError:
            continue
        digest.update(f"{module} {stat.st_size} {stat.st_mtime_ns}\n".encode("utf-8", "replace"))
    return digest.hexdigest()[:32]


def _age(path: Path) -> float:
    try:
        return max(0.0, time.time() - path.stat().st_mtime)
    except OSError:
        return float("inf")


def _emit(name: str, text: str, user: str | None) -> None:
    own: dict[str, Any] = {"message": text}
    if user is not None:
        own["user"] = user
    emit("usage", name, own, {})


def _emit_profile(samples: int, attrs: dict[str, Any]) -> None:
    emit("profile", "stacks", {"value": float(samples)}, attrs)


def _user() -> str | None:
    # Of the call that is seen; the sampler's thread has no context of its own and gives the process's user.
    user = current.get(live.base).fields.get("user")
    return user if type(user) is str else None


def _open() -> bool:
    return live.takes("usage", Monitor.how if hasattr(sys, "monitoring") else Seen.how)


def _wake() -> None:
    spool = live.spool
    if spool is not None:
        spool.awake()


def _hook_forks() -> None:
    global _hooked
    if not _hooked and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forked)
        _hooked = True


def _forked() -> None:
    if _current is not None:
        _current.forked()
