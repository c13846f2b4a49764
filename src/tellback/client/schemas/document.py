"""A schema as a document: its id, its version, its dialect."""

from typing import Any, Final, Literal

import msgspec

from tellback.record import MAX_TEXT

DRAFT_7: Final = "http://json-schema.org/draft-07/schema"
DRAFT_2020: Final = "https://json-schema.org/draft/2020-12/schema"

Dialect = Literal["draft-07", "2020-12", "other"]
Path = tuple[str | int, ...]


class SchemaError(ValueError):
    """A schema cannot be used: the message says what is wrong, where, and what to do. Raised when a schema is defined,
    never when an event is recorded."""


class Document(msgspec.Struct, frozen=True, eq=False):
    """A schema that says what Tellback needs of it."""

    id: str
    version: str
    """As text: 1 and "1" are one version."""
    body: dict[str, Any]
    """JSON values only; a copy of what was given."""
    dialect: Dialect

    @property
    def properties(self) -> dict[str, Any]:
        found = self.body.get("properties")
        return found if isinstance(found, dict) else {}


def document(given: Any, where: str = "the schema") -> Document:
    """Check what was given; `where` names it in errors. SchemaError when it is no schema of an event."""
    try:
        body = msgspec.json.decode(msgspec.json.encode(given))  # a copy, and JSON for sure
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError(f"{where} holds what JSON cannot: {error}.") from None
    if not isinstance(body, dict):
        raise SchemaError(f"{where} must be an object with $id, version and properties, not {type(given).__name__}.")
    id_, version = body.get("$id"), body.get("version")
    if not isinstance(id_, str) or not id_:
        raise SchemaError(f"{where} has no $id: give it one, a text that names this event everywhere.")
    if len(id_) > MAX_TEXT:
        raise SchemaError(f"{where} has an $id longer than {MAX_TEXT} characters, which is no name.")
    if isinstance(version, bool) or not isinstance(version, str | int | float) or version == "":
        raise SchemaError(f"{where} ({id_}) has no version: give it one, a text or a number.")
    _check_properties(body, f"{where} ({id_} version {version})")
    return Document(id_, str(version), body, _dialect(body))


def _check_properties(body: dict[str, Any], where: str) -> None:
    kind = body.get("type", "object")
    if kind != "object":
        raise SchemaError(f'{where} has the type {kind!r}: an event is an object, so it must be "object".')
    properties = body.get("properties", {})
    if not isinstance(properties, dict):
        raise SchemaError(f"{where}: properties must be an object that maps names to schemas.")
    for name in properties:
        if name.startswith("__"):
            raise SchemaError(f"{where}: the property {name!r} begins with __, which the capsule of an event uses.")
        if name.startswith("tellback."):
            raise SchemaError(f"{where}: the property {name!r} begins with tellback., which is reserved.")


def _dialect(body: dict[str, Any]) -> Dialect:
    # Without $schema it is the newest, as JSON Schema's own tools have it.
    said = body.get("$schema", DRAFT_2020)
    if isinstance(said, str):
        said = said.rstrip("#")
        if said == DRAFT_2020:
            return "2020-12"
        if said in (DRAFT_7, DRAFT_7.replace("http:", "https:")):
            return "draft-07"
    return "other"


def pointer(path: Path) -> str:
    """A JSON pointer (RFC 6901) for people: `/properties/rows`."""
    return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path) or "/"


def resolve(body: dict[str, Any], id_: str, reference: str) -> Any:
    """What a `$ref` into the same document points at. LookupError for any other one."""
    base, _, fragment = reference.partition("#")
    if base not in ("", id_):
        raise LookupError(reference)
    from urllib.parse import unquote

    node: Any = body
    if fragment and not fragment.startswith("/"):
        raise LookupError(reference)  # an $anchor
    for part in unquote(fragment).split("/")[1:]:
        part = part.replace("~1", "/").replace("~0", "~")
        if isinstance(node, list):
            if not part.isdecimal() or int(part) >= len(node):
                raise LookupError(reference)
            node = node[int(part)]
        elif isinstance(node, dict):
            if "$id" in node and node is not body:
                raise LookupError(reference)  # a document of its own inside of this one
            node = node[part]
        else:
            raise LookupError(reference)
    return node
