"""`Handler`: what jupyter_events' `EventLogger` or jupyter_telemetry's `EventLog` emits, as events.

    from tellback.adapters.jupyter_events import Handler

    logger = EventLogger(handlers=[Handler()])         # c.EventLogger.handlers = [Handler()] in a configuration file

Both hand their handlers a LogRecord whose `msg` is the capsule: `__timestamp__`, `__schema__`, `__schema_version__`,
`__metadata_version__`, then the event's own fields. The event was checked before; here it is only recorded. Needs
neither library.
"""

import logging
from datetime import UTC, datetime
from typing import Any

from tellback.client import live
from tellback.client.clean import Cleaner
from tellback.client.events import emit
from tellback.client.schemas.quick import VERSION


class Handler(logging.Handler):
    """Records each event under the `$id` of its schema, as an emitter of `tellback.schema` does.

    Never raises, never blocks. A record that holds no capsule is left alone: it is not an event.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        """Filter and emit, without the handler's lock: a fork could inherit it held, and an append needs none."""
        try:
            kept: Any = self.filter(record)  # since Python 3.12 a filter may give another record
            if kept:
                self.emit(kept if isinstance(kept, logging.LogRecord) else record)
            return bool(kept)
        except Exception:
            return False

    def emit(self, record: logging.LogRecord) -> None:
        """Make the event. For `handle`; never raises."""
        try:
            if live.spool is None:
                live.muted()
                return
            capsule: Any = record.msg
            if type(capsule) is dict and "__schema__" in capsule:
                record_capsule(capsule)
        except Exception:
            spool = live.spool
            if spool is not None:
                spool.lost.add("error")


def record_capsule(capsule: dict[str, Any]) -> None:
    """The event of a capsule, at the capsule's time."""
    attrs = {key: value for key, value in capsule.items() if type(key) is not str or not key.startswith("__")}
    own = {"time": time_of(capsule.get("__timestamp__"))}
    version = Cleaner(depth=0, text=1_024).value(capsule.get("__schema_version__"))
    emit("event", capsule["__schema__"], own, attrs, {VERSION: version if type(version) is str else str(version)})


def time_of(text: Any) -> datetime | None:
    """The time of a capsule; None, which is now, where it says none. jupyter_events writes `...+00:00Z`."""
    if type(text) is not str:
        return None
    try:
        time = datetime.fromisoformat(text.removesuffix("Z"))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
