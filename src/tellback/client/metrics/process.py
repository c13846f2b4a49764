"""What the process costs: CPU, memory, threads, files, garbage collection, and how long it took to start.

Names and units are OpenTelemetry's (semantic conventions for `process.*` and `cpython.gc.*`); it has none for the time
from a process's beginning to this call, which is `process.startup.duration` here. Read by the keeper before a report,
from /proc where there is one; what a system does not tell is not reported.
"""

import gc
import os
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from tellback.client import native, notice
from tellback.client.clean import type_name
from tellback.client.metrics.current import ask
from tellback.client.metrics.naming import counter, gauge, histogram

_STAT: Final = Path("/proc/self/stat")
_FILES: Final = Path("/proc/self/fd")

# Of what follows the command's name in /proc/<pid>/stat (proc(5)), counted from 0.
_MINOR_FAULTS, _MAJOR_FAULTS, _THREADS, _START, _VIRTUAL, _RESIDENT = 7, 9, 17, 19, 20, 21


class _Process:
    """Remembers the totals that were told; a fork's own begin at 0."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.told: dict[tuple[str, str], float] = {}
        self.lock = native.lock()
        self.startup: float | None = None
        """Seconds, until they are told."""

    def measure(self) -> None:
        if self.pid != os.getpid():
            # A lock that another thread held while this process was forked would never be released here.
            self.pid, self.told, self.startup, self.lock = os.getpid(), {}, None, native.lock()
        with self.lock:  # what a total has grown by is read and noted together
            self._measure()

    def _measure(self) -> None:
        if self.startup is not None:
            histogram("process.startup.duration", unit="s").record(self.startup)
            self.startup = None
        try:
            self._cpu()
            self._garbage()
            if _STAT.exists():
                self._memory(_stat())
        except (OSError, ValueError, IndexError) as error:
            notice.once("process", f"The process cannot be measured ({type_name(type(error))}: {error}).")

    def _cpu(self) -> None:
        now = os.times()
        self._total("process.cpu.time", "s", now.user, "cpu.mode", "user")
        self._total("process.cpu.time", "s", now.system, "cpu.mode", "system")

    def _garbage(self) -> None:
        for generation, stats in enumerate(gc.get_stats()):
            for name, key in (
                ("cpython.gc.collections", "collections"),
                ("cpython.gc.collected_objects", "collected"),
                ("cpython.gc.uncollectable_objects", "uncollectable"),
            ):
                unit = "{collection}" if key == "collections" else "{object}"
                self._total(name, unit, stats[key], "cpython.gc.generation", str(generation))

    def _memory(self, stat: list[bytes]) -> None:
        gauge("process.memory.usage", unit="By").set(int(stat[_RESIDENT]) * os.sysconf("SC_PAGE_SIZE"))
        gauge("process.memory.virtual", unit="By").set(int(stat[_VIRTUAL]))
        gauge("process.thread.count", unit="{thread}").set(int(stat[_THREADS]))
        gauge("process.unix.file_descriptor.count", unit="{file_descriptor}").set(len(os.listdir(_FILES)))  # noqa: PTH208 -- names alone
        gauge("process.uptime", unit="s").set(_age(stat))
        self._total("process.paging.faults", "{fault}", int(stat[_MINOR_FAULTS]), "system.paging.fault.type", "minor")
        self._total("process.paging.faults", "{fault}", int(stat[_MAJOR_FAULTS]), "system.paging.fault.type", "major")

    def _total(self, name: str, unit: str, total: float, label: str, value: str) -> None:
        """Count what a total that the system keeps has grown by."""
        before = self.told.get((name, value), 0.0)
        if total > before:
            counter(name, unit=unit).add(total - before, **{label: value})
            self.told[name, value] = total


_begun: list[_Process] = []


def process_metrics() -> None:
    """Report what this process costs, from now on or from `init` on; once, however often it is called. A fork of it
    reports, too, from its first record of a metric on.

    Call it when the program is ready: the time up to this call is its start-up time. Never raises.
    """
    if _begun:
        return
    process = _Process()
    _begun.append(process)
    with suppress(OSError, ValueError, IndexError, AttributeError):
        process.startup = _age(_stat())
    ask(process.measure)


def _stat() -> list[bytes]:
    # The command's name stands in parentheses and may hold anything, also spaces and parentheses.
    return _STAT.read_bytes().rpartition(b")")[2].split()


def _age(stat: list[bytes]) -> float:
    """Seconds since the process began; as exact as the system's clock tick, 10 ms mostly."""
    if sys.platform != "linux":  # CLOCK_BOOTTIME is Linux's, as /proc/self/stat is
        raise ValueError("no start time")
    return max(0.0, time.clock_gettime(time.CLOCK_BOOTTIME) - int(stat[_START]) / os.sysconf("SC_CLK_TCK"))
