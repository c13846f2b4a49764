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
    from tellback.client.logs import LogHandler

__all__ = ["LogHandler", "__version__", "bound", "capture", "close", "event", "flush", "init", "report", "usage"]


def __getattr__(name: str) -> Any:
    # `logging` would be a quarter of what importing the client costs; who wants the handler has it already.
    if name == "LogHandler":
        from tellback.client.logs import LogHandler

        globals()[name] = LogHandler
        return LogHandler
    if name == "usage":
        import tellback.client.usage

        globals()[name] = tellback.client.usage
        return tellback.client.usage
    raise AttributeError(f"module 'tellback' has no attribute {name!r}")
