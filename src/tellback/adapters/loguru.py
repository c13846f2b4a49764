"""`sink`: what loguru logs, as records of kind `log`.

    loguru.logger.add(tellback.adapters.loguru.sink, format="", level=0)

`format=""` spares loguru the text that nobody reads here. Other sinks of loguru's go on as they did. What is bound
(`logger.bind`, `contextualize`) becomes attributes; an exception (`logger.exception`, `@logger.catch`) becomes a
record of kind `error`, too, and `attrs["error"]` holds its id. Needs nothing of loguru's.
"""

from typing import Any, Final

from tellback.client import errors, live
from tellback.client.encode import level_of_number
from tellback.client.events import emit

_OWN: Final = ("user", "session", "run", "trace", "span", "parent")


def sink(message: Any) -> None:
    """For `logger.add`. Never raises."""
    try:
        if live.spool is None:
            live.muted()
            return
        record: dict[str, Any] = message.record
        extra = dict(record["extra"])
        own: dict[str, Any] = {name: extra.pop(name) for name in _OWN if name in extra}
        time = int(record["time"].timestamp() * 1_000_000) * 1_000
        attrs = {
            "code.file.path": record["file"].path,
            "code.line.number": record["line"],
            "code.function.name": record["function"],
            **extra,
        }
        exception = record["exception"]
        if exception is not None and exception.value is not None:
            attrs["error"] = errors.record(exception.value, time=time, attrs={"logger": record["name"]})
        level = level_of_number(record["level"].no)
        emit("log", record["name"], {**own, "time": time, "level": level, "message": record["message"]}, attrs)
    except Exception:
        spool = live.spool
        if spool is not None:
            spool.lost.add("error")
