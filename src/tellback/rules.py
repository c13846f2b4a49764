"""What may be recorded: the rules of a watched file, of the environment, and of a server. Client and server read them.

    {"disable_all": false,
     "disable": ["kind:log", "name:debug.*"],
     "sample": {"name:mouse_moved": 0.1},
     "rate": {"heartbeat": "10/s", "kind:log": "1000/min"}}

A selector is `kind:KIND`, `name:NAME`, or a name alone; `*` stands for any characters. A schema's events carry its
name.
`docs/spec/control.md` has the format in words.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec

from tellback.record import KINDS

MAX_RULES: Final = 1_000
MAX_SELECTOR: Final = 500
KEYS: Final = ("disable_all", "disable", "sample", "rate")

_UNITS: Final = {"s": 1.0, "min": 60.0, "h": 3600.0}
_RATE: Final = re.compile(r"(\d{1,9})\s*/\s*(s|min|h)")


class RulesError(ValueError):
    """Says what is wrong, where, and what would be right."""


class Selector(msgspec.Struct, frozen=True):
    """Chooses records by kind or by name."""

    text: str
    kind: bool
    pattern: str

    def covers(self, kind: str, name: str) -> bool:
        """Whether it chooses records of this kind and name."""
        value = kind if self.kind else name
        first, *parts = self.pattern.split("*")
        if not parts:
            return value == first
        last = parts.pop()
        if len(value) < len(first) + len(last) or not (value.startswith(first) and value.endswith(last)):
            return False
        # The leftmost place of each part is the best one. A regular expression would try all of them, for hours.
        at, end = len(first), len(value) - len(last)
        for part in parts:
            found = value.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True


class Rate(msgspec.Struct, frozen=True):
    """`count` records in `seconds`."""

    count: int
    seconds: float


class Verdict(msgspec.Struct, frozen=True):
    """What becomes of the records of one kind and name."""

    disabled: bool = False
    sample: float = 1.0
    """The share that is kept."""
    rate: Rate | None = None


class Rules(msgspec.Struct, frozen=True):
    """Of one source. Without any, everything is recorded."""

    disable_all: bool = False
    disable: tuple[Selector, ...] = ()
    sample: tuple[tuple[Selector, float], ...] = ()
    rate: tuple[tuple[Selector, Rate], ...] = ()

    @property
    def empty(self) -> bool:
        """They change nothing."""
        return self == NONE

    def verdict(self, kind: str, name: str) -> Verdict:
        """Of several selectors for a share or a rate one by name counts before one by kind, and the longest of those;
        one that disables is enough."""
        if any(selector.covers(kind, name) for selector in self.disable):
            return Verdict(disabled=True)
        sample = _closest(self.sample, kind, name)
        return Verdict(sample=1.0 if sample is None else sample, rate=_closest(self.rate, kind, name))


NONE: Final = Rules()


def parse(raw: bytes | str) -> Rules:
    """Rules from JSON. RulesError."""
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise RulesError(f"not JSON ({error})") from None
    return of(value)


def of(value: Any) -> Rules:
    """Rules from what JSON holds. RulesError."""
    if not isinstance(value, dict):
        raise RulesError('expected an object such as {"disable_all": true}')
    for key in value:
        if key not in KEYS:
            raise RulesError(f"{key}: no such rule; there are {', '.join(KEYS)}")
    disable_all = value.get("disable_all", False)
    if not isinstance(disable_all, bool):
        raise RulesError(f"disable_all: expected true or false, got {_short(disable_all)}")
    disable = value.get("disable", [])
    if not isinstance(disable, list):
        raise RulesError(f'disable: expected a list such as ["kind:log", "name:debug.*"], got {_short(disable)}')
    shares, rates = (
        _mapping(value, "sample", '{"mouse_moved": 0.1}'),
        _mapping(value, "rate", '{"heartbeat": "10/s"}'),
    )
    if len(disable) + len(shares) + len(rates) > MAX_RULES:
        raise RulesError(f"more than {MAX_RULES} rules")
    return Rules(
        disable_all,
        tuple(selector(text, f"disable[{at}]") for at, text in enumerate(disable)),
        tuple((selector(text, "sample"), _share(share, f"sample.{text}")) for text, share in shares.items()),
        tuple((selector(text, "rate"), _rate(rate, f"rate.{text}")) for text, rate in rates.items()),
    )


def selectors(text: str) -> Rules:
    """Rules that disable what a list such as `kind:log,name:debug.*` selects (`TELLBACK_DISABLE`). RulesError."""
    parts = [part.strip() for part in text.split(",")]
    return Rules(disable=tuple(selector(part, "TELLBACK_DISABLE") for part in parts if part))


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """What several sources leave together."""
    whole = Verdict()
    for verdict in verdicts:
        rate = min(
            (rate for rate in (whole.rate, verdict.rate) if rate is not None),
            key=lambda rate: rate.count / rate.seconds,
            default=None,
        )
        whole = Verdict(whole.disabled or verdict.disabled, min(whole.sample, verdict.sample), rate)
    return whole


def selector(text: Any, where: str) -> Selector:
    """One selector from its text. RulesError."""
    if not isinstance(text, str) or not 0 < len(text) <= MAX_SELECTOR:
        raise RulesError(f'{where}: expected a selector such as "kind:log" or "name:debug.*", got {_short(text)}')
    word, colon, rest = text.partition(":")
    if word == "kind" and colon:
        if rest == "lost":
            raise RulesError(f"{where}: kind:lost cannot be left out; it counts what is missing")
        if rest not in KINDS:
            raise RulesError(f"{where}: there is no kind {rest!r}; there are {', '.join(sorted(KINDS - {'lost'}))}")
        return Selector(text, True, rest)
    # A name may hold a colon itself, as a schema's address does.
    pattern = rest if word == "name" and colon else text
    if not pattern:
        raise RulesError(f"{where}: {text!r} names nothing")
    return Selector(text, False, pattern)


def _closest(rules: tuple[tuple[Selector, Any], ...], kind: str, name: str) -> Any:
    found = [(not one.kind, len(one.pattern), value) for one, value in rules if one.covers(kind, name)]
    return max(found, key=lambda three: three[:2])[2] if found else None


def _mapping(value: dict[str, Any], key: str, example: str) -> dict[str, Any]:
    given = value.get(key, {})
    if not isinstance(given, dict):
        raise RulesError(f"{key}: expected an object such as {example}, got {_short(given)}")
    return given


def _share(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise RulesError(f"{where}: expected the share to keep, from 0 to 1, got {_short(value)}")
    return float(value)


def _rate(value: Any, where: str) -> Rate:
    match = _RATE.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise RulesError(f'{where}: expected a rate such as "10/s", "100/min" or "1000/h", got {_short(value)}')
    return Rate(int(match[1]), _UNITS[match[2]])


def _short(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else text[:79] + "…"
