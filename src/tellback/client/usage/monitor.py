"""Which functions are called, by `sys.monitoring` (Python 3.12 and newer): complete, and free after the first call.

The interpreter tells of the first start of each code object and then takes its own notice of that place out again
(DISABLE): from the second call on a function costs what it cost before.
"""

import sys
from collections.abc import Callable
from types import CodeType
from typing import Any, Final

from tellback.client.usage.inventory import is_function
from tellback.client.usage.packages import Packages
from tellback.client.usage.recorder import Recorder

NAME: Final = "tellback.usage"
_IDS: Final = (4, 3)  # 0, 1, 2 and 5 are meant for debuggers, coverage, profilers and optimizers


class Monitor:
    """Watches from `start` to `stop`, in all threads."""

    how: Final = "called"

    def __init__(
        self, packages: Packages, recorder: Recorder, *, lines: bool, open_: Callable[[], bool] = lambda: True
    ) -> None:
        """`open_` says whether recording is on: what happens while it is off is not remembered either."""
        self._module = packages.module
        self._recorder = recorder
        self._lines = lines
        self._open = open_
        self._missed = False
        self._id = -1
        self._api: Any = getattr(sys, "monitoring", None)  # mypy reads this file as Python 3.11, which has none

    def start(self) -> str | None:
        """Begin; a sentence that says why not."""
        api = self._api
        for id_ in _IDS:
            try:
                api.use_tool_id(id_, NAME)
            except ValueError:  # another tool has it
                continue
            self._id = id_
            break
        else:
            return "Usage is not watched: other tools have both free places of sys.monitoring (3 and 4)."
        api.register_callback(self._id, api.events.PY_START, self._started)
        if self._lines:
            api.register_callback(self._id, api.events.LINE, self._line)
        api.set_events(self._id, api.events.PY_START)
        # What an earlier watcher in this place had switched off stays so otherwise, even after that one has gone.
        api.restart_events()
        return None

    def stop(self) -> None:
        """End, and leave no trace in the interpreter."""
        if self._id < 0:
            return
        api, id_, self._id = self._api, self._id, -1
        api.set_events(id_, 0)
        for event in (api.events.PY_START, api.events.LINE):
            api.register_callback(id_, event, None)
        api.free_tool_id(id_)

    def tick(self) -> None:
        """When recording goes on after a pause, notice again what was switched off unseen meanwhile."""
        if self._missed and self._id >= 0 and self._open():
            self._missed = False
            self._api.restart_events()

    def again(self) -> None:
        """See what was seen before at its next call once more."""
        if self._id >= 0:
            self._api.restart_events()

    def _started(self, code: CodeType, offset: int) -> Any:
        # An exception here would come out of the host's own call.
        try:
            module = self._module(code.co_filename)
            if module is not None:
                if not self._open():
                    self._missed = True
                elif is_function(code):
                    self._recorder.note(module, code.co_qualname)
                    if self._lines:
                        self._api.set_local_events(self._id, code, self._api.events.LINE)
        except Exception:  # noqa: S110 - a function that is not seen, at worst
            pass
        return self._api.DISABLE

    def _line(self, code: CodeType, number: int) -> Any:
        try:
            module = self._module(code.co_filename)
            if module is not None:
                if self._open():
                    self._recorder.line(module, number)
                else:
                    self._missed = True
        except Exception:  # noqa: S110 - the same
            pass
        return self._api.DISABLE
