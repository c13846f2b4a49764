"""Which functions there are in a package, by reading it: what is never imported is what one wants to know of most.

Source goes through the tokenizer. It is not compiled or parsed, which is quicker but would hold the interpreter's lock,
and with it the host, for as long as a file takes. Names mangled by `global` and code that the compiler leaves out
(`if 0:`) are the two things in which it differs from what the interpreter will report.
"""

import tokenize
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from types import CodeType
from typing import Final, NamedTuple

_OPTIMIZED: Final = 0x01  # inspect.CO_OPTIMIZED: a function's code, and neither a class's body nor a module's
_BLANK: Final = frozenset({tokenize.INDENT, tokenize.DEDENT, tokenize.NL, tokenize.COMMENT, tokenize.ENCODING})


class Inventory(NamedTuple):
    """All functions of some packages."""

    places: list[str]
    """`module:function`, sorted."""
    unread: list[str]
    """Modules that could not be read."""


_Scope = tuple[int, str, bool]
"""Depth of its `def` or `class`, its qualified name, whether it is a function."""


def is_function(code: CodeType) -> bool:
    """Whether code is that of a `def`: no lambda, comprehension, class body or module."""
    return bool(code.co_flags & _OPTIMIZED) and code.co_name[:1] != "<"


def functions(path: Path) -> list[str] | None:
    """Qualified names (as `co_qualname`) of all functions in a source file, sorted; None if it cannot be read."""
    try:
        with path.open("rb") as source:
            return sorted(set(_names(source.readline)))
    except (OSError, ValueError, SyntaxError, tokenize.TokenError):
        return None


def steps(files: Iterable[tuple[str, Path]]) -> Generator[None, None, Inventory]:
    """What `files` (module, path) hold; one file is read at each step."""
    places: set[str] = set()
    unread: list[str] = []
    for module, path in files:
        found = functions(path)
        if found is None:
            unread.append(module)
        else:
            places.update(f"{module}:{name}" for name in found)
        yield
    return Inventory(sorted(places), unread)


def read(files: Iterable[tuple[str, Path]]) -> Inventory:
    """The same at once."""
    reading = steps(files)
    while True:
        try:
            next(reading)
        except StopIteration as end:
            made: Inventory = end.value
            return made


def _names(readline: Callable[[], bytes]) -> list[str]:
    names: list[str] = []
    scopes: list[_Scope] = []
    depth = 0
    begins = True  # the next token that is not blank begins a statement
    word = ""  # the `def` or `class` whose name comes next
    for token in tokenize.tokenize(readline):
        if token.type == tokenize.INDENT:
            depth += 1
        elif token.type == tokenize.DEDENT:
            depth -= 1
        if token.type in _BLANK:
            continue
        text = token.string
        if word:
            name = _qualified(scopes, text)
            scopes.append((depth, name, word == "def"))
            if word == "def":
                names.append(name)
            word = ""
        elif begins:
            while scopes and scopes[-1][0] >= depth:  # a statement that is no deeper ends them
                scopes.pop()
            if text in ("def", "class"):
                word = text
        if not (begins and text == "async"):
            begins = token.type == tokenize.NEWLINE
    return names


def _qualified(scopes: list[_Scope], name: str) -> str:
    if not scopes:
        return name
    _, outer, is_def = scopes[-1]
    return f"{outer}.<locals>.{name}" if is_def else f"{outer}.{name}"
