"""Where the time goes: whole stacks, counted by the sampler and shipped as records of kind `profile`."""

from collections import Counter
from collections.abc import Callable
from pathlib import PurePath
from types import CodeType, FrameType
from typing import Any, Final

from tellback.client.usage.packages import Packages

FRAMES: Final = 64
"""Of one stack, innermost first; what is further out is left away."""

STACKS: Final = 200
"""Told in one record, those with the most samples; the rest are counted together."""

_SUSPENDS: Final = 0x20 | 0x80 | 0x200  # inspect.CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR

_MOST: Final = 5_000
"""Different stacks counted between two records."""

Stack = tuple[str, ...]
Emit = Callable[[int, dict[str, Any]], None]
"""(samples, attributes of the record)."""


class Hotspots:
    """A `Look` that counts stacks with at least one frame of the packages. Names only: no values, no arguments."""

    def __init__(self, packages: Packages, emit: Emit, every: float) -> None:
        self._module = packages.module
        self._emit = emit
        self._every = every
        self._counts: Counter[Stack] = Counter()
        self._left_out = 0
        self._names: dict[int, tuple[CodeType, str, bool]] = {}

    def __call__(self, innermost: FrameType) -> None:
        frame: FrameType | None = innermost
        outermost = innermost
        names: list[str] = []
        ours = False
        while frame is not None and len(names) < FRAMES:
            name, is_ours = self._name(frame.f_code)
            ours |= is_ours
            names.append(name)
            outermost, frame = frame, frame.f_back
        if not ours:
            return
        if frame is None and outermost.f_code.co_flags & _SUSPENDS:
            # No thread begins in a generator: it was suspended between two looks at this stack, which ends there.
            self._left_out += 1
            return
        stack = tuple(reversed(names))
        if stack in self._counts or len(self._counts) < _MOST:
            self._counts[stack] += 1
        else:
            self._left_out += 1

    def _name(self, code: CodeType) -> tuple[str, bool]:
        known = self._names.get(id(code))
        if known is None:
            module = self._module(code.co_filename)
            text = f"{module or PurePath(code.co_filename).stem}:{code.co_qualname}"
            known = (code, text, module is not None)
            if len(self._names) < 100_000:
                self._names[id(code)] = known
        return known[1], known[2]

    def drain(self) -> None:
        """Make a record of the samples since the last time, if there are any."""
        # Swapped, not cleared: the sampler's thread may be counting; it then counts its one stack into what is told.
        counts, self._counts = self._counts, Counter()
        left_out, self._left_out = self._left_out, 0
        whole = sum(counts.values()) + left_out
        if not whole:
            return
        most = counts.most_common(STACKS)
        told = sum(samples for _, samples in most)
        attrs: dict[str, Any] = {
            "interval": int(self._every * 1e9),
            "stacks": [{"samples": samples, "frames": list(stack)} for stack, samples in most],
        }
        if whole > told:
            attrs["other"] = whole - told
        self._emit(whole, attrs)
