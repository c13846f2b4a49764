"""What goes wrong in the firm's tools. Each function really raises, from a few frames deep and with locals worth
seeing, so that what the client captures is what it would capture anywhere. The exceptions are named as if they came
from the packages of the tools, for which this file stands.
"""

import importlib
import json
from collections.abc import Callable, Mapping, Sequence
from graphlib import TopologicalSorter
from pathlib import PurePosixPath
from types import ModuleType
from typing import NoReturn


class CacheReadOnlyError(OSError):
    """The shot's cache lies on a share that the person may only read."""

    __module__ = "assetcheck"


class LockHeldError(RuntimeError):
    """Somebody else has the shot."""

    __module__ = "shotbrowser"


class FarmSilentError(TimeoutError):
    """The render farm's scheduler did not answer in time."""

    __module__ = "farmsubmit"


def import_broken() -> ModuleType:
    """Release 4.2 was built without the package that holds the solver."""
    return _load_solver("rigmath.solvers", "position_based")


def _load_solver(module: str, name: str) -> ModuleType:
    solvers = importlib.import_module(module)
    return importlib.import_module(f"{solvers.__name__}.{name}")


def solver_diverged() -> float:
    stiffness, step = 1e160, 0.5
    return _relax(stiffness, step, rounds=8)


def _relax(stiffness: float, step: float, rounds: int) -> float:
    residual = 1.0
    for _ in range(rounds):
        residual = (residual * stiffness) ** 2 * step
    return residual


def scale_text() -> float:
    settings = {"units": "cm", "scale": "1,0", "up": "y"}
    return _scale(settings)


def _scale(settings: Mapping[str, str]) -> float:
    return float(settings["scale"])


def frame_count_text() -> int:
    row = {"shot": "sq20_040", "frames": "tbd", "artist": "unassigned"}
    return _frames(row)


def _frames(row: Mapping[str, str]) -> int:
    return int(row["frames"])


def no_column() -> list[object]:
    table: dict[str, list[object]] = {"shot": ["sq10_010"], "frames": [96]}
    return _pivot(table, rows="department")


def _pivot(table: Mapping[str, Sequence[object]], rows: str) -> list[object]:
    return sorted(set(table[rows]), key=str)


def wrong_encoding() -> list[str]:
    sheet = "Größe;Länge\n12;40\n".encode("latin-1")
    return _rows(sheet)


def _rows(sheet: bytes) -> list[str]:
    return sheet.decode("utf-8").splitlines()


def shot_missing() -> object:
    index = {"sq10_010": 7, "sq10_020": 3}
    return _latest(index, shot="sq20_015")


def _latest(index: Mapping[str, int], shot: str) -> int:
    return index[shot]


def lock_held() -> NoReturn:
    holder, since = "another session", "this morning"
    raise LockHeldError(f"the shot is locked by {holder} since {since}; ask for it or take it with --force")


def cache_read_only() -> NoReturn:
    cache = PurePosixPath("/shows/lantern/cache")
    _write(cache / "frames.abc", frames=96)


def _write(path: PurePosixPath, frames: int) -> NoReturn:
    raise CacheReadOnlyError(f"cannot write {path}: the share is read-only; ask the pipeline team for write access")


def farm_silent() -> object:
    try:
        return json.loads("")
    except json.JSONDecodeError as reason:
        timeout = 30
        raise FarmSilentError(
            f"the farm's scheduler gave no answer within {timeout} s; nothing was submitted"
        ) from reason


def no_history() -> float:
    earlier: list[float] = []
    return _mean(earlier)


def _mean(seconds: list[float]) -> float:
    return sum(seconds) / len(seconds)


def room_full() -> str:
    seats = ["host", "screen", "notes"]
    return seats[len(seats)]


def asset_loop() -> list[str]:
    needs = {"lantern_rig": ["lantern_model"], "lantern_model": ["lantern_mesh"], "lantern_mesh": ["lantern_rig"]}
    return list(TopologicalSorter(needs).static_order())


FAULTS: dict[str, Callable[[], object]] = {
    fault.__name__: fault
    for fault in (
        import_broken,
        solver_diverged,
        scale_text,
        frame_count_text,
        no_column,
        wrong_encoding,
        shot_missing,
        lock_held,
        cache_read_only,
        farm_silent,
        no_history,
        room_full,
        asset_loop,
    )
}
"""By the name that a `Feature` or a `Release` gives them."""
