"""From a schema to the function that a host calls: it tests each value where it stands and writes the line at once.

The function holds one condition that is true only of values that surely fit the schema and that JSON can hold as they
are. Whatever it is not sure of (an object inside an event, a value that does not fit, a NaN) goes to `careful`, which
decides. So it may be wrong in one direction only, and the property test holds it to that.

A general `event` costs twice as much: it looks at each value's type in a loop, makes a dict of them and encodes that.
docs/decisions/0075 has the figures, and what else was tried.
"""

import keyword
import re
from collections.abc import Callable, Iterator
from time import time_ns
from typing import Any, Final

import msgspec
from msgspec import UNSET

from tellback.client import live
from tellback.client.context import current
from tellback.client.encode import encode
from tellback.client.schemas.allowed import Allowed, top_level
from tellback.client.schemas.checks import freeze
from tellback.client.schemas.document import Document, resolve
from tellback.client.schemas.pattern import UntranslatableError, translate
from tellback.record import INT64_MAX, INT64_MIN, MAX_LINE

_FINITE: Final = "type({x}) is float and {x} - {x} == 0.0"
_ASSERTING: Final = frozenset(
    {"$id", "$ref", "$dynamicRef", "$recursiveRef", "type", "enum", "const", "multipleOf"}
    | {"maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum", "maxLength", "minLength", "pattern"}
    | {"items", "additionalItems", "prefixItems", "maxItems", "minItems", "uniqueItems", "unevaluatedItems"}
    | {"contains", "minContains", "maxContains", "maxProperties", "minProperties", "required", "properties"}
    | {"patternProperties", "additionalProperties", "propertyNames", "unevaluatedProperties"}
    | {"dependencies", "dependentRequired", "dependentSchemas", "allOf", "anyOf", "oneOf", "not", "if", "then", "else"}
)
"""Keywords of which a value may fall foul; all others are annotations."""
_KEYWORDS: Final = {
    "string": {"minLength", "maxLength", "pattern", "enum", "const"},
    "integer": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum", "const"},
    "number": {"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"},
    "boolean": set(),
    "null": set(),
    "array": {"items", "minItems", "maxItems"},
}
_MOST_ITEMS: Final = 1_000
_MOST_PARAMETERS: Final = 100


class NotQuickError(Exception):
    """The function cannot be sure of a value by a test this short."""


def parameter(name: str) -> bool:
    """Whether a property can be a parameter of the generated function, whose own names begin with `_t_`. Python takes
    several spellings beyond ASCII for one name."""
    return name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and not name.startswith(("_t_", "__"))


def generated(document: Document, allowed: Allowed, state: Any, careful: Callable[..., None]) -> Callable[..., None]:
    """The function. `state.quick` false sends all calls to `careful(data, more)`."""
    return _Writer(document, allowed, state, careful).function()


class _Writer:
    def __init__(self, document: Document, allowed: Allowed, state: Any, careful: Callable[..., None]) -> None:
        self.document = document
        self.allowed = allowed
        # One that cannot be called by its name keeps its place all the same.
        self.parameters = {
            name: name if parameter(name) else f"_t_p{place}" for place, name in enumerate(document.properties)
        }
        self.required = set(document.body.get("required", ()))
        self.names: dict[str, Any] = {
            "_t_live": live, "_t_current": current, "_t_encode": encode, "_t_now": time_ns, "_t_unset": UNSET,
            "_t_state": state, "_t_careful": careful, "_t_head": _head_of(document), "_t_key": state,
        }  # fmt: skip

    def constant(self, value: Any) -> str:
        name = f"_t_{len(self.names)}"
        self.names[name] = value
        return name

    def function(self) -> Callable[..., None]:
        given = [f"{variable}=_t_unset" for variable in self.parameters.values()]
        # What a caller gives too much must not raise in the call itself.
        data = "".join(f"{name!r}: {variable}, " for name, variable in self.parameters.items())
        lines = [
            f"def emit({', '.join([*given, '*_t_more', '**_t_rest'])}):",
            *("    " + line for line in self._quick()),
            f"    _t_data = {{{data}**_t_rest}}",
            "    _t_careful({k: v for k, v in _t_data.items() if v is not _t_unset}, _t_more)",
        ]
        text = "\n".join(lines)
        exec(compile(text, f"<emitter of {self.document.id}>", "exec"), self.names)  # noqa: S102 -- our own text
        emit: Callable[..., None] = self.names["emit"]
        return emit

    def _quick(self) -> Iterator[str]:
        try:
            self._only_what_is_known()
            tests = {variable: self._test_of(name, variable) for name, variable in self.parameters.items()}
        except NotQuickError:
            return
        yield "_t_spool = _t_live.spool"
        yield "if _t_spool is not None and _t_state.quick:"
        yield "    try:"
        yield f"        if {' and '.join(['not _t_rest', 'not _t_more', *tests.values()])}:"
        yield "            _t_context = _t_current.get(_t_live.base)"
        yield "            _t_h = _t_context.made.get(_t_key)"
        yield "            if _t_h is None: _t_h = _t_head(_t_context, _t_key)"
        yield f"            _t_out = {self._line(tests)}"
        # No head: the context binds one of the schema's own properties, and must give way.
        yield f"            if _t_h and len(_t_out) <= {MAX_LINE}:"
        yield "                _t_spool.append(_t_out)"
        yield "                return"
        yield "    except Exception: pass"

    def _line(self, tests: dict[str, str]) -> str:
        """The expression that makes the line: in one piece when every property is given, which is told at once."""
        if any(test == f"{variable} is _t_unset" for variable, test in tests.items()):
            return self._partial()
        optional = [f"{x} is not _t_unset" for name, x in self.parameters.items() if name not in self.required]
        return f"{self._full()} if {' and '.join(optional)} else {self._partial()}" if optional else self._full()

    def _only_what_is_known(self) -> None:
        """Nothing in the schema as a whole may say more than its properties do one by one. Additional properties may
        be forbidden or bound as one likes: there are none when the condition holds."""
        own = {"$id", "type", "properties", "required", "additionalProperties"}
        if self.document.dialect == "other" or (_ASSERTING & set(self.document.body)) - own:
            raise NotQuickError
        if len(self.parameters) > _MOST_PARAMETERS or self.required - set(self.parameters):
            raise NotQuickError

    def _test_of(self, name: str, x: str) -> str:
        try:
            if self._passes(name) is None:
                raise NotQuickError
            test = self.test(self.document.properties[name], x)
        except NotQuickError:
            if name in self.required:
                raise
            return f"{x} is _t_unset"  # quick as long as it is not given
        return test if name in self.required else f"({x} is _t_unset or {test})"

    def _passes(self, name: str) -> bool | None:
        return top_level(self.document, self.allowed, name)

    def _full(self) -> str:
        """The line when every property is given."""
        formats, values = [], ["_t_now()", "_t_h"]
        for name, variable in self.parameters.items():
            key = encode(name).decode().replace("%", "%%")
            if not self._passes(name):
                formats.append(f",{key}:null")
                continue
            form, value = self._rendered(self.document.properties[name], variable)
            formats.append(f",{key}:{form}")
            values.append(value)
        return f"{('{' + _TIME + ''.join(formats) + '}}' + chr(10)).encode()!r} % ({', '.join(values)})"

    def _partial(self) -> str:
        """The line when some are not: msgspec leaves out what is unset."""
        fields = [(variable, Any, UNSET) for variable in self.parameters.values()]
        names = {variable: name for name, variable in self.parameters.items()}
        made = msgspec.defstruct("Properties", fields, rename=names, gc=False)
        values = [
            x if self._passes(name) else f"_t_unset if {x} is _t_unset else None" for name, x in self.parameters.items()
        ]
        own = f"_t_encode({self.constant(made)}({', '.join(values)}))"
        return f"b'{{{_TIME}%b}}\\n' % (_t_now(), _t_h, b',' + _t_own[1:] if len(_t_own := {own}) > 2 else b'}}')"

    def _resolved(self, node: Any) -> dict[str, Any]:
        for _ in range(8):
            if not isinstance(node, dict):
                raise NotQuickError
            if "$ref" not in node:
                return node
            if self.document.dialect == "2020-12" and set(node) & _ASSERTING != {"$ref"}:
                raise NotQuickError
            try:
                node = resolve(self.document.body, self.document.id, node["$ref"])
            except LookupError:
                raise NotQuickError from None
        raise NotQuickError

    def test(self, node: Any, x: str) -> str:
        """An expression that is true only of a value that fits, and that JSON holds as it is."""
        node = self._resolved(node)
        kinds = node.get("type")
        said = (set(node) & _ASSERTING) - {"type"}
        if kinds is None and said in ({"enum"}, {"const"}):
            kinds = "string"
        kinds = kinds if isinstance(kinds, list) else [kinds]
        tests = []
        for kind in kinds:
            if kind not in _KEYWORDS or said - _KEYWORDS[kind]:
                raise NotQuickError
            tests.append(getattr(self, f"_{kind}")(node, x))
        return tests[0] if len(tests) == 1 else f"({' or '.join(f'({test})' for test in tests)})"

    def _null(self, node: dict[str, Any], x: str) -> str:
        return f"{x} is None"

    def _boolean(self, node: dict[str, Any], x: str) -> str:
        return f"({x} is True or {x} is False)"

    def _integer(self, node: dict[str, Any], x: str) -> str:
        low = max(INT64_MIN, node.get("minimum", INT64_MIN), _beyond(node, "exclusiveMinimum", 1, INT64_MIN))
        high = min(INT64_MAX, node.get("maximum", INT64_MAX), _beyond(node, "exclusiveMaximum", -1, INT64_MAX))
        test = f"type({x}) is int and {low!r} <= {x} <= {high!r}"
        if "enum" in node or "const" in node:
            values = frozenset(value for value in _choice(node) if type(value) is int)
            test += f" and {x} in {self.constant(values)}"
        return test

    def _number(self, node: dict[str, Any], x: str) -> str:
        bounds = "".join(
            f" and {x} {sign} {node[key]!r}"
            for key, sign in (
                ("minimum", ">="),
                ("maximum", "<="),
                ("exclusiveMinimum", ">"),
                ("exclusiveMaximum", "<"),
            )
            if key in node
        )
        whole = f"type({x}) is int and {INT64_MIN} <= {x} <= {INT64_MAX}"
        return f"({_FINITE.format(x=x)} or {whole}){bounds}"

    def _string(self, node: dict[str, Any], x: str) -> str:
        tests = [f"type({x}) is str"]
        words = _words(node)
        if words is not None:
            tests.append(f"{x} in {self.constant(words)}")
        if "minLength" in node or "maxLength" in node:
            tests.append(f"{node.get('minLength', 0)!r} <= len({x}) <= {node.get('maxLength', MAX_LINE)!r}")
        if "pattern" in node:
            try:
                tests.append(f"{self.constant(re.compile(translate(node['pattern'])).search)}({x})")
            except UntranslatableError:
                raise NotQuickError from None
        return " and ".join(tests)

    def _array(self, node: dict[str, Any], x: str) -> str:
        item = self.test(node["items"], "i") if "items" in node else None
        if item is None or "_t_all_" in item:  # arrays of arrays are rare enough for the careful way
            raise NotQuickError
        name = f"_t_all_{len(self.names)}"
        exec(f"def {name}(x):\n for i in x:\n  if not ({item}): return False\n return True", self.names)  # noqa: S102
        most = min(node.get("maxItems", _MOST_ITEMS), _MOST_ITEMS)
        return f"type({x}) is list and {node.get('minItems', 0)!r} <= len({x}) <= {most!r} and {name}({x})"

    def _rendered(self, node: Any, x: str) -> tuple[str, str]:
        """How a value that has passed its test is written: a format, and what to give it."""
        node = self._resolved(node)
        if node.get("type") == "integer":
            return "%d", x
        if node.get("type") == "boolean":
            return "%b", f"b'true' if {x} else b'false'"
        words = _words(node)
        if words is not None and node.get("type", "string") == "string":
            return "%b", f"{self.constant({word: encode(word) for word in words})}[{x}]"
        return "%b", f"_t_encode({x})"


_TIME: Final = '"time":%d%b'


def _beyond(node: dict[str, Any], key: str, step: int, without: int) -> int:
    if key not in node:
        return without
    if node[key] != int(node[key]):
        raise NotQuickError
    return int(node[key]) + step


def _choice(node: dict[str, Any]) -> list[Any]:
    values: list[Any] = node.get("enum", [node.get("const")])
    return [value for value in values if freeze(value) == freeze(node["const"])] if "const" in node else values


def _words(node: dict[str, Any]) -> frozenset[str] | None:
    """The texts that an enum or a const leaves, None without either."""
    if "enum" not in node and "const" not in node:
        return None
    return frozenset(value for value in _choice(node) if isinstance(value, str))


def _head_of(document: Document) -> Callable[[Any, Any], bytes]:
    """Makes what stands between a line's time and the event's own properties, once for each context."""
    properties = frozenset(document.properties)

    def head(context: Any, key: Any) -> bytes:
        made = b""
        if context.keys.isdisjoint(properties):
            own = encode({"kind": "event", "name": document.id, **context.fields})[1:-1]
            attrs = encode({**context.attrs, VERSION: document.version})[:-1]
            made = b"," + own + b',"attrs":' + attrs
        context.made[key] = made
        return made

    return head


VERSION: Final = "tellback.schema_version"
"""The attribute that holds the version of an event's schema; the event's name is the schema's `$id`."""
