r"""`pattern` of JSON Schema, an ECMA-262 expression, as one of Python's that means the same and cannot run away.

The host waits while an expression is matched, so only those are taken that are matched in linear time: anchored, each
repetition is of one character class and followed by something it cannot match itself, and there are few groups.
`^v\d+\.\d+$` is taken, `(a+)+` and `.*x.*` are not; for those there is jsonschema-rs, whose engine is linear by
construction.
"""

import re
from typing import Final

_DIGIT: Final = "0-9"
_WORD: Final = "A-Za-z0-9_"
_SPACE: Final = r"\t\n\x0b\x0c\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_NEWLINES: Final = r"\n\r\u2028\u2029"
_CLASSES: Final = {"d": _DIGIT, "w": _WORD, "s": _SPACE}
_CONTROLS: Final = {"t": r"\t", "n": r"\n", "r": r"\r", "f": r"\x0c", "v": r"\x0b"}
_PLAIN: Final = re.compile(r"[A-Za-z0-9_ \-:;,<>=!@#%&'\"~`/\u00a0-\ud7ff\ue000-\U0010ffff]")
_PUNCTUATION: Final = frozenset("^$\\.*+?()[]{}|/-")
_REPEAT: Final = re.compile(r"[*+?]|\{(\d{1,4})(,(\d{0,4}))?\}")


_MOST_GROUPS: Final = 3
"""Each group of alternatives, or optional one, multiplies the ways to try."""


class UntranslatableError(ValueError):
    """The expression is not among those that are taken."""


def translate(pattern: str) -> str:
    """For `re.search`. UntranslatableError when it would not be sure to mean the same, or to end soon."""
    return _Translation(pattern).run()


class _Translation:
    def __init__(self, pattern: str) -> None:
        self.left = pattern
        self.out: list[str] = []
        self.groups = 0  # not yet closed
        self.opened = 0
        self.open: str | None = None
        """The character class of the repetition just before, which what comes next must not match."""
        self.anchored = pattern.startswith("^")

    def run(self) -> str:
        if self.left.startswith("^"):
            self._take(1, "^")
        while self.left:
            self._step()
        if self.groups:
            raise UntranslatableError("an unclosed group")
        result = "".join(self.out)
        try:
            re.compile(result)
        except re.error as error:
            raise UntranslatableError(str(error)) from None
        return result

    def _take(self, length: int, out: str) -> None:
        self.left = self.left[length:]
        self.out.append(out)

    def _step(self) -> None:
        sign = self.left[0]
        if sign == "$" and len(self.left) == 1:  # Python's own $ matches before a last newline, too
            self._take(1, r"\Z")
        elif sign == "(":
            self._group()
        elif sign in ")|" and self.groups and self.open is not None:
            raise UntranslatableError("a repetition at the end of a group")
        elif sign == ")" and self.groups:
            self.groups -= 1
            self._take(1, ")")
            if self.left[:1] and self.left[0] in "*+{":
                raise UntranslatableError("a repeated group")
            if self.left.startswith("?"):
                self._take(1, "?")
                self._no_lazy()
        elif sign == "|" and self.groups:
            self._take(1, "|")
        else:
            self._atom()

    def _group(self) -> None:
        if self.open is not None:
            raise UntranslatableError("a group after a repetition")
        self.groups += 1
        self.opened += 1
        if self.opened > _MOST_GROUPS:
            raise UntranslatableError(f"more than {_MOST_GROUPS} groups")
        if self.left.startswith("(?:"):
            self._take(3, "(?:")
        elif self.left.startswith("(?"):
            raise UntranslatableError("a group with a question mark")
        else:
            self._take(1, "(?:")

    def _atom(self) -> None:
        length, atom = _atom(self.left)
        if self.open is not None and _overlap(self.open, atom):
            raise UntranslatableError("a repetition followed by what it matches itself")
        self._take(length, atom)
        repeat = _REPEAT.match(self.left)
        if repeat is None:
            self.open = None
            return
        self._take(repeat.end(), repeat.group())
        self._no_lazy()
        least, most = _times(repeat)
        if self.open is not None and least == 0:
            raise UntranslatableError("something optional after a repetition")
        if most != least and most != 1 and (self.groups or not self.anchored):
            raise UntranslatableError("a repetition in a group, or in an expression that is not anchored")
        self.open = None if most == least else atom

    def _no_lazy(self) -> None:
        if self.left[:1] in ("?", "+", "*", "{") and self.left:
            raise UntranslatableError("a repetition of a repetition")


def _times(repeat: re.Match[str]) -> tuple[int, int | None]:
    """How often at least and at most; None is without a bound."""
    sign = repeat.group()
    if sign in "*+?":
        return int(sign == "+"), 1 if sign == "?" else None
    least = int(repeat[1])
    if repeat[2] is None:
        return least, least
    return least, int(repeat[3]) if repeat[3] else None


def _atom(left: str) -> tuple[int, str]:
    """One character or class at the beginning: its length, and Python's for it."""
    sign = left[0]
    if sign == ".":
        return 1, f"[^{_NEWLINES}]"
    if sign == "[":
        return _bracket(left)
    if sign == "\\":
        inside = _escape(left)
        if left[1] in "DWS":
            return 2, f"[^{_CLASSES[left[1].lower()]}]"
        return 2, f"[{inside}]" if left[1] in _CLASSES else inside
    if _PLAIN.fullmatch(sign):
        return 1, re.escape(sign)
    raise UntranslatableError(f"{sign!r} there")


def _escape(left: str) -> str:
    if len(left) < 2:
        raise UntranslatableError("a backslash at the end")
    sign = left[1]
    if sign in _PUNCTUATION:
        return "\\" + sign
    if sign in _CLASSES:
        return _CLASSES[sign]
    if sign in _CONTROLS:
        return _CONTROLS[sign]
    if sign in "DWS":
        return ""
    raise UntranslatableError(f"\\{sign}")


def _bracket(left: str) -> tuple[int, str]:
    at = 2 if left.startswith("[^") else 1
    out = [left[:at]]
    while at < len(left) and left[at] != "]":
        if left[at] == "\\":
            inside = _escape(left[at:])
            if not inside:
                raise UntranslatableError("a negated class in brackets")
            out.append(inside)
            at += 2
        elif left[at] in "[&|~":  # Python warns of what may become set operations
            out.append("\\" + left[at])
            at += 1
        else:
            out.append(left[at] if left[at] != "^" else r"\^")
            at += 1
    if at >= len(left) or len(out) == 1:
        raise UntranslatableError("brackets without an end, or empty")
    return at + 1, "".join(out) + "]"


def _overlap(one: str, other: str) -> bool:
    """Whether one character can match both; of what is not ASCII one of each plane stands for all, to be safe."""
    if "[^" in one or "[^" in other:
        signs = [chr(number) for number in (*range(128), 0x1234, 0x1F600)]
    else:
        signs = [chr(number) for number in range(128)]
        if not one.isascii() or not other.isascii() or r"\u" in one + other or r"\x" in one + other:
            return True
    return any(re.fullmatch(one, sign) and re.fullmatch(other, sign) for sign in signs)
