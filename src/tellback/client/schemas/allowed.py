"""Categories: which properties of an event a destination may have; the others become null, nested ones too.

The rules are those that jupyter_telemetry drew up (its unreleased category filtering): a property carries
`categories: [...]`; it may pass when all of them are allowed, or when the top-level property it lies in is allowed by
name. A top-level property without categories does not pass; a nested one goes with what it lies in. What is said
below `anyOf`, `oneOf`, `not`, `if`, `then`, `else` does not count.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from tellback.client.schemas.document import Document, SchemaError, resolve

UNRESTRICTED: Final = frozenset({"unrestricted", "category.jupyter.org/unrestricted"})
"""Always passes."""

Redact = Callable[[dict[str, Any]], dict[str, Any]]

_DEEPEST: Final = 16
"""Levels of a recursive schema that are looked into; what lies deeper becomes null."""


class Allowed:
    """What may pass. Without either argument everything may."""

    __slots__ = ("categories", "everything", "properties")

    def __init__(self, categories: Iterable[str] | None = None, properties: Iterable[str] | None = None) -> None:
        self.everything = categories is None and properties is None
        self.categories = _names(categories, "categories") | UNRESTRICTED
        self.properties = _names(properties, "properties")

    def passes(self, subschema: Any, top: bool) -> bool:
        """Whether a property of this subschema may pass, by its categories."""
        said = subschema.get("categories") if isinstance(subschema, dict) else None
        if isinstance(said, list):
            return all(isinstance(name, str) and name in self.categories for name in said)
        return said is None and not top


def redaction(document: Document, allowed: Allowed) -> Redact | None:
    """What makes an event fit to pass, as a copy; None when all of it may."""
    if allowed.everything:
        return None

    def redact(event: dict[str, Any]) -> dict[str, Any]:
        out = {}
        for name, value in event.items():
            if name in allowed.properties:
                out[name] = value
            elif all(allowed.passes(part, True) for part in _of(document, document.body, name) or [None]):
                out[name] = _inside(document, allowed, document.properties.get(name), value, 0)
            else:
                out[name] = None
        return out

    return redact


def top_level(document: Document, allowed: Allowed, name: str) -> bool | None:
    """Whether a top-level property passes whole (True), never (False), or depends on what is in it (None)."""
    if allowed.everything or name in allowed.properties:
        return True
    if not all(allowed.passes(part, True) for part in _of(document, document.body, name) or [None]):
        return False
    return None if _mentions(document.properties.get(name)) else True


def _names(given: Iterable[str] | None, what: str) -> frozenset[str]:
    if isinstance(given, str):
        raise SchemaError(f"{what} must be a list of names, not the text {given!r}.")
    return frozenset(given or ())


def _mentions(node: Any) -> bool:
    """Whether a subschema may say something of categories below its own level, or by what a `$ref` in it points at."""
    return isinstance(node, dict) and ("$ref" in node or any(map(_says, node.values())))


def _says(node: Any) -> bool:
    if isinstance(node, dict):
        return "categories" in node or "$ref" in node or any(map(_says, node.values()))
    return isinstance(node, list) and any(map(_says, node))


def _views(document: Document, node: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """A subschema and all that applies beside it: what a `$ref` points at, the parts of `allOf`."""
    if not isinstance(node, dict) or depth > _DEEPEST:
        return
    yield node
    if isinstance(node.get("$ref"), str):
        try:
            yield from _views(document, resolve(document.body, document.id, node["$ref"]), depth + 1)
        except LookupError:
            return
    for part in node.get("allOf", ()):
        yield from _views(document, part, depth + 1)


def _of(document: Document, node: Any, name: str) -> list[Any]:
    """The subschemas of a property that say something of its categories."""
    found = [view.get("properties", {}).get(name) for view in _views(document, node)]
    return [part for part in found if isinstance(part, dict) and "categories" in part]


def _inside(document: Document, allowed: Allowed, node: Any, value: Any, depth: int) -> Any:
    if type(value) is not dict and type(value) is not list and type(value) is not tuple:
        return value
    views = list(_views(document, node))
    if not any(map(_says, views)):
        return value
    if depth > _DEEPEST:
        return None
    if type(value) is dict:
        return {key: _property(document, allowed, views, key, part, depth) for key, part in list(value.items())}
    return [_item(document, allowed, views, number, part, depth) for number, part in enumerate(value)]


def _property(document: Document, allowed: Allowed, views: list[Any], key: Any, value: Any, depth: int) -> Any:
    for view in views:
        part = view.get("properties", {}).get(key) if type(key) is str else None
        part = view.get("additionalProperties") if part is None else part
        if not allowed.passes(part, False):
            return None
        value = _inside(document, allowed, part, value, depth + 1)
    return value


def _item(document: Document, allowed: Allowed, views: list[Any], number: int, value: Any, depth: int) -> Any:
    for view in views:
        rest: Any = view.get("items")
        first = rest if isinstance(rest, list) else view.get("prefixItems", [])
        rest = view.get("additionalItems") if isinstance(rest, list) else rest
        part = first[number] if number < len(first) else rest
        if not allowed.passes(part, False):
            return None
        value = _inside(document, allowed, part, value, depth + 1)
    return value
