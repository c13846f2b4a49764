"""Tellback: telemetry for Python programs in the hands of the people who use them.

import tellback

tellback.init(service="rigtools", release="1.4.2")  # at the entry point only; no library configures
tellback.event("export_to_file_edit", rows=1200)
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tellback.client.bound import bound
from tellback.client.errors import capture, report
from tellback.client.events import event
from tellback.client.lifecycle import close, flush, init
from tellback.version import __version__

if TYPE_CHECKING:
    from tellback.client import push, status, usage
    from tellback.client.carry import thread, wrap
    from tellback.client.logs import LogHandler
    from tellback.client.metrics.naming import counter, gauge, histogram, meter, timer
    from tellback.client.metrics.process import process_metrics
    from tellback.client.propagation import environ, extract, inject
    from tellback.client.runs import run
    from tellback.client.schemas.emitter import Emitter, InvalidEventError, SchemaError, schema
    from tellback.client.spans import span

__all__ = [
    "Emitter", "InvalidEventError", "LogHandler", "SchemaError", "__version__", "bound", "capture", "close", "counter",
    "environ", "event", "extract", "flush", "gauge", "histogram", "init", "inject", "meter", "process_metrics", "push",
    "report", "run", "schema", "span", "status", "thread", "timer", "usage", "wrap",
]  # fmt: skip

# What not every program wants is loaded when it is asked for: `logging` alone would be a quarter of the import's time.
_LATER = {
    "LogHandler": "logs",
    "environ": "propagation",
    "extract": "propagation",
    "inject": "propagation",
    "process_metrics": "metrics.process",
    "push": "push",
    "run": "runs",
    "span": "spans",
    "status": "status",
    "thread": "carry",
    "usage": "usage",
    "wrap": "carry",
    **dict.fromkeys(("counter", "gauge", "histogram", "meter", "timer"), "metrics.naming"),
    **dict.fromkeys(("Emitter", "InvalidEventError", "SchemaError", "schema"), "schemas.emitter"),
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        module = import_module(f"tellback.client.{_LATER[name]}")
        globals()[name] = found = module if _LATER[name] == name else getattr(module, name)
        return found
    raise AttributeError(f"module 'tellback' has no attribute {name!r}")
