"""What a new version of a schema breaks, for those who record its events and for those who read them.

Findings: a property is gone, is newly required, has another type, or may no longer hold a value it could hold (an enum
value gone, a bound drawn tighter, unknown properties forbidden). A new optional property or a new enum value is none.
A wider type is one, though: a reader that counts on a number finds a text one day.
"""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from tellback.client.schemas.document import Document, Path, pointer, resolve

_DEEPEST: Final = 16
_UPPER: Final = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
_LOWER: Final = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")


class Finding(NamedTuple):
    where: str
    """A JSON pointer into the newer schema, or into the older one for what is gone."""
    what: str


def in_order(documents: list[Document]) -> list[Document]:
    """By version, numbers in it as numbers: 2 before 10, 1.9 before 1.10."""

    def key(document: Document) -> list[tuple[int, int, str]]:
        parts = re.findall(r"\d+|\D+", document.version)
        return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts]

    return sorted(documents, key=key)


def breaks(old: Document, new: Document) -> list[Finding]:
    """What `new` breaks that held with `old`."""
    return list(dict.fromkeys(_compare(old, old.body, new, new.body, (), 0)))


def _resolved(document: Document, node: Any) -> dict[str, Any]:
    for _ in range(_DEEPEST):
        if not isinstance(node, dict) or not isinstance(node.get("$ref"), str):
            break
        try:
            rest = {key: value for key, value in node.items() if key != "$ref"}
            target = resolve(document.body, document.id, node["$ref"])
            node = {**target, **rest} if isinstance(target, dict) else target
        except LookupError:
            break
    return node if isinstance(node, dict) else {"not": {}} if node is False else {}


def _compare(
    old_document: Document, old: Any, new_document: Document, new: Any, path: Path, depth: int
) -> Iterator[Finding]:
    if depth > _DEEPEST:
        return
    old, new = _resolved(old_document, old), _resolved(new_document, new)
    at = pointer(path)
    before, after = _types(old), _types(new)
    if before != after:
        yield Finding(at, f"the type was {before}, is {after}")
    yield from _choices(old, new, at)
    yield from _bounds(old, new, at)
    yield from _properties(old_document, old, new_document, new, path, depth)
    for keyword in ("items", "additionalProperties"):
        inner = old.get(keyword, True), new.get(keyword, True)
        if isinstance(inner[0], dict) and isinstance(inner[1], dict):
            yield from _compare(old_document, inner[0], new_document, inner[1], (*path, keyword), depth + 1)


def _types(node: dict[str, Any]) -> str:
    said = node.get("type", "any")
    return " or ".join(sorted(map(str, said))) if isinstance(said, list) else str(said)


def _choices(old: dict[str, Any], new: dict[str, Any], at: str) -> Iterator[Finding]:
    before, after = ([node["const"]] if "const" in node else node.get("enum") for node in (old, new))
    if after is None:
        return
    if before is None:
        yield Finding(at, "only certain values are allowed now")
    else:
        gone = [value for value in before if value not in after]
        if gone:
            yield Finding(at, f"no longer allowed: {', '.join(map(repr, gone))}")


def _bounds(old: dict[str, Any], new: dict[str, Any], at: str) -> Iterator[Finding]:
    for keywords, tighter in ((_UPPER, -1), (_LOWER, 1)):
        for keyword in keywords:
            before, after = old.get(keyword), new.get(keyword)
            if after is not None and (before is None or (after - before) * tighter > 0):
                yield Finding(at, f"{keyword} was {'not set' if before is None else before}, is {after}")
    for keyword in ("pattern", "multipleOf"):
        if keyword in new and new[keyword] != old.get(keyword):
            yield Finding(at, f"{keyword} was {old.get(keyword, 'not set')}, is {new[keyword]}")
    if new.get("uniqueItems") is True and old.get("uniqueItems") is not True:
        yield Finding(at, "items must be unique now")


def _properties(
    old_document: Document, old: dict[str, Any], new_document: Document, new: dict[str, Any], path: Path, depth: int
) -> Iterator[Finding]:
    before, after = old.get("properties", {}), new.get("properties", {})
    for name in before:
        there = (*path, "properties", name)
        if name not in after:
            yield Finding(pointer(there), "the property is gone")
        else:
            yield from _compare(old_document, before[name], new_document, after[name], there, depth + 1)
    for name in new.get("required", ()):
        if name not in old.get("required", ()):
            yield Finding(pointer((*path, "properties", name)), "the property is newly required")
    if new.get("additionalProperties", True) is False and old.get("additionalProperties", True) is not False:
        yield Finding(pointer(path), "properties that the schema does not name are forbidden now")
