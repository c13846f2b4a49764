"""`EventLog`: stands in for jupyter_telemetry 0.1.0's class of that name; events go to Tellback, and to handlers too.

    from tellback.adapters.jupyter_telemetry import EventLog      # was: from jupyter_telemetry.eventlog import EventLog

    eventlog = EventLog(allowed_schemas=["https://example.org/opened"])
    eventlog.register_schema_file("opened.yaml")
    eventlog.record_event("https://example.org/opened", 1, {"path": "a.ipynb"})

The names, the arguments and the capsule are those of 0.1.0. What differs, and why:

- Events are recorded by Tellback also without `handlers`; where there are some they get the capsule as well.
- `allowed_schemas` may be a dict, as in its unreleased design, with what is allowed of each:
  `{id: {"allowed_categories": [...], "allowed_properties": [...]}}`; the rest becomes null. In a list, and in
  `{id: {}}`, all of an event is allowed.
- What is wrong with an event does not raise but is counted, as everywhere in Tellback; `strict=True` raises.
- `register_schema_file` takes a URL, too, as its README promises.
- It is no traitlets `Configurable`: what a configuration file said is given as an argument.
- A field that is called `message` reaches the handlers; 0.1.0 leaves it out.
"""

import json
import logging
import os
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from tellback.adapters.jupyter_events import Handler
from tellback.client import live
from tellback.client.schemas.allowed import Allowed, Redact, redaction
from tellback.client.schemas.document import Document
from tellback.client.schemas.emitter import Emitter, InvalidEventError, Registered
from tellback.client.schemas.load import load

METADATA_VERSION: Final = 1
"""Of the capsule's form."""


class EventLog:
    """Records events of registered schemas, each known by its id and version."""

    def __init__(
        self,
        handlers: Iterable[logging.Handler] | None = None,
        allowed_schemas: Iterable[str] | Mapping[str, Mapping[str, Iterable[str]]] = (),
        *,
        strict: bool = False,
    ) -> None:
        """Nothing is recorded but what `allowed_schemas` names; without it nothing is."""
        self.handlers = [handler for handler in handlers or () if not isinstance(handler, Handler)]
        self.allowed_schemas = allowed_schemas
        self.schemas: dict[tuple[str, Any], dict[str, Any]] = {}
        self._strict = strict
        self._registered: dict[tuple[str, Any], tuple[Emitter, Redact | None]] = {}
        # A logger of its own, so that two event logs do not write to each other's handlers.
        self.log = logging.Logger(f"{__name__}.{id(self)}", logging.INFO)
        for handler in self.handlers:
            handler.setFormatter(_Lines())
            self.log.addHandler(handler)

    def register_schema_file(self, filename: str | os.PathLike[str]) -> None:
        """Register the schema of a JSON or YAML file, or of a URL. `tellback.SchemaError`, a ValueError, says what is
        wrong with it; YAML needs the extra `tellback[schemas]`."""
        self._register(load(filename))

    def register_schema(self, schema: Mapping[str, Any]) -> None:
        """Register a schema, which must have `$id` and `version`. `tellback.SchemaError` says what is wrong with it."""
        self._register(load(schema))

    def record_event(
        self, schema_name: str, version: Any, event: Mapping[str, Any], timestamp_override: datetime | None = None
    ) -> None:
        """Record an event of a registered schema. A naive `timestamp_override` is UTC, as in 0.1.0."""
        if schema_name not in self.allowed_schemas:
            return
        known = self._registered.get((schema_name, version))
        if known is None:
            if self._strict:
                raise InvalidEventError(f"Schema {schema_name} version {version} not registered")
            _count(schema_name, version)
            return
        emitter, redact = known
        time = timestamp_override
        if time is not None and time.tzinfo is None:
            time = time.replace(tzinfo=UTC)
        emitter.record(event, time=time)
        if self.handlers and emitter.check(event) is None:
            data = dict(event)
            self.log.info(capsule(schema_name, version, redact(data) if redact else data, timestamp_override))

    def _register(self, document: Document) -> None:
        allowed = self._allowed(document.id)
        registered = Registered(document, self._strict, allowed)
        key = document.id, document.body["version"]
        self.schemas[key] = document.body
        self._registered[key] = registered.emitter(), redaction(document, allowed)

    def _allowed(self, schema: str) -> Allowed:
        if not isinstance(self.allowed_schemas, Mapping):
            return Allowed()
        said = self.allowed_schemas.get(schema) or {}
        return Allowed(said.get("allowed_categories"), said.get("allowed_properties"))


def capsule(schema: str, version: Any, event: Mapping[str, Any], time: datetime | None = None) -> dict[str, Any]:
    """An event as 0.1.0 hands it to a handler."""
    time = datetime.now(UTC).replace(tzinfo=None) if time is None else time
    return {
        "__timestamp__": time.isoformat() + "Z",
        "__schema__": schema,
        "__schema_version__": version,
        "__metadata_version__": METADATA_VERSION,
        **event,
    }


class _Lines(logging.Formatter):
    """One line of JSON for each capsule."""

    def format(self, record: logging.LogRecord) -> str:
        return json.dumps(record.msg)


def _count(schema: str, version: Any) -> None:
    """An event of a schema that nobody registered."""
    spool = live.spool
    if spool is None:
        live.muted()
        return
    spool.lost.add("invalid", attrs={"schema": str(schema), "version": str(version), "reason": "not registered"})
    spool.awake()
