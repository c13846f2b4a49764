"""Stack frames of an exception: where it was, what the code there says, and what the local names held.

What is constant for a place in the code is worked out once; a frame's locals are looked at within bounds and without
running the host's code.
"""

import os
from pathlib import Path
from types import CodeType, FrameType, TracebackType
from typing import Any, Final

from tellback.client import source
from tellback.client.clean import Cleaner

MAX_FRAMES: Final = 50
MAX_STACK: Final = 20
"""Of a problem without an exception: the innermost; where the program began says little about it."""

MAX_LOCALS: Final = 20
MAX_VALUE: Final = 200
"""Characters of a local's text."""

_OPTIMIZED: Final = (
    0x01  # inspect.CO_OPTIMIZED: a function's frame, whose locals are its own and not a module's globals
)
_PLACES: Final = 4_096

_places: dict[tuple[CodeType, int], dict[str, Any]] = {}
_library = str(Path(os.__file__).parent)
_own = str(Path(__file__).parent.parent) + os.sep


def frames(traceback: TracebackType | None) -> list[dict[str, Any]]:
    """Frames of a traceback, innermost last. Of a very deep one the outer half and the inner half of MAX_FRAMES."""
    nodes: list[TracebackType] = []
    while traceback is not None:
        nodes.append(traceback)
        if len(nodes) > 2 * MAX_FRAMES:  # a recursion: its middle says nothing new
            del nodes[MAX_FRAMES // 2 : -MAX_FRAMES // 2]
        traceback = traceback.tb_next
    if len(nodes) > MAX_FRAMES:
        del nodes[MAX_FRAMES // 2 : -MAX_FRAMES // 2]
    return [_frame(node.tb_frame, node.tb_lineno or 0) for node in nodes]


def stack(frame: FrameType | None) -> list[dict[str, Any]]:
    """Frames of the code that is running, innermost last, for a problem without an exception."""
    found: list[FrameType] = []
    while frame is not None and len(found) < MAX_STACK:
        found.append(frame)
        frame = frame.f_back
    return [_frame(one, one.f_lineno or 0) for one in reversed(found)]


def _frame(frame: FrameType, number: int) -> dict[str, Any]:
    code = frame.f_code
    place = _places.get((code, number))
    if place is None:
        place = _place(frame, code, number)
    if code.co_flags & _OPTIMIZED:
        values = _locals(frame)
        if values:
            return {**place, "locals": values}
    return place


def _place(frame: FrameType, code: CodeType, number: int) -> dict[str, Any]:
    filename = code.co_filename
    module = frame.f_globals.get("__name__")
    place: dict[str, Any] = {
        "module": module if type(module) is str else None,
        "file": filename,
        "function": getattr(code, "co_qualname", code.co_name),
        "line": number,
        "code": source.line(filename, number),
        "in_app": in_app(filename),
    }
    cleaner = Cleaner(text=1_024, mask=True)
    place = {key: cleaner.value(value) for key, value in place.items() if value is not None}
    if len(_places) < _PLACES and "code" in place:
        _places[code, number] = place
    return place


def in_app(filename: str) -> bool:
    """Whether a file is the program's own: neither the standard library, nor an installed package, nor Tellback."""
    if filename.startswith("<"):
        return not filename.startswith("<frozen ")
    if "site-packages" in filename or "dist-packages" in filename:
        return False
    return not filename.startswith((_library, _own))


def _locals(frame: FrameType) -> dict[str, Any]:
    out: dict[str, Any] = {}
    cleaner = Cleaner(depth=2, nodes=100, text=MAX_VALUE, items=10, mask=True)
    for name, value in frame.f_locals.items():
        if len(out) >= MAX_LOCALS:
            break
        if type(name) is not str or name.startswith("."):  # .0: the iterator of a comprehension
            continue
        out[name] = cleaner.named(name, value)
    return out
