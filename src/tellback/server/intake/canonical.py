"""Canonical lines: what the journal holds and every engine loads.

A line is decoded into typed fields and encoded again, so known keys stand once, all text is UTF-8 without lone
surrogates, integers fit 64 bits, numbers are finite and nesting is bounded: one line that an engine refuses would make
it refuse the whole file. Most lines take the fast way, two C calls; what does not fit it takes the slow way, which
repairs what can be repaired and says what cannot.

NUL characters are kept: DuckDB and ClickHouse hold them in text, as JSON escapes in `attrs`.
"""

import datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from tellback.record import (
    INT64_MAX,
    INT64_MIN,
    KINDS,
    LEVEL_ALIASES,
    LEVELS,
    MAX_DEPTH,
    MAX_TEXT,
    PROCESS_FIELDS,
    Line,
)

ALTERED = "tellback.altered"

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_Moment = Annotated[datetime.datetime, Meta(tz=True)]

MAX_CANONICAL = 4 << 20
"""Bytes of a canonical line. Encoding may lengthen a line (`1e15` becomes `1000000000000000.0`), and the loader reads
lines into buffers of bounded size."""

Int = Annotated[int, Meta(ge=INT64_MIN, le=INT64_MAX)]
Text = Annotated[str, Meta(max_length=MAX_TEXT)] | UnsetType | None
Scalar = str | Int | float | bool | None
# msgspec cannot name a type within itself, so the fast way knows containers to this depth; deeper goes the slow way.
_Inner = Scalar | list[Scalar] | dict[str, Scalar]
_Outer = Scalar | list[_Inner] | dict[str, _Inner]
Attrs = dict[str, _Outer]


class Own(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A line that can be kept as it is. The fields are `record.Line`'s, with what the columns demand of them."""

    time: Int | UnsetType = UNSET
    kind: Literal["event", "log", "error", "metric", "span", "usage", "profile", "lost"] = "event"
    name: Text = UNSET
    level: Literal["trace", "debug", "info", "warn", "error", "fatal"] | UnsetType | None = UNSET
    message: str | UnsetType | None = UNSET
    user: Text = UNSET
    session: Text = UNSET
    run: Text = UNSET
    trace: Text = UNSET
    span: Text = UNSET
    parent: Text = UNSET
    duration: Int | UnsetType | None = UNSET
    value: float | UnsetType | None = UNSET
    attrs: Attrs | UnsetType | None = UNSET


class Inline(Own, forbid_unknown_fields=True, gc=False):
    """The same with what is constant for a process in the line itself, as curl sends it."""

    service: Text = UNSET
    release: Text = UNSET
    environment: Text = UNSET
    host: Text = UNSET
    os: Text = UNSET
    python: Text = UNSET
    pid: Int | UnsetType | None = UNSET
    start: Int | UnsetType | None = UNSET


_INTS = ("time", "duration", "pid", "start")
_UNBOUNDED = frozenset({"message"})
_TEXTS = frozenset(
    name for name in (*Line.__struct_fields__, *PROCESS_FIELDS) if name not in (*_INTS, "kind", "value", "attrs")
)
_KNOWN = frozenset(Inline.__struct_fields__)

decode_own = msgspec.json.Decoder(Own).decode
decode_inline = msgspec.json.Decoder(Inline).decode
decode_any = msgspec.json.Decoder().decode
encode = msgspec.json.Encoder().encode


class Bad(ValueError):  # noqa: N818 - the line is bad, not the program
    """A line that cannot be kept; the text says what is wrong and where in it."""


def parse(line: bytes) -> Any:
    """One JSON text, or `Bad`."""
    try:
        return decode_any(line)
    except UnicodeDecodeError as error:
        raise Bad(f"not UTF-8: {error.reason} 0x{error.object[error.start]:02x}") from None
    except RecursionError:
        raise Bad(f"nested deeper than {MAX_DEPTH}") from None
    except msgspec.DecodeError as error:
        reason = str(error).removeprefix("JSON is malformed: ")
        if "truncated" in reason or "surrogate" in reason:
            reason = "cut short" + (", or a lone surrogate (\\ud800 to \\udfff)" if b"\\u" in line else "")
        raise Bad(f"broken JSON: {reason}") from None


def repaired(value: Any, received: int) -> Inline:
    """The slow way: any decoded JSON object as a line that can be kept. Foreign wires end here too.

    Unknown keys move into `attrs`, words for levels become OpenTelemetry's, RFC 3339 times become ns. What had to be
    changed is listed in `attrs["tellback.altered"]`. Raises `Bad`.
    """
    if not isinstance(value, dict):
        raise Bad(f"expected a JSON object, got {_type(value)}")
    altered: list[str] = []
    attrs = _attrs(value, altered)
    fields: dict[str, Any] = {"time": _time(value.get("time"), received), "kind": _kind(value.get("kind"))}
    if (level := value.get("level")) is not None:
        fields["level"] = _level(level, attrs, altered)
    for name in _INTS[1:]:
        if (given := value.get(name)) is not None:
            fields[name] = _int(name, given)
    for name in _TEXTS - {"level"}:
        if (given := value.get(name)) is not None:
            fields[name] = _text(name, given, altered)
    if (number := value.get("value")) is not None:
        fields["value"] = _number(number)
    if altered:
        listed = attrs.get(ALTERED)
        known = [word for word in listed if isinstance(word, str)] if isinstance(listed, list) else []
        attrs[ALTERED] = known + [word for word in altered if word not in known]
    if attrs:
        fields["attrs"] = attrs
    return Inline(**fields)


def _attrs(value: dict[str, Any], altered: list[str]) -> dict[str, Any]:
    given = value.get("attrs")
    if given is not None and not isinstance(given, dict):
        raise Bad(f"attrs: expected an object, got {_type(given)}")
    attrs: dict[str, Any] = {}
    for key, item in (given or {}).items():
        attrs[key] = _bounded(item, 3, key, altered)
    for key, item in value.items():
        if key not in _KNOWN:
            # What stands in attrs under the same name was put there on purpose; the outer one steps aside.
            attrs[_free(attrs, key)] = _bounded(item, 3, key, altered)
    return attrs


def _free(attrs: dict[str, Any], key: str) -> str:
    while key in attrs:
        key += "_"
    return key


def _bounded(value: Any, depth: int, key: str, altered: list[str]) -> Any:
    """A copy that every engine can hold: integers beyond 64 bits become decimal text. `depth` is that of `value`'s
    own items, the line's object being 1."""
    if isinstance(value, int) and not isinstance(value, bool):
        if INT64_MIN <= value <= INT64_MAX:
            return value
        if key not in altered:
            altered.append(key)
        return str(value)
    if isinstance(value, dict | list):
        if depth > MAX_DEPTH:
            raise Bad(f"attrs.{key}: nested deeper than {MAX_DEPTH}")
        if isinstance(value, dict):
            return {name: _bounded(item, depth + 1, key, altered) for name, item in value.items()}
        return [_bounded(item, depth + 1, key, altered) for item in value]
    return value


def _time(value: Any, received: int) -> int:
    if value is None:
        return received
    if isinstance(value, str):
        return nanoseconds(value)
    return _int("time", value, "integer ns since epoch or RFC 3339 text")


def nanoseconds(text: str) -> int:
    """RFC 3339 text (a zone is needed, any number of decimals counts to the ns) as ns since epoch. Raises `Bad`."""
    wrong = Bad(f"time: expected integer ns since epoch or RFC 3339 text with a zone, got {_shown(text)}")
    head, point, tail = text.partition(".")
    decimals = ""
    if point:
        decimals = tail[: len(tail) - len(tail.lstrip("0123456789"))]
        if not decimals:
            raise wrong
        text = head + tail[len(decimals) :]
    try:
        moment = msgspec.convert(text, _Moment)
    except (msgspec.ValidationError, ValueError):
        raise wrong from None
    since = moment - _EPOCH
    time = (since.days * 86400 + since.seconds) * 1_000_000_000 + int(decimals[:9].ljust(9, "0"))
    if not INT64_MIN <= time <= INT64_MAX:
        raise Bad(f"time: {_shown(text)} is outside 1677 to 2262, the years that ns in 64 bits reach")
    return time


def _kind(value: Any) -> Any:
    if value is None:
        return "event"
    if not isinstance(value, str) or value not in KINDS:
        raise Bad(f"kind: expected one of {', '.join(sorted(KINDS))}, got {_shown(value)}")
    return value


def _level(value: Any, attrs: dict[str, Any], altered: list[str]) -> Any:
    if not isinstance(value, str):
        raise Bad(f"level: expected text, got {_shown(value)}")
    level: str = _text("level", value, altered).strip().lower()
    return LEVEL_ALIASES.get(level, level) if level not in LEVELS else level


def _int(name: str, value: Any, expected: str = "integer") -> int:
    if name == "duration":
        expected = "integer ns"
    if isinstance(value, bool) or not isinstance(value, int):
        raise Bad(f"{name}: expected {expected}, got {_shown(value)}")
    if not INT64_MIN <= value <= INT64_MAX:
        raise Bad(f"{name}: {_shown(value)} does not fit 64 bits")
    return value


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Bad(f"value: expected a number, got {_shown(value)}")
    try:
        return float(value)
    except OverflowError:
        raise Bad("value: the number is out of range") from None


def _text(name: str, value: Any, altered: list[str]) -> str:
    if not isinstance(value, str):
        raise Bad(f"{name}: expected text, got {_shown(value)}")
    if len(value) > MAX_TEXT and name not in _UNBOUNDED:
        altered.append(name)
        return value[:MAX_TEXT]
    return value


def _type(value: Any) -> str:
    names: dict[type, str] = {dict: "an object", list: "an array", str: "text", bool: "true or false"}
    return "null" if value is None else names.get(type(value), "a number")


def _shown(value: Any) -> str:
    text = encode(value).decode()
    return text if len(text) <= 60 else text[:57] + "..."
