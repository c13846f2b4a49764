"""Anything in, a record out: one line that the server accepts, and none of the host's code run."""

import asyncio
import datetime
import decimal
import json
import math
import uuid
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import tellback
from tellback.client import live
from tellback.client.clean import Cleaner
from tellback.client.encode import ALTERED, level_of, line, time_of
from tellback.record import INT64_MAX, INT64_MIN, LEVELS, MAX_DEPTH, MAX_LINE, MAX_TEXT, Line

patient = settings(
    deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=200
)


class Hostile:
    """An object each of whose methods is a trap."""

    def _trap(self, *_: object) -> Any:
        raise AssertionError("the host's code ran")

    __repr__ = __str__ = __iter__ = __eq__ = __len__ = __bool__ = __getitem__ = __int__ = __float__ = _trap  # type: ignore[assignment]
    __getattr__ = keys = __index__ = __lt__ = _trap

    def __hash__(self) -> int:
        return 1


class HostileText(str):
    __slots__ = ()
    __repr__ = __str__ = __iter__ = __eq__ = encode = Hostile._trap  # type: ignore[assignment]

    def __hash__(self) -> int:
        raise AssertionError("the host's code ran")


class HostileDict(dict):  # type: ignore[type-arg]
    items = keys = __iter__ = __len__ = __getitem__ = Hostile._trap  # type: ignore[assignment]


class HostileZone(datetime.tzinfo):
    utcoffset = tzname = dst = Hostile._trap


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def cyclic() -> Any:
    value: list[Any] = []
    value.append(value)
    return {"self": value}


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(min_value=-(2**70), max_value=2**70)
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.text(st.characters(categories=["Cs", "Cc", "Lu"]), max_size=10)
    | st.binary(max_size=10)
    | st.decimals()
    | st.uuids()
    | st.datetimes()
    | st.timedeltas()
    | st.builds(Hostile)
    | st.builds(HostileText)
    | st.builds(HostileDict)
    | st.sampled_from([object, len, 1j, range(3), Path("/a/b")])
    | st.builds(lambda: 10**5000)
    | st.builds(nested, st.integers(1, 100))
    | st.builds(cyclic)
    | st.builds(lambda: datetime.datetime(2026, 1, 1, tzinfo=HostileZone()))
)
keys = st.text(max_size=10) | st.integers() | st.none() | st.floats() | st.booleans() | st.binary(max_size=3)
anything = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=4)
        | st.frozensets(st.integers() | st.text(max_size=3), max_size=3)
    ),
    max_leaves=12,
)
attributes = st.dictionaries(st.text(st.characters(), min_size=1, max_size=8), anything, max_size=5)
_OWN = ("time", "name", "level", "message", "user", "session", "run", "trace", "span", "parent", "duration", "value")
own_fields = st.fixed_dictionaries({}, optional=dict.fromkeys(_OWN, anything))


def depth_of(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth_of, value), default=0)
    return 0


def check(out: bytes) -> dict[str, Any]:
    assert out.endswith(b"\n")
    assert out.count(b"\n") == 1
    assert b"\0" not in out
    assert len(out) <= MAX_LINE
    record = msgspec.json.decode(out, type=Line)
    for name in ("name", "user", "session", "run", "trace", "span", "parent", "level"):
        assert len(getattr(record, name) or "") <= MAX_TEXT
    for number in (record.time, record.duration):
        assert number is None or INT64_MIN <= number <= INT64_MAX
    plain: dict[str, Any] = json.loads(out.decode("utf-8"))
    assert depth_of(plain) <= MAX_DEPTH
    return plain


@given(fields=own_fields, attrs=attributes)
@patient
def test_anything_becomes_a_line_that_is_a_record(fields: dict[str, Any], attrs: dict[str, Any]) -> None:
    record = check(line({"kind": "event", **fields}, attrs))
    assert record["kind"] == "event"
    assert record.get("name") != "tellback.unencodable"


@given(attrs=attributes, fields=own_fields)
@patient
def test_an_event_never_raises_and_writes_a_record(
    recording: Any, fields: dict[str, Any], attrs: dict[str, Any]
) -> None:
    name = fields.pop("name", "n")
    clash = set(attrs) & {*fields, "time", "level", "message", "user", "session", "run", "trace", "span", "parent"}
    attrs = {key: value for key, value in attrs.items() if key not in clash | {"duration", "value"}}
    lines: list[bytes] = recording
    lines.clear()
    tellback.event(name, **fields, **attrs)
    assert len(lines) == 1
    check(lines[0])


@pytest.fixture
def recording(spool: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What calls hand to the spool, instead of a spool."""
    lines: list[bytes] = []

    class Lines:
        append = staticmethod(lines.append)

    monkeypatch.setattr(live, "spool", Lines())
    return lines


exact = st.dictionaries(
    st.text(st.characters(categories=["Ll"]), min_size=1, max_size=8).filter(lambda k: k not in Line.__struct_fields__),
    st.text(max_size=20) | st.integers(INT64_MIN, INT64_MAX) | st.booleans() | st.none()
    | st.floats(allow_nan=False, allow_infinity=False),
    max_size=5,
)  # fmt: skip


@given(attrs=exact, bound=exact)
@patient
def test_the_quick_way_and_the_careful_way_write_the_same(
    recording: list[bytes], attrs: dict[str, Any], bound: dict[str, Any]
) -> None:
    recording.clear()
    with tellback.bound(user="guido", **bound):
        tellback.event("e", **attrs)
    out = json.loads(recording[0])
    assert out.pop("time") > 0
    expected = json.loads(line({"time": 1, "kind": "event", "name": "e", "user": "guido"}, {**bound, **attrs}))
    expected.pop("time")
    expected_attrs, out_attrs = expected.pop("attrs", {}), out.pop("attrs", {})
    assert out == expected
    assert out_attrs == expected_attrs
    assert ALTERED not in out_attrs


@pytest.mark.parametrize(
    ("value", "written", "altered"),
    [
        (2**63 - 1, 2**63 - 1, False),
        (2**63, str(2**63), True),
        (-(2**63), -(2**63), False),
        (-(2**63) - 1, str(-(2**63) - 1), True),
        (10**5000, "<int of 16610 bits>", True),
        (math.inf, "Infinity", True),
        (math.nan, "NaN", True),
        ("\ud800x", "?x", True),
        ("null", "null", False),
        ((1, 2), [1, 2], False),
        ({1: "a", "1": "b"}, {"1": "a", "1 (2)": "b"}, True),
        (b"ab\xff", "ab�", True),
        (uuid.UUID(int=5), str(uuid.UUID(int=5)), False),
        (decimal.Decimal("1.50"), "1.50", False),
        (datetime.date(2026, 11, 1), "2026-11-01", False),
        (Path("/a"), "/a", False),
        (Hostile(), "<test_client_encode.Hostile>", True),
        (HostileText("x"), "<test_client_encode.HostileText>", True),
        (HostileDict(), "<test_client_encode.HostileDict>", True),
        (datetime.datetime(2026, 1, 1, tzinfo=HostileZone()), "<datetime.datetime>", True),
        ([Hostile()], ["<test_client_encode.Hostile>"], True),
    ],
    ids=map(str, range(21)),  # the values have no text to be called by
)  # fmt: skip
def test_how_a_value_is_written(recording: list[bytes], value: Any, written: Any, altered: bool) -> None:
    tellback.event("e", a=value)
    attrs = check(recording[0])["attrs"]
    assert attrs["a"] == written
    assert attrs.get(ALTERED) == (["a"] if altered else None)


def test_a_long_line_is_cut_and_says_so(recording: list[bytes]) -> None:
    tellback.event("e", a="x" * (2 << 20), b=1)
    tellback.event("e", a=["é" * 5000] * 1000)
    tellback.event("e", **{f"k{i}": "x" * 100 for i in range(20_000)})
    tellback.event("e", message="é" * (2 << 20))
    first, second, third, fourth = map(check, recording)
    assert first["attrs"]["b"] == 1
    assert first["attrs"][ALTERED] == ["a"]
    assert second["attrs"][ALTERED] == ["a"]
    assert third["attrs"]["tellback.attributes"] == 20_000
    assert fourth["attrs"][ALTERED] == ["message"]


def test_a_column_is_cut_at_its_limit(recording: list[bytes]) -> None:
    tellback.event("n" * 5000, user="u" * 5000)
    record = check(recording[0])
    assert len(record["name"]) == len(record["user"]) == MAX_TEXT
    assert set(record["attrs"][ALTERED]) == {"name", "user"}


def test_a_name_that_is_no_text(recording: list[bytes]) -> None:
    tellback.event(Hostile())  # type: ignore[arg-type]
    tellback.event("n" * 5000)
    assert check(recording[0])["name"] == "<test_client_encode.Hostile>"
    assert len(check(recording[1])["name"]) == MAX_TEXT


@pytest.mark.parametrize(
    ("given", "ns"),
    [
        (5, 5),
        (1.5, 1_500_000_000),
        (datetime.datetime(1970, 1, 1, 0, 0, 1, tzinfo=datetime.UTC), 10**9),
        (datetime.datetime(1970, 1, 1, 1, tzinfo=datetime.timezone(datetime.timedelta(hours=1))), 0),
        ("soon", None),
        (True, None),
        (2**64, None),
        (datetime.datetime(2026, 1, 1, tzinfo=HostileZone()), None),
    ],
)
def test_a_time_in_its_three_forms(given: Any, ns: int | None) -> None:
    assert time_of(given) == (ns, ns is not None)


def test_levels_are_opentelemetrys() -> None:
    assert [level_of(number)[0] for number in (5, 10, 20, 30, 40, 50)] == list(LEVELS)
    assert level_of("WARNING") == ("warn", True)
    assert level_of("Critical") == ("fatal", True)
    assert level_of("audit") == ("audit", True)


def test_a_wide_container_is_bounded() -> None:
    cleaner = Cleaner(items=10)
    assert len(cleaner.value(list(range(1000)))) == 10
    assert cleaner.altered


def test_anything_may_be_bound_by_any_name(recording: list[bytes]) -> None:
    with tellback.bound(self=1, values=2):
        tellback.event("e")
    assert json.loads(recording[0])["attrs"] == {"self": 1, "values": 2}


def test_tasks_that_share_a_block_leave_it_each_for_itself(recording: list[bytes]) -> None:
    """Who left first undid the other's entry, and was called by that user's name for ever after."""
    shared = tellback.bound(user="guido")

    async def task(inside: asyncio.Event, leave: asyncio.Event) -> None:
        with shared:
            inside.set()
            await leave.wait()
        tellback.event("after")

    async def both() -> None:
        events = [asyncio.Event() for _ in range(4)]
        first, second = (asyncio.create_task(task(*events[n : n + 2])) for n in (0, 2))
        await asyncio.gather(events[0].wait(), events[2].wait())
        events[1].set()
        await first
        events[3].set()
        await second

    asyncio.run(both())
    assert ["user" in json.loads(line) for line in recording] == [False, False]


def test_an_own_field_keeps_the_text_or_number_of_a_class_made_from_one() -> None:
    """A name from a StrEnum became `<module.Class>`, and numpy's float as value was left out."""

    class HostileNumber(float):
        __repr__ = __str__ = __float__ = __int__ = __eq__ = __sub__ = __round__ = Hostile._trap  # type: ignore[assignment]
        __hash__ = None  # type: ignore[assignment]

    class HostileInt(int):
        __repr__ = __str__ = __float__ = __int__ = __eq__ = __sub__ = __index__ = Hostile._trap  # type: ignore[assignment]
        __hash__ = None  # type: ignore[assignment]

    record = json.loads(
        line({"time": HostileInt(5), "name": HostileText("x"), "level": HostileText("WARNING"), "run": True}, {})
    )
    assert record == {"time": 5, "name": "x", "level": "warn", "run": "true"}
    assert json.loads(line({"time": 5, "value": HostileNumber(0.5)}, {})) == {"time": 5, "value": 0.5}
