"""From a schema to Python code that says what is wrong with a value.

One function for each subschema: given a value it returns None, or where and how the value breaks the schema. What it
says is made of the schema's words alone, never of the value's: a value may be what nobody was to see, and reasons are
counted, so there must be few of them. `/rows: not of type integer`; an array's items are all called `*`.

What is sure to mean what JSON Schema says is compiled; for all else `UncompilableError` is raised, and `fallback` takes
the whole schema. A property test holds both to the same answers.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any, Final

from tellback.client.schemas.document import Document, Path, SchemaError, pointer, resolve
from tellback.client.schemas.pattern import UntranslatableError, translate

Check = Callable[[Any], str | None]

_TYPES: Final = {
    "null": "x is None",
    "boolean": "t is bool",
    # 1.0 is an integer in JSON Schema since draft 6.
    "integer": "(t is int or t is float and x.is_integer())",
    # A NaN or an infinity is no number that JSON could hold.
    "number": "(t is int or t is float and x - x == 0.0)",
    "string": "t is str",
    "array": "(t is list or t is tuple)",
    "object": "t is dict",
}
_ELSEWHERE: Final = ("$dynamicRef", "$recursiveRef", "unevaluatedProperties", "unevaluatedItems", "$vocabulary")
_OF_OBJECTS: Final = frozenset(
    {"properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties"}
    | {"maxProperties", "dependencies", "dependentRequired", "dependentSchemas"}
)
_MOST_FUNCTIONS: Final = 2_000


class UncompilableError(Exception):
    """Says what is beyond the compiler, and where."""


def freeze(value: Any) -> Any:
    """A hashable value that is equal for what JSON Schema calls equal: 1 and 1.0 are, 1 and true are not. Never asks
    an object of the host's."""
    kind = type(value)
    if kind is str or kind is int or kind is float or value is None:
        return value
    if kind is bool:
        return ("bool", value)
    if kind is list or kind is tuple:
        return ("array", tuple(map(freeze, value)))
    if kind is dict:
        return ("object", frozenset((freeze(key), freeze(part)) for key, part in list(value.items())))
    return ("foreign", id(value))


def compiled(document: Document) -> Check:
    """The check of a whole schema. UncompilableError, or SchemaError where a keyword is misused."""
    writer = _Writer(document)
    top = writer.function(document.body, ())
    exec(compile("\n".join(writer.lines), f"<schema {document.id}>", "exec"), writer.names)  # noqa: S102 -- our own text
    check: Check = writer.names[top]
    return check


class _Writer:
    def __init__(self, document: Document) -> None:
        self.document = document
        self.modern = document.dialect == "2020-12"
        if document.dialect == "other":
            raise UncompilableError("a $schema other than draft-07 and 2020-12")
        self.lines: list[str] = []
        self.names: dict[str, Any] = {"freeze": freeze}
        self._functions: dict[int, str] = {}

    def constant(self, value: Any) -> str:
        name = f"k{len(self.names)}"
        self.names[name] = value
        return name

    def function(self, node: Any, path: Path) -> str:
        """Writes the function of a subschema, once, and gives its name."""
        known = self._functions.get(id(node)) if isinstance(node, dict) else None
        if known is not None:
            return known
        name = f"v{len(self._functions)}"
        if len(self._functions) >= _MOST_FUNCTIONS:
            raise UncompilableError(f"more than {_MOST_FUNCTIONS} subschemas")
        self._functions[id(node) if isinstance(node, dict) else -len(self._functions) - 1] = name
        if isinstance(node, bool):
            body = [] if node else ["return ': never allowed'"]
        elif isinstance(node, dict):
            body = ["t = type(x)", *self._body(node, path)]
        else:
            raise SchemaError(f"{self._at(path)} must be a schema (an object, true or false).")
        self.lines += [f"def {name}(x):", *("    " + line for line in body), "    return None"]
        return name

    def _at(self, path: Path) -> str:
        return f"{self.document.id} version {self.document.version}: {pointer(path)}"

    def _body(self, node: dict[str, Any], path: Path) -> Iterator[str]:
        for keyword in _ELSEWHERE:
            if keyword in node:
                raise UncompilableError(f"{keyword} at {pointer(path)}")
        if "$id" in node and path and ("$ref" not in node or self.modern):
            raise UncompilableError(f"an $id of its own at {pointer(path)}")
        if "$ref" in node:
            yield from self._ref(node["$ref"], path)
            if not self.modern:  # draft 7: what stands beside a $ref is ignored
                return
        yield from self._type(node, path)
        if "enum" in node:
            values = self._want(node, "enum", list, path)
            yield f"if freeze(x) not in {self.constant(frozenset(map(freeze, values)))}: return ': not one of its enum'"
        if "const" in node:
            yield f"if freeze(x) != {self.constant(freeze(node['const']))}: return ': not its const'"
        for test, part in (
            ("t is str", self._text(node, path)),
            (_TYPES["number"], self._number(node, path)),
            (_TYPES["array"], self._array(node, path)),
            ("t is dict", self._object(node, path)),
        ):
            lines = list(part)
            if lines:
                yield f"if {test}:"
                yield from ("    " + line for line in lines)
        yield from self._combined(node, path)

    def _want(self, node: dict[str, Any], keyword: str, kind: type | tuple[type, ...], path: Path) -> Any:
        value = node[keyword]
        if not isinstance(value, kind) or isinstance(value, bool):
            raise SchemaError(f"{self._at((*path, keyword))} has the wrong type ({type(value).__name__}).")
        return value

    def _count(self, node: dict[str, Any], keyword: str, path: Path) -> int:
        value = self._want(node, keyword, (int, float), path)
        if value != int(value) or value < 0:
            raise SchemaError(f"{self._at((*path, keyword))} must be a whole number, not negative.")
        return int(value)

    def _ref(self, reference: Any, path: Path) -> Iterator[str]:
        if not isinstance(reference, str):
            raise SchemaError(f"{self._at((*path, '$ref'))} must be text.")
        try:
            target = resolve(self.document.body, self.document.id, reference)
        except LookupError:
            if reference.startswith("#/"):
                raise SchemaError(f"{self._at((*path, '$ref'))} points to {reference}, which is not there.") from None
            raise UncompilableError(f"a $ref to {reference} at {pointer(path)}") from None
        yield from _pass_on(self.function(target, path if target is self.document.body else (*path, "$ref")), "x")

    def _type(self, node: dict[str, Any], path: Path) -> Iterator[str]:
        if "type" not in node:
            return
        types = node["type"] if isinstance(node["type"], list) else [node["type"]]
        for kind in types:
            if not isinstance(kind, str) or kind not in _TYPES:
                raise SchemaError(f"{self._at((*path, 'type'))}: {kind!r} is no type; known: {', '.join(_TYPES)}.")
        yield f"if not ({' or '.join(_TYPES[kind] for kind in types)}): return ': not of type {' or '.join(types)}'"

    def _text(self, node: dict[str, Any], path: Path) -> Iterator[str]:
        if "minLength" in node:
            yield f"if len(x) < {self._count(node, 'minLength', path)}: return ': shorter than its minLength'"
        if "maxLength" in node:
            yield f"if len(x) > {self._count(node, 'maxLength', path)}: return ': longer than its maxLength'"
        if "pattern" in node:
            search = self._search(self._want(node, "pattern", str, path), path)
            yield f"if {search}(x) is None: return ': not of its pattern'"

    def _search(self, pattern: str, path: Path) -> str:
        try:
            return self.constant(re.compile(translate(pattern)).search)
        except UntranslatableError as error:
            raise UncompilableError(f"the pattern {pattern!r} at {pointer(path)} ({error})") from None

    def _number(self, node: dict[str, Any], path: Path) -> Iterator[str]:
        for keyword, sign in (
            ("minimum", "<"), ("maximum", ">"), ("exclusiveMinimum", "<="), ("exclusiveMaximum", ">="),
        ):  # fmt: skip
            if keyword in node:
                yield f"if x {sign} {self._want(node, keyword, (int, float), path)!r}: return ': beyond its {keyword}'"
        if "multipleOf" in node:
            of = self._want(node, "multipleOf", (int, float), path)
            if of <= 0:
                raise SchemaError(f"{self._at((*path, 'multipleOf'))} must be greater than 0.")
            if of != int(of) or of > 2**53:
                raise UncompilableError(
                    f"multipleOf {of} at {pointer(path)}"
                )  # binary fractions: 0.3 is no multiple of 0.1
            yield f"if x % {int(of)}: return ': not a multiple of its multipleOf'"

    def _array(self, node: dict[str, Any], path: Path) -> Iterator[str]:
        if "minItems" in node:
            yield f"if len(x) < {self._count(node, 'minItems', path)}: return ': fewer than its minItems'"
        if "maxItems" in node:
            yield f"if len(x) > {self._count(node, 'maxItems', path)}: return ': more than its maxItems'"
        yield from self._items(node, path)
        if "contains" in node:
            test = self.function(node["contains"], (*path, "contains"))
            least = self._count(node, "minContains", path) if self.modern and "minContains" in node else 1
            yield f"n = sum({test}(i) is None for i in x)"
            yield f"if n < {least}: return ': does not contain what it must'"
            if self.modern and "maxContains" in node:
                yield f"if n > {self._count(node, 'maxContains', path)}: return ': contains too many'"
        if node.get("uniqueItems") is True:
            yield "if len(x) > 1 and len(set(map(freeze, x))) < len(x): return ': holds an item twice'"

    def _items(self, node: dict[str, Any], path: Path) -> Iterator[str]:
        first = node.get("prefixItems", []) if self.modern else []
        rest, keyword = node.get("items", True), "items"
        if isinstance(rest, list):
            if self.modern:
                raise SchemaError(f"{self._at((*path, 'items'))} is a list, which 2020-12 calls prefixItems.")
            first, rest, keyword = rest, node.get("additionalItems", True), "additionalItems"
        for number, inner in enumerate(first):
            yield f"if len(x) > {number}:"
            for line in _pass_on(self.function(inner, (*path, "items", number)), f"x[{number}]", "/*"):
                yield "    " + line
        if rest is not True:
            yield f"for i in x[{len(first)}:]:" if first else "for i in x:"
            for line in _pass_on(self.function(rest, (*path, keyword)), "i", "/*"):
                yield "    " + line

    def _object(self, node: dict[str, Any], path: Path) -> Iterator[str]:
        properties = self._want(node, "properties", dict, path) if "properties" in node else {}
        if node.get("type") == "object" or _OF_OBJECTS & set(node):
            # First of all: looking for a name among a host's own keys would ask them whether they are equal.
            yield "for k in x:"
            yield "    if type(k) is not str: return ': has a key that is no text'"
        for name in self._want(node, "required", list, path) if "required" in node else ():
            yield f"if {name!r} not in x: return {f': without the required {name}'!r}"
        if "minProperties" in node:
            yield f"if len(x) < {self._count(node, 'minProperties', path)}: return ': fewer than its minProperties'"
        if "maxProperties" in node:
            yield f"if len(x) > {self._count(node, 'maxProperties', path)}: return ': more than its maxProperties'"
        for name, inner in properties.items():
            if inner is not True:
                yield f"if {name!r} in x:"
                for line in _pass_on(self.function(inner, (*path, "properties", name)), f"x[{name!r}]", "/" + name):
                    yield "    " + line
        yield from self._other_properties(node, properties, path)
        if "propertyNames" in node:
            test = self.function(node["propertyNames"], (*path, "propertyNames"))
            yield "for k in x:"
            yield f"    if {test}(k) is not None: return ': has a property of a forbidden name'"
        yield from self._dependencies(node, path)

    def _other_properties(self, node: dict[str, Any], properties: dict[str, Any], path: Path) -> Iterator[str]:
        patterns = self._want(node, "patternProperties", dict, path) if "patternProperties" in node else {}
        others = node.get("additionalProperties", True)
        if not patterns and others is True:
            return
        yield "for k, i in x.items():"
        names = self.constant(frozenset(properties))
        yield f"    other = k not in {names}"
        for pattern, inner in patterns.items():
            search = self._search(pattern, (*path, "patternProperties"))
            yield f"    if type(k) is str and {search}(k) is not None:"
            yield "        other = False"
            for line in _pass_on(self.function(inner, (*path, "patternProperties", pattern)), "i", "/*"):
                yield "        " + line
        if others is False:
            yield "    if other: return ': has a property that the schema does not know'"
        elif others is not True:
            yield "    if other:"
            for line in _pass_on(self.function(others, (*path, "additionalProperties")), "i", "/*"):
                yield "        " + line

    def _dependencies(self, node: dict[str, Any], path: Path) -> Iterator[str]:
        for keyword in ("dependentRequired", "dependentSchemas") if self.modern else ("dependencies",):
            for name, needs in self._want(node, keyword, dict, path).items() if keyword in node else ():
                yield f"if {name!r} in x:"
                if isinstance(needs, list):
                    yield f"    for k in {self.constant(tuple(needs))}:"
                    yield f"        if k not in x: return {f': without what {name} depends on'!r}"
                else:
                    for line in _pass_on(self.function(needs, (*path, keyword, name)), "x"):
                        yield "    " + line

    def _combined(self, node: dict[str, Any], path: Path) -> Iterator[str]:
        def branches(keyword: str) -> list[str]:
            found = self._want(node, keyword, list, path) if keyword in node else []
            if not found and keyword in node:
                raise SchemaError(f"{self._at((*path, keyword))} must not be empty.")
            return [self.function(inner, (*path, keyword, number)) for number, inner in enumerate(found)]

        for name in branches("allOf"):
            yield from _pass_on(name, "x")
        if "anyOf" in node:
            tests = " and ".join(f"{name}(x) is not None" for name in branches("anyOf"))
            yield f"if {tests}: return ': fits none of its anyOf'"
        if "oneOf" in node:
            tests = " + ".join(f"({name}(x) is None)" for name in branches("oneOf"))
            yield f"if {tests} != 1: return ': fits none or several of its oneOf'"
        if "not" in node:
            yield f"if {self.function(node['not'], (*path, 'not'))}(x) is None: return ': fits what it must not'"
        if "if" in node and ("then" in node or "else" in node):
            then = self.function(node.get("then", True), (*path, "then"))
            other = self.function(node.get("else", True), (*path, "else"))
            yield f"r = ({then} if {self.function(node['if'], (*path, 'if'))}(x) is None else {other})(x)"
            yield "if r is not None: return r"


def _pass_on(function: str, value: str, at: str = "") -> list[str]:
    reason = f"{at!r} + r" if at else "r"
    return [f"r = {function}({value})", f"if r is not None: return {reason}"]
