"""`schema`: gives the function that records a schema's events, and does what that function does not do itself."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol

from tellback.client import live, notice
from tellback.client.clean import type_name
from tellback.client.events import emit as emit_record
from tellback.client.schemas import checks, fallback
from tellback.client.schemas.allowed import Allowed, redaction
from tellback.client.schemas.document import Document, SchemaError
from tellback.client.schemas.load import Source, load
from tellback.client.schemas.quick import VERSION, generated
from tellback.record import FIELDS

if TYPE_CHECKING:
    from datetime import datetime

Modifier = Callable[[str, dict[str, Any]], dict[str, Any]]
Listener = Callable[[str, dict[str, Any]], object]

_OWN: Final = frozenset(FIELDS) - {"kind", "name", "attrs"}

_seen: dict[tuple[str, str], dict[str, Any]] = {}


class InvalidEventError(ValueError):
    """An event does not fit its schema. Raised by emitters made with `strict=True` only."""


class Emitter(Protocol):
    """What `tellback.schema` returns: a function with these attributes. (An object with `__call__` would cost each
    event 150 ns more.)"""

    id: str
    """The schema's `$id`, and the name of its events."""
    version: str
    compiled: bool
    """Whether the schema was compiled; if not, `why` says what stood in the way."""
    why: str
    check: Callable[[Any], str | None]
    """None, or where and how a value breaks the schema. Records nothing."""

    def __call__(self, *args: Any, **properties: Any) -> None:
        """Record an event; properties by name, or by position in the order of the schema."""

    def record(self, data: Mapping[str, Any], *, time: "int | float | datetime | None" = None, **own: Any) -> None:
        """Record an event from data at hand. `time` and the record's other own fields as in `tellback.event`."""

    def add_modifier(self, modifier: Modifier) -> None:
        """Have `modifier(id, data)` give the data to record instead; it gets a copy, before it is checked."""

    def remove_modifier(self, modifier: Modifier) -> None: ...

    def add_listener(
        self, listener: Listener, *, categories: Iterable[str] | None = None, properties: Iterable[str] | None = None
    ) -> None:
        """Have `listener(id, data)` called for each good event, whether or not it is recorded; it gets a copy, with
        null for what its own `categories` and `properties` do not allow."""

    def remove_listener(self, listener: Listener) -> None: ...


def schema(
    source: Source,
    *,
    strict: bool = False,
    categories: Iterable[str] | None = None,
    properties: Iterable[str] | None = None,
) -> Emitter:
    """An emitter of events that fit a JSON Schema (draft 7 or 2020-12; without `$schema` it is 2020-12).

        exported = tellback.schema("export.json")       # a dict, a path of JSON or YAML, or a URL
        exported(rows=1200, path="/out/a.ma")

    The schema needs `$id`, the name of its events, and `version`; the version is recorded as
    `attrs["tellback.schema_version"]`. Several versions of one `$id` may be in use side by side.

    `categories` are those allowed to be recorded, `properties` the top-level ones allowed whatever their categories;
    what is not allowed is recorded as null. Without either, everything is.

    An event that does not fit is not recorded but counted, by schema and reason, and never raises. With `strict` it
    raises `InvalidEventError`, also before `init`: for tests. `format` is an annotation and is not checked.

    Raises `SchemaError` when the schema is none, or needs the extra `tellback[schemas]`. YAML does; so does what cannot
    be compiled and is left to jsonschema-rs, which the logger `tellback` says once. A URL is waited for, 10 s at most.
    """
    document = load(source)
    known = _seen.setdefault((document.id, document.version), document.body)
    if known != document.body:
        notice.once(
            f"schema {document.id} {document.version}",
            f"Two different schemas call themselves {document.id} version {document.version}; both are used. "
            "Give the changed one a new version.",
        )
    return Registered(document, strict, Allowed(categories, properties)).emitter()


class Registered:
    """What an emitter knows: its checks, modifiers and listeners."""

    def __init__(self, document: Document, strict: bool, allowed: Allowed) -> None:
        self.document = document
        self.strict = strict
        self.allowed = allowed
        self.redact = redaction(document, allowed)
        self.why = ""
        try:
            self._check = checks.compiled(document)
        except checks.UncompilableError as error:
            self.why = str(error)
            self._check = fallback.checker(document, self.why)
            notice.once(
                f"slow {document.id} {document.version}",
                f"The schema {document.id} version {document.version} is checked by jsonschema-rs, "
                f"which costs more per event: {self.why} cannot be compiled.",
            )
        self.modifiers: list[Modifier] = []
        self.listeners: list[tuple[Listener, Callable[[dict[str, Any]], dict[str, Any]] | None]] = []
        self.quick = True

    def emitter(self) -> Emitter:
        emit: Any = generated(self.document, self.allowed, self, self.careful)
        self.call: Callable[..., None] = emit
        emit.__name__ = emit.__qualname__ = "emit"
        emit.__doc__ = str(self.document.body.get("description") or self.document.body.get("title") or "")
        emit.id, emit.version = self.document.id, self.document.version
        emit.compiled, emit.why = not self.why, self.why
        emit.check = self.check
        emit.record = self.record
        emit.add_modifier, emit.remove_modifier = self.add_modifier, self.remove_modifier
        emit.add_listener, emit.remove_listener = self.add_listener, self.remove_listener
        emitter: Emitter = emit
        return emitter

    def check(self, value: Any) -> str | None:
        try:
            reason = self._check(value)
        except RecursionError:
            reason = ": nested too deeply"
        except RuntimeError:  # another thread changes it meanwhile
            reason = ": changed while it was checked"
        return reason.removeprefix(": ") if reason else None

    def careful(self, data: dict[str, Any], more: tuple[Any, ...]) -> None:
        """For the generated function."""
        self._take(data, {}, "more values than the schema has properties" if more else None)

    def record(self, data: Mapping[str, Any], *, time: Any = None, **own: Any) -> None:
        if time is None and not own and self.quick and type(data) is dict:
            try:
                self.call(**data)
                return
            except TypeError:  # a key that is no text
                pass
        wrong = sorted(set(own) - _OWN)
        if type(data) is not dict:
            self._take({}, {}, "not an object (a dict)")
        else:
            self._take(data, {"time": time, **own}, f"no field of a record: {', '.join(wrong)}" if wrong else None)

    def _take(self, data: dict[str, Any], own: dict[str, Any], reason: str | None) -> None:
        try:
            if live.spool is None and not self.strict and not self.listeners:
                live.muted()
                return
            if reason is None:
                for modifier in self.modifiers:
                    data = modifier(self.document.id, dict(data))
                reason = self.check(data) if type(data) is dict else "not an object (a dict)"
            if reason is None:
                self._tell(data)
                clean = {VERSION: self.document.version}
                emit_record("event", self.document.id, own, self.redact(data) if self.redact else data, clean)
                return
        except Exception as error:  # a modifier of the host's
            if self.strict:
                raise
            reason = f"its modifier raised {type_name(type(error))}"
        if self.strict:
            raise InvalidEventError(f"{self.document.id} version {self.document.version}: {reason}")
        self._count(reason)

    def _count(self, reason: str) -> None:
        spool = live.spool
        if spool is None:
            live.muted()
            return
        what = {"schema": self.document.id, "version": self.document.version, "reason": reason}
        spool.lost.add("invalid", attrs=what)
        spool.awake()  # the keeper tells of it, also of a process all of whose events are wrong

    def _tell(self, data: dict[str, Any]) -> None:
        for listener, redact in list(self.listeners):
            try:
                listener(self.document.id, redact(data) if redact else dict(data))
            except Exception as error:
                if self.strict:
                    raise
                notice.once(
                    f"listener {self.document.id}",
                    f"A listener to {self.document.id} raised {type_name(type(error))}; it goes on being called.",
                )

    def add_modifier(self, modifier: Modifier) -> None:
        self.modifiers.append(modifier)
        self.quick = False

    def remove_modifier(self, modifier: Modifier) -> None:
        self.modifiers = [one for one in self.modifiers if one is not modifier]
        self.quick = not self.modifiers and not self.listeners

    def add_listener(
        self, listener: Listener, *, categories: Iterable[str] | None = None, properties: Iterable[str] | None = None
    ) -> None:
        self.listeners.append((listener, redaction(self.document, Allowed(categories, properties))))
        self.quick = False

    def remove_listener(self, listener: Listener) -> None:
        self.listeners = [one for one in self.listeners if one[0] is not listener]
        self.quick = not self.modifiers and not self.listeners


__all__ = ["Emitter", "InvalidEventError", "SchemaError", "schema"]
