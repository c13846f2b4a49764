"""From a record's parts to one line of the spool.

The usual event does not come here (see `events`); this is the way for all that needs care, and for whatever is no
event. It never raises and never runs the host's code.
"""

import time as clock
from typing import Any, Final

import msgspec

from tellback.client.clean import Cleaner, text, type_name
from tellback.record import INT64_MAX, INT64_MIN, LEVEL_ALIASES, LEVELS, MAX_LINE, MAX_TEXT

ALTERED: Final = "tellback.altered"
MAX_MESSAGE: Final = 131_072
"""Characters of a message: four bytes each at most, so that it always fits a line."""

encode = msgspec.json.Encoder().encode

_KNOWN_LEVELS = {level: level for level in LEVELS} | LEVEL_ALIASES
_TEXTS = ("kind", "name", "user", "session", "run", "trace", "span", "parent")


def line(fields: dict[str, Any], attrs: dict[str, Any], clean: dict[str, Any] | None = None) -> bytes:
    """One line of NDJSON with its newline, at most MAX_LINE bytes, of anything at all.

    `fields` are the record's own by name (None is absent); `attrs` the rest, whose keys are str; `clean` more of them
    that this package made and that need no second look. What could not stay as it came is named in
    `attrs["tellback.altered"]`.
    """
    try:
        own, altered = cleaned_fields(fields)
        if "time" not in own:
            own = {"time": clock.time_ns(), **own}
        before = attrs.get(ALTERED)
        if type(before) is list:  # of the context, whose values were cleaned when they were bound
            attrs = {key: value for key, value in attrs.items() if key != ALTERED}
            altered = altered + [key for key in before if key not in altered]
        return _bounded(own, attrs, altered, clean or {})
    except Exception as error:  # Never in the way: a record that says only what went wrong beats an exception
        own = {"time": clock.time_ns(), "kind": "event", "name": "tellback.unencodable"}
        return encode({**own, "attrs": {"reason": type_name(type(error)), ALTERED: ["*"]}}) + b"\n"


def _bounded(own: dict[str, Any], attrs: dict[str, Any], altered: list[str], clean: dict[str, Any]) -> bytes:
    for limit, items in ((262_144, 20_000), (8_192, 1_000), (256, 64)):
        cleaned, changed = cleaned_attrs(attrs, text_limit=limit, items=items)
        cleaned.update(clean)
        changed = altered + changed
        if changed:
            cleaned[ALTERED] = changed
        if cleaned:
            own["attrs"] = cleaned
        out = encode(own) + b"\n"
        if len(out) <= MAX_LINE:
            return out
        attrs, clean = {**attrs, **clean}, {}
    # Thousands of attributes: as many as surely fit, the rest by its count.
    kept = dict(list(cleaned.items())[:256])
    own["attrs"] = {**kept, ALTERED: ["*"], "tellback.attributes": len(attrs)}
    return encode(own) + b"\n"


def cleaned_attrs(
    attrs: dict[str, Any], *, text_limit: int = 262_144, items: int = 20_000
) -> tuple[dict[str, Any], list[str]]:
    """Attributes that JSON and the store can hold, and the names of those that had to be changed."""
    cleaner = Cleaner(text=text_limit, items=items)
    out: dict[str, Any] = {}
    altered: list[str] = []
    for key, value in list(attrs.items()):
        cleaner.altered = False
        name = cleaner.key(key)
        out[name] = cleaner.value(value)
        if cleaner.altered:
            altered.append(name)
    return out, altered


def cleaned_fields(given: dict[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The record's own fields in the types the line wants, and the names of those changed or left out."""
    own: dict[str, Any] = {}
    altered: list[str] = []
    for name, value in given.items():
        if value is None:
            continue
        try:
            own[name], same = _field(name, _exact(value))
        except Exception:  # a value that breaks its own reading (an impossible datetime)
            own[name], same = None, False
        if not same:
            altered.append(name)
        if own[name] is None:
            del own[name]
    return own, altered


def _exact(value: Any) -> Any:
    """The plain text or number in a value of a class made from str, int or float: a StrEnum's member as name, numpy's
    float as value. Asked of the base class itself, so that no method of the host's own class is run."""
    kind = type(value)
    if issubclass(kind, str):
        return str.__str__(value)
    if issubclass(kind, float):
        return float.__float__(value)
    if issubclass(kind, int) and kind is not bool:
        return int.__int__(value)
    return value


def _field(name: str, value: Any) -> tuple[Any, bool]:
    """A record's own field in the type the line wants, and whether it says what was given."""
    if name in _TEXTS:
        return _column(value)
    if name == "message":
        cleaner = Cleaner(text=MAX_MESSAGE)
        out = cleaner.value(value)
        return (out if type(out) is str else encode(out).decode()[:MAX_MESSAGE]), not cleaner.altered
    if name == "level":
        return level_of(value)
    if name == "time":
        return time_of(value)
    if name == "duration":
        return _duration(value)
    if name == "value":
        if type(value) is float or type(value) is int:
            number = float(value)
            return (number, True) if number - number == 0.0 else (None, False)
        return None, False
    raise KeyError(name)  # a slip in this package; `line` makes a record of it


def _column(value: Any) -> tuple[str, bool]:
    if type(value) is str:
        out, changed = text(value, MAX_TEXT)
        return out, not changed
    cleaner = Cleaner(depth=0, text=MAX_TEXT)
    cleaned = cleaner.value(value)
    # A number is a fine user or run; its decimal text says the same.
    return (cleaned if type(cleaned) is str else encode(cleaned).decode()), not cleaner.altered


def level_of(value: Any) -> tuple[str, bool]:
    """OpenTelemetry's word for a level given as a word or as one of logging's numbers."""
    if type(value) is str:
        word = value.lower()
        if word in _KNOWN_LEVELS:
            return _KNOWN_LEVELS[word], True
        return _column(word)
    if type(value) is int:
        return level_of_number(value), True
    return _column(value)


def level_of_number(number: int) -> str:
    """OpenTelemetry's word for a level of `logging`; numbers in between count as the next lower one."""
    if number >= 50:
        return "fatal"
    if number >= 40:
        return "error"
    if number >= 30:
        return "warn"
    if number >= 20:
        return "info"
    return "debug" if number >= 10 else "trace"


def time_of(value: Any) -> tuple[int | None, bool]:
    """ns since epoch from an int of ns, a float of seconds, or a datetime (naive: local time)."""
    kind = type(value)
    if kind is float:
        value = round(value * 1e9)
    elif kind is not int:
        import datetime

        if kind is not datetime.datetime or Cleaner().value(value)[:1] == "<":
            return None, False
        epoch = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
        value = (value.astimezone(epoch.tzinfo) - epoch) // datetime.timedelta(microseconds=1) * 1000
    return (value, True) if INT64_MIN <= value <= INT64_MAX else (None, False)


def _duration(value: Any) -> tuple[int | None, bool]:
    kind = type(value)
    if kind is float:
        value = round(value)
    elif kind is not int:
        import datetime

        if kind is not datetime.timedelta:
            return None, False
        value = value // datetime.timedelta(microseconds=1) * 1000
    return (value, True) if INT64_MIN <= value <= INT64_MAX else (None, False)
