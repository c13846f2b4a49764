"""The real jupyter_events and jupyter_telemetry, with Tellback's handler among theirs, and Tellback's stand-in beside
the latter. Runs in their own environment, with Tellback's source on the path and `TELLBACK_URL`, `TELLBACK_TOKEN`
set.

Prints one JSON object: the lines that the libraries' own handlers wrote, and whether the server acknowledged
everything.
"""

import io
import json
import logging
import warnings
from datetime import UTC, datetime

warnings.simplefilter("ignore")  # both libraries use what is deprecated elsewhere

from jupyter_events import EventLogger  # noqa: E402
from jupyter_telemetry.eventlog import EventLog as TheirEventLog  # noqa: E402

import tellback  # noqa: E402
from tellback.adapters.jupyter_events import Handler  # noqa: E402
from tellback.adapters.jupyter_telemetry import EventLog  # noqa: E402

OPENED = {
    "$id": "https://example.org/opened",
    "version": "1",
    "title": "A document was opened.",
    "personal-data": True,
    "type": "object",
    "properties": {"path": {"type": "string"}, "message": {"type": "string"}},
    "required": ["path"],
}
SAVED = {**OPENED, "$id": "https://example.org/saved", "version": 2}
WHEN = datetime(2026, 11, 25, 10, 0, 0, 123456, tzinfo=UTC)
EVENTS = [{"path": "a.ipynb"}, {"path": "b.ipynb", "message": "naïve"}]


def written(stream: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def by_jupyter_events() -> list[dict]:
    stream = io.StringIO()
    logger = EventLogger(handlers=[Handler(), logging.StreamHandler(stream)])
    logger.register_event_schema(OPENED)
    for event in EVENTS:
        logger.emit(schema_id=OPENED["$id"], data=event)
    logger.emit(schema_id=OPENED["$id"], data={"path": "when"}, timestamp_override=WHEN)
    return written(stream)


def by_jupyter_telemetry(kind: type, handler: bool) -> list[dict]:
    stream = io.StringIO()
    handlers = [logging.StreamHandler(stream)]
    log = kind(handlers=[Handler(), *handlers] if handler else handlers, allowed_schemas=[SAVED["$id"]])
    log.register_schema(SAVED)
    log.register_schema({**SAVED, "$id": "https://example.org/not-allowed"})
    for event in EVENTS:
        log.record_event(SAVED["$id"], 2, event, timestamp_override=WHEN.replace(tzinfo=None))
    log.record_event("https://example.org/not-allowed", 2, EVENTS[0])
    return written(stream)


tellback.init(service="notebooks")
told = {
    "events": by_jupyter_events(),
    "theirs": by_jupyter_telemetry(TheirEventLog, handler=True),
    "ours": by_jupyter_telemetry(EventLog, handler=False),
}
told["acknowledged"] = tellback.flush(20)
tellback.close(0)
print(json.dumps(told))
