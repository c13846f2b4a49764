"""Which functions run, by looking at all threads' stacks now and then: for Python 3.11, and for hotspots.

What a sampler sees was there; what it does not see may have been too short or too rare. It can say `seen` or
`not observed`, and never `unused`. It looks when the interpreter's lock comes free: at a call that waits (then it
sees who waits) or after five milliseconds: what computes for less between two waits is seen on the stack of neither.
"""

import sys
from collections.abc import Callable
from contextlib import suppress
from types import CodeType, FrameType
from typing import Final

from tellback.client import native
from tellback.client.usage.inventory import is_function
from tellback.client.usage.packages import Packages
from tellback.client.usage.recorder import Recorder
from tellback.client.waker import Waker

EVERY: Final = 0.02
"""Seconds between looks. Each look takes the interpreter's lock once for some 20-50 us."""

DEPTH: Final = 200
"""Frames of a stack that are looked at, innermost first."""

Look = Callable[[FrameType], None]
"""Given the innermost frame of a thread. Must neither keep it nor run the host's code."""


class Sampler:
    """A thread that shows every other thread's stack to its `looks`."""

    def __init__(self, looks: list[Look], *, every: float = EVERY, open_: Callable[[], bool] = lambda: True) -> None:
        self._looks = looks
        self._every = every
        self._open = open_
        self._waker = Waker()
        self._turn = 0
        self.samples = 0

    def start(self) -> str | None:
        """Begin, also again in a fork, whose threads are gone; a sentence that says why not."""
        self._turn += 1
        self._waker = Waker()
        try:
            native.start_new_thread(self._run, (self._turn,))
        except RuntimeError:
            return "Nothing is sampled: this Python cannot start a thread."
        return None

    def stop(self) -> None:
        """End; the thread is gone a moment later."""
        self._turn += 1
        self._waker.wake()

    def _run(self, turn: int) -> None:
        own = native.get_ident()
        waker = self._waker
        while self._turn == turn:
            waker.wait(self._every)
            if self._turn == turn and self._open():
                with suppress(Exception):  # a look that failed; there is a next one
                    self.look(own)

    def look(self, own: int) -> None:
        """At all threads but `own`, once."""
        self.samples += 1
        for ident, frame in sys._current_frames().items():
            if ident != own:
                for look in self._looks:
                    look(frame)


class Seen:
    """A `Look` that notes the functions, and if asked the lines, that are on a stack."""

    how: Final = "sampled"

    def __init__(self, packages: Packages, recorder: Recorder, *, lines: bool) -> None:
        self._module = packages.module
        self._recorder = recorder
        self._lines = lines
        self._known: dict[int, CodeType] = {}  # the code is kept, lest another one get its id

    def __call__(self, innermost: FrameType) -> None:
        frame: FrameType | None = innermost
        for _ in range(DEPTH):
            if frame is None:
                return
            code = frame.f_code
            if self._lines or id(code) not in self._known:
                self._note(frame, code)
            frame = frame.f_back

    def _note(self, frame: FrameType, code: CodeType) -> None:
        module = self._module(code.co_filename)
        if len(self._known) < 100_000:
            self._known[id(code)] = code
        if module is not None and is_function(code):
            self._recorder.note(module, code.co_qualname)
            if self._lines and frame.f_lineno:
                self._recorder.line(module, frame.f_lineno)

    def again(self) -> None:
        """Note what was noted before once more."""
        self._known.clear()
