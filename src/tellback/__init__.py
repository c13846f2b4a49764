"""Tellback: telemetry for Python programs in the hands of the people who use them.

import tellback

tellback.init(service="rigtools", release="1.4.2")  # at the entry point only; no library configures
tellback.event("export_to_file_edit", rows=1200)
"""

from typing import TYPE_CHECKING, Any

from tellback.client.bound import bound
from tellback.client.errors import capture, report
from tellback.client.events import event
from tellback.client.lifecycle import close, flush, init
from tellback.version import __version__

if TYPE_CHECKING:
    from tellback.client import usage
    from tellback.client.carry import thread, wrap
    from tellback.client.logs import LogHandler
    from tellback.client.propagation import environ, extract, inject
    from tellback.client.runs import run
    from tellback.client.spans import span

__all__ = [
    "LogHandler", "__version__", "bound", "capture", "close", "environ", "event", "extract", "flush", "init", "inject",
    "report", "run", "span", "thread", "usage", "wrap",
]  # fmt: skip

# What a program may do without is imported when it is first asked for: `logging` alone would be a quarter of what
# importing the client costs, and who wants the handler has it already.
_LATER = {
    "LogHandler": "logs",
    "environ": "propagation",
    "extract": "propagation",
    "inject": "propagation",
    "run": "runs",
    "span": "spans",
    "thread": "carry",
    "usage": "usage",
    "wrap": "carry",
}


def __getattr__(name: str) -> Any:
    room = _LATER.get(name)
    if room is None:
        raise AttributeError(f"module 'tellback' has no attribute {name!r}")
    from importlib import import_module

    found: Any = import_module(f"tellback.client.{room}")
    if room != name:
        found = getattr(found, name)
    globals()[name] = found
    return found
