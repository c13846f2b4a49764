"""Tellback: telemetry for Python programs in the hands of the people who use them.

import tellback

tellback.init(service="rigtools", release="1.4.2")  # at the entry point only; no library configures
tellback.event("export_to_file_edit", rows=1200)
"""

from typing import TYPE_CHECKING, Any

from tellback.client.bound import bound
from tellback.client.errors import capture
from tellback.client.events import event
from tellback.client.lifecycle import close, flush, init
from tellback.version import __version__

if TYPE_CHECKING:
    from tellback.client.logs import LogHandler
    from tellback.client.schemas.emitter import Emitter, InvalidEventError, SchemaError, schema

__all__ = [
    "Emitter", "InvalidEventError", "LogHandler", "SchemaError", "__version__", "bound", "capture", "close", "event",
    "flush", "init", "schema",
]  # fmt: skip

# What costs something to import is imported when it is first asked for.
_LATER = {
    "LogHandler": "tellback.client.logs",  # `logging` would be a quarter of what importing the client costs
    **dict.fromkeys(("Emitter", "InvalidEventError", "SchemaError", "schema"), "tellback.client.schemas.emitter"),
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_LATER[name]), name)
        return value
    raise AttributeError(f"module 'tellback' has no attribute {name!r}")
