"""IPython and Jupyter: each cell that is run, what failed in it, and the session.

    %load_ext tellback.adapters.ipython          # or c.InteractiveShellApp.extensions in ipython_config.py

If the program has not called `tellback.init`, loading does, with the service `ipython` and whatever the environment
says.

Events: `ipython.session` when it is loaded, with the `shell` (ZMQInteractiveShell is Jupyter's); `ipython.cell_run`
for each cell, with its duration, `success`, `execution_count` and `lines`, and `error`, the id of the error's record,
if it failed. A cell's source is never recorded. Everything that is recorded from then on carries the same `session`.
"""

import os
from time import perf_counter_ns, time_ns
from typing import Any

from tellback.client import errors, lifecycle, live
from tellback.client.events import emit


class Cells:
    """The hooks of one shell."""

    def __init__(self, shell: Any) -> None:
        self._shell = shell
        self._begin: tuple[int, int] | None = None

    def start(self) -> None:
        if not lifecycle.started():
            lifecycle.init(service=os.environ.get("TELLBACK_SERVICE") or "ipython")
        live.base = live.base.extended({"session": os.urandom(16).hex()})
        emit("event", "ipython.session", {}, {"shell": type(self._shell).__name__})
        self._shell.events.register("pre_run_cell", self.begun)
        self._shell.events.register("post_run_cell", self.done)

    def stop(self) -> None:
        self._shell.events.unregister("pre_run_cell", self.begun)
        self._shell.events.unregister("post_run_cell", self.done)

    def begun(self, _: Any) -> None:
        self._begin = time_ns(), perf_counter_ns()

    def done(self, result: Any) -> None:
        """Record a cell. Never raises: IPython would print it into the person's notebook."""
        try:
            begin, self._begin = self._begin, None
            time, duration = (None, None) if begin is None else (begin[0], perf_counter_ns() - begin[1])
            failure = result.error_before_exec or result.error_in_exec
            attrs: dict[str, Any] = {
                "success": failure is None,
                "execution_count": result.execution_count,
                "lines": len(str(result.info.raw_cell).splitlines()),
            }
            if isinstance(failure, Exception):
                attrs["error"] = errors.record(failure, attrs={})
            emit("event", "ipython.cell_run", {"time": time, "duration": duration}, attrs)
        except Exception:
            spool = live.spool
            if spool is not None:
                spool.lost.add("error")


_shells: dict[int, Cells] = {}


def load_ipython_extension(shell: Any) -> None:
    """For `%load_ext`."""
    if id(shell) not in _shells:
        _shells[id(shell)] = Cells(shell)
        _shells[id(shell)].start()


def unload_ipython_extension(shell: Any) -> None:
    """For `%unload_ext`."""
    cells = _shells.pop(id(shell), None)
    if cells is not None:
        cells.stop()
