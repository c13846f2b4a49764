"""Strategies: JSON Schemas of both dialects, and values that are near enough to fit them now and then."""

from typing import Any

from hypothesis import strategies as st

NAMES = ("a", "b", "rows", "a-b", "class", "spool")
texts = st.text("ab1_\n é😀", max_size=4)
numbers = st.integers(-3, 12) | st.sampled_from([0.5, -1.0, 1.0, 2.5, 1e300, 2**53, -(2**63)])
scalars = st.none() | st.booleans() | numbers | texts
values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=5,
)
events = st.dictionaries(st.sampled_from(NAMES), values, max_size=4)
TYPES = ("null", "boolean", "integer", "number", "string", "array", "object")
PATTERNS = (
    "^a", "b$", "^[a-b]+$", r"^a\d+_$", "a|b", r"\s", "^(?:ab|1)?b?$", r"^\w{2,3}$", "[^a]", ".", r"^\W$", "^a*b+1{2}$",
    "(a+)+", r"\bx", "^.*a.*b$", "(?=a)", r"^[\w.-]+$", "é",
)  # fmt: skip


def _sizes(*names: str) -> dict[str, Any]:
    return {name: st.integers(0, 3) for name in names}


def _merged(parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {key: value for part in parts for key, value in part.items()}


def schemas(modern: bool) -> Any:
    """Subschemas; of a few keywords each, so that they say something yet are fitted sometimes."""
    leaf = st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(TYPES) | st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True),
            "minimum": numbers, "exclusiveMaximum": numbers, "maxLength": st.integers(0, 3),
            "minLength": st.integers(0, 2), "pattern": st.sampled_from(PATTERNS),
            "multipleOf": st.sampled_from([1, 2, 3, 2.0, 0.5]),
        },
    )  # fmt: skip
    chosen = st.fixed_dictionaries({"enum": st.lists(values, min_size=1, max_size=4)}) | st.fixed_dictionaries(
        {"const": values}
    )

    def grown(inner: Any) -> Any:
        some = st.lists(inner, min_size=1, max_size=3)
        named = st.dictionaries(st.sampled_from(NAMES), inner, max_size=3)
        array = {"uniqueItems": st.booleans(), "contains": inner, **_sizes("minItems", "maxItems")}
        if modern:
            array |= {"items": inner, "prefixItems": some, **_sizes("minContains", "maxContains")}
        else:
            array |= {"items": inner | some, "additionalItems": inner}
        shape = {
            "properties": named, "required": st.lists(st.sampled_from(NAMES), max_size=2, unique=True),
            "additionalProperties": inner, "propertyNames": inner, **_sizes("minProperties", "maxProperties"),
            "patternProperties": st.dictionaries(st.sampled_from(PATTERNS), inner, max_size=2),
        }  # fmt: skip
        needs = st.dictionaries(st.sampled_from(NAMES), st.lists(st.sampled_from(NAMES), max_size=2, unique=True))
        if modern:
            shape |= {"dependentRequired": needs, "dependentSchemas": named}
        else:
            shape |= {"dependencies": needs | named}
        logic = {"allOf": some, "anyOf": some, "oneOf": some, "not": inner, "if": inner, "then": inner, "else": inner}
        rest = {"$ref": st.sampled_from(["#/definitions/d", "#", "#/definitions/e"]), "unevaluatedItems": inner}
        optional = [st.fixed_dictionaries({}, optional=part) for part in (array, shape, logic, rest)]
        few = st.lists(st.one_of(leaf, *optional), min_size=1, max_size=2)
        return few.map(_merged)

    return st.recursive(leaf | chosen | st.booleans(), grown, max_leaves=5)


@st.composite
def documents(draw: Any) -> dict[str, Any]:
    """Whole schemas of an event."""
    modern = draw(st.booleans())
    inner = schemas(modern)
    body = draw(inner)
    body = body if isinstance(body, dict) else {}
    properties = draw(st.dictionaries(st.sampled_from(NAMES), inner, max_size=3))
    return {
        **body,
        "$schema": "https://json-schema.org/draft/2020-12/schema" if modern else "http://json-schema.org/draft-07/schema#",
        "$id": "made", "version": 1, "type": "object",
        "properties": {**body.get("properties", {}), **properties},
        "definitions": {"d": draw(inner), "e": draw(inner)},
    }  # fmt: skip


@st.composite
def flat(draw: Any) -> dict[str, Any]:
    """Schemas of the usual kind, which become one condition: a few properties, each of a type with a bound or two."""
    plain = st.one_of(
        st.fixed_dictionaries({"type": st.just("integer")}, optional={
            "minimum": st.integers(-2, 2), "exclusiveMaximum": st.integers(3, 9),
            "enum": st.lists(numbers | st.booleans(), min_size=1, max_size=3)}),
        st.fixed_dictionaries({"type": st.just("number")}, optional={
            "maximum": numbers, "exclusiveMinimum": st.integers(-2, 2)}),
        st.fixed_dictionaries({"type": st.just("string")}, optional={
            "minLength": st.integers(0, 1), "maxLength": st.integers(2, 4), "pattern": st.sampled_from(PATTERNS)}),
        st.fixed_dictionaries({"enum": st.lists(texts | numbers, min_size=1, max_size=3)}),
        st.fixed_dictionaries({"type": st.lists(st.sampled_from(TYPES), min_size=1, max_size=3, unique=True)}),
        st.fixed_dictionaries({"type": st.just("array"), "items": st.just({"type": "integer"})}, optional={
            "maxItems": st.integers(0, 2)}),
        st.just({"$ref": "#/$defs/d"}),
        schemas(True),
    )  # fmt: skip
    properties = draw(st.dictionaries(st.sampled_from(NAMES), plain, min_size=1, max_size=4))
    rest = st.fixed_dictionaries({}, optional={"additionalProperties": st.booleans(), "owner": st.just("rigging")})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "made", "version": 1, "type": "object",
        "properties": properties, "required": draw(st.lists(st.sampled_from(list(properties)), unique=True)),
        "$defs": {"d": draw(plain.filter(lambda s: s != {"$ref": "#/$defs/d"}))}, "definitions": {"d": True, "e": True},
        **draw(rest),
    }  # fmt: skip
