"""Makes anything a host hands over into what a line can hold, within bounds and without running the host's code.

Only exact builtin types are looked into; whatever else becomes `<module.Class>`. A host's `__repr__`, `__str__`,
`__iter__`, `__eq__` or `__hash__` may raise, log, block or change state, so none of them is ever called. A few exact
types of the standard library have a text that loses nothing (a UUID, a date, a path ...) and are written as that text.
"""

import sys
from itertools import islice
from typing import Any, Final

from tellback.record import INT64_MAX, INT64_MIN, MAX_DEPTH

# The line's own object and `attrs` are two levels; one is kept in hand for the server.
DEPTH: Final = MAX_DEPTH - 3
NODES: Final = 20_000
TEXT: Final = 262_144
HIDDEN: Final = "[masked]"

_module_of = type.__dict__["__module__"].__get__
_name_of = type.__dict__["__qualname__"].__get__


def type_name(of: type) -> str:
    """`module.Class`, `Class` for builtins. Read from the type itself: a metaclass of the host's is not asked."""
    try:
        module, name = _module_of(of), _name_of(of)
    except Exception:  # a heap type without __module__
        return "object"
    if type(module) is not str or module == "builtins":
        return str(name)
    return f"{module}.{name}"


def text(value: str, limit: int) -> tuple[str, bool]:
    """An exact str as valid UTF-8 of at most `limit` characters, and whether that changed it."""
    changed = False
    if len(value) > limit:
        value, changed = value[: limit - 1] + "…", True
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:  # a lone surrogate: os.fsdecode makes them of undecodable file names
            value, changed = value.encode("utf-8", "replace").decode(), True
    return value, changed


def _plain_zone(value: Any) -> bool:
    # A tzinfo of the host's would be asked for its offset while the text is made.
    zone = value.tzinfo
    if zone is None:
        return True
    kind = type(zone)
    return (_module_of(kind), _name_of(kind)) in (("datetime", "timezone"), ("zoneinfo", "ZoneInfo"))


def _lossless(value: Any, kind: type) -> str | None:
    """The text of an exact standard-library value, or None. Nothing is imported: who has one has its module."""
    module, name = _module_of(kind), _name_of(kind)
    if module in _LOSSLESS_MODULES and name in _LOSSLESS:
        home = sys.modules.get(module)
        # By identity with what the module holds: a class may call itself anything.
        if home is not None and home.__dict__.get(name) is kind:
            if name in ("datetime", "time") and not _plain_zone(value):
                return None
            return str(value.isoformat()) if name in ("datetime", "time", "date") else str(value)
    return None


_LOSSLESS_MODULES = frozenset({"datetime", "uuid", "decimal", "fractions", "pathlib", "pathlib._local"})
_LOSSLESS = frozenset(
    {"datetime", "date", "time", "timedelta", "UUID", "Decimal", "Fraction", "PosixPath", "WindowsPath"}
    | {"PurePosixPath", "PureWindowsPath"}
)


class Cleaner:
    """One pass over one record: how much may still be looked at, and whether the value in hand was changed."""

    __slots__ = ("altered", "depth", "items", "mask", "nodes", "text")

    def __init__(
        self,
        *,
        depth: int = DEPTH,
        nodes: int = NODES,
        text: int = TEXT,
        items: int = NODES,
        mask: "frozenset[str] | None" = None,
    ) -> None:
        self.depth = depth  # levels of nesting
        self.nodes = nodes  # values in all
        self.text = text  # characters of one text
        self.items = items  # of one container
        self.mask = mask  # lower-case parts of names whose values are hidden
        self.altered = False

    def value(self, value: Any, depth: int = 0) -> Any:
        """What stands for `value` in the line; sets `altered` where that is not the value itself."""
        kind = type(value)
        if kind is str:
            value, changed = text(value, self.text)
            self.altered |= changed
            return value
        if value is None or kind is bool:
            return value
        if kind is int:
            if INT64_MIN <= value <= INT64_MAX:
                return value
            self.altered = True
            return _digits(value)
        if kind is float:
            if value - value == 0.0:
                return value
            self.altered = True  # JSON has no word for it
            return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"
        if kind is dict or kind is list or kind is tuple or kind is set or kind is frozenset:
            return self._container(value, kind, depth)
        if kind is bytes or kind is bytearray:
            self.altered = True
            return bytes(value[: self.text]).decode("utf-8", "replace")
        known = _lossless(value, kind)
        if known is not None:
            return known[: self.text]
        self.altered = True
        return f"<{type_name(kind)}>"

    def _container(self, value: Any, kind: type, depth: int) -> Any:
        if depth >= self.depth or self.nodes <= 0:
            self.altered = True
            return f"<{kind.__name__} of {len(value)}>"
        try:
            # A copy in one C call, because another thread may change the container meanwhile, and no more of it than is
            # looked at: a local variable may hold a hundred million items.
            room = min(self.items, self.nodes)
            parts = list(islice(value.items() if kind is dict else value, room + 1))
        except RuntimeError:
            self.altered = True
            return f"<{kind.__name__} changing>"
        if len(parts) > room:
            del parts[room:]
            self.altered = True
        self.nodes -= len(parts)
        if kind is dict:
            return self._mapping(parts, depth)
        return [self.value(part, depth + 1) for part in parts]

    def _mapping(self, parts: list[tuple[Any, Any]], depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for key, part in parts:
            name = self.key(key)
            if name in out:  # 1 and "1" are two keys in Python and one in JSON
                self.altered = True
                count = 2
                while f"{name} ({count})" in out:
                    count += 1
                name = f"{name} ({count})"
            if self.mask is not None and is_secret(name, self.mask):
                out[name] = HIDDEN
            else:
                out[name] = self.value(part, depth + 1)
        return out

    def key(self, key: Any) -> str:
        """A JSON key for any dict key."""
        if type(key) is str:
            key, changed = text(key, 1024)
            self.altered |= changed
            return str(key)
        self.altered = True
        cleaned = self.value(key, self.depth)
        return cleaned if type(cleaned) is str else "null" if cleaned is None else str(cleaned)


def is_secret(name: str, mask: frozenset[str]) -> bool:
    """Whether a name says that its value is a secret (`password`, `db_password`, `X-API-Key` ...)."""
    name = name.lower().replace("-", "_")
    return any(part in name for part in mask)


def _digits(value: int) -> str:
    """Decimal text of an int. Python refuses to make one of more than 4300 digits, and takes long about it."""
    if value.bit_length() > 4096:
        return f"<int of {value.bit_length()} bits>"
    return str(value)
