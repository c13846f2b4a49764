"""`LogHandler`: records of the standard library's `logging`, and the errors in them."""

import logging
from types import NoneType
from typing import Any, Final

from tellback.client import errors, live
from tellback.client.clean import Cleaner
from tellback.client.encode import level_of_number
from tellback.client.events import emit
from tellback.client.mask import masked

# What a LogRecord has of its own; all else came by `extra=`.
_OWN: Final = frozenset(logging.makeLogRecord({}).__dict__) | {"message", "asctime", "taskName"}

_MOST: Final = 4_096
_places: dict[tuple[str, int, str | None], dict[str, Any]] = {}


class LogHandler(logging.Handler):
    """Sends each log record as a record of kind `log`: the logger's name, the level, the formatted message. `template`
    and `args` (the text before formatting, by which equal messages group, and what was put into it), `extra=`,
    `stack` (with `stack_info`) and where it was logged go into `attrs`. What is named or looks like a secret is masked.

    With `exc_info` the exception becomes a record of kind `error`, too, and `attrs["error"]` holds its id.

        logging.getLogger().addHandler(tellback.LogHandler())

    Never raises, never blocks, and leaves the logger `tellback` alone. A record goes through without the handler's
    lock: an append needs none, and a fork cannot inherit it held.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        """Filter and emit, without the lock."""
        try:
            kept: Any = self.filter(record)  # since Python 3.12 a filter may give another record
            if isinstance(kept, logging.LogRecord):
                record = kept
            if kept:
                self.emit(record)
            return bool(kept)
        except Exception:
            return False

    def emit(self, record: logging.LogRecord) -> None:
        """Make the record. For `handle`; never raises."""
        try:
            if live.spool is None or record.name == "tellback" or record.name.startswith("tellback."):
                if live.spool is None:
                    live.muted()
                return
            attrs: dict[str, Any] = {}
            if record.args:
                attrs["args"] = record.args
            if record.stack_info:
                attrs["stack"] = record.stack_info
            values = record.__dict__
            if len(values) > len(_OWN) - 3:  # more than logging's own, or nearly; asked before looking at each
                attrs.update({key: value for key, value in values.items() if key not in _OWN})
            time = int(record.created * 1e9)
            exception = record.exc_info
            if exception and exception[1] is not None:
                attrs["error"] = errors.record(exception[1], time=time, attrs={"logger": record.name})
            own = {"time": time, "level": level_of_number(record.levelno), "message": _message(record)}
            emit("log", record.name, own, attrs, _place(record), mask=True)
        except Exception:
            spool = live.spool
            if spool is not None:
                spool.lost.add("error")


def _place(record: logging.LogRecord) -> dict[str, Any]:
    """Where it was logged, and the text before formatting. Cleaned once: the same for each record of that line."""
    template = record.msg if record.args else None
    key = (record.pathname, record.lineno, template) if type(template) in (str, NoneType) else None
    place = _places.get(key) if key else None
    if place is None:
        given = {
            "code.file.path": record.pathname,
            "code.line.number": record.lineno,
            "code.function.name": record.funcName,
            "template": template,
        }
        cleaner = Cleaner(text=16_384, mask=True)
        place = {name: cleaner.value(value) for name, value in given.items() if value is not None}
        if key and len(_places) < _MOST:
            _places[key] = place
    return place


def _message(record: logging.LogRecord) -> Any:
    # Formatting runs the host's __str__: that is what the host asked logging to do.
    try:
        said = record.getMessage()
        return masked(said) if type(said) is str else said
    except Exception:
        return f"{record.msg if type(record.msg) is str else '?'} (the arguments do not fit this text)"
