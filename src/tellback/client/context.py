"""What is bound to every record of a stretch of code: encoded once when it is bound, not once per record.

A context lives in a `ContextVar`, so it follows asyncio tasks by itself. A plain thread starts with what `init` was
given; `contextvars.copy_context().run` carries more into one.
"""

from contextvars import ContextVar
from typing import Any, Final

from tellback.client import encode
from tellback.client.clean import text
from tellback.record import FIELDS, MAX_TEXT

BINDABLE: Final = frozenset(FIELDS) - {"time", "kind", "name", "attrs", "duration", "value"}
"""The record's own fields that make sense for a stretch of code."""

_HEADS: Final = 512


class Context:
    """Bound values, and the bytes that stand for them in a line. Immutable but for its cache."""

    __slots__ = ("attrs", "fields", "heads", "keys", "made")

    def __init__(self, fields: dict[str, Any], attrs: dict[str, Any]) -> None:
        self.fields = fields
        self.attrs = attrs
        self.keys = frozenset(attrs)
        self.heads: dict[str, tuple[bytes, bytes]] = {}
        self.made: dict[object, Any] = {}
        """The like for other records than plain events, by who makes them: an emitter of a schema, an adapter."""

    def head(self, name: str) -> tuple[bytes, bytes]:
        """The part of an event's line between its time and its own attributes: with the brace open, and closed.

        Made once for each name; names are few. Above `_HEADS` of them (a name built from data) nothing is kept.
        """
        own = encode.encode({"kind": "event", "name": text(name, MAX_TEXT)[0], **self.fields})[1:-1]
        bound = encode.encode(self.attrs)[1:-1] if self.attrs else b""
        pair = (
            b"," + own + b',"attrs":{' + bound + (b"," if bound else b""),
            b"," + own + ((b',"attrs":{' + bound + b"}}\n") if bound else b"}\n"),
        )
        if len(self.heads) < _HEADS and len(name) <= MAX_TEXT:
            self.heads[name] = pair
        return pair

    def within(self, fields: dict[str, str]) -> "Context":
        """This context with ids of our own making or checking: they need no second look, and the attributes stay."""
        return Context({**self.fields, **fields}, self.attrs)

    def extended(self, given: dict[str, Any]) -> "Context":
        """This context with more values; what is given wins, None takes a value away."""
        fields, attrs = dict(self.fields), dict(self.attrs)
        before: list[str] = attrs.pop(encode.ALTERED, [])
        own = {key: value for key, value in given.items() if key in BINDABLE}
        rest = {key: value for key, value in given.items() if key not in BINDABLE}
        cleaned, altered_fields = encode.cleaned_fields(own)
        for key, value in own.items():
            if value is None:
                fields.pop(key, None)
        fields.update(cleaned)
        # Bounded well below a line, so that it leaves room for what a record says itself.
        new, altered = encode.cleaned_attrs(rest, text_limit=16_384, items=1_000)
        attrs.update(new)
        changed = [key for key in before if key not in new] + altered_fields + altered
        if changed:
            attrs[encode.ALTERED] = changed
        return Context(fields, attrs)


EMPTY: Final = Context({}, {})
current: ContextVar[Context] = ContextVar("tellback")
"""Empty outside of any `bound`: then `live.base` counts, which holds what `init` was given."""
