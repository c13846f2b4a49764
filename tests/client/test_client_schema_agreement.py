"""The compiled check, the generated emitter and jsonschema-rs agree, on generated schemas and values."""

import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st
from made_schemas import PATTERNS, documents, events, flat, texts

import tellback
from tellback.client import live
from tellback.client.encode import ALTERED
from tellback.client.schemas.checks import UncompilableError, compiled
from tellback.client.schemas.document import document
from tellback.client.schemas.fallback import checker
from tellback.client.schemas.pattern import UntranslatableError, translate

patient = settings(
    deadline=None, max_examples=100,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.function_scoped_fixture],
)  # fmt: skip


def by_rs(schema: dict[str, Any]) -> Any:
    kinds = {True: jsonschema_rs.Draft202012Validator, False: jsonschema_rs.Draft7Validator}
    return kinds["2020" in schema["$schema"]](schema, validate_formats=False)


@given(schema=documents(), some=st.lists(events, min_size=1, max_size=8))
@patient
def test_the_compiled_check_agrees_with_jsonschema_rs(schema: dict[str, Any], some: list[dict[str, Any]]) -> None:
    try:
        check = compiled(document(schema))
    except UncompilableError:
        assume(False)
    peer = by_rs(schema)
    for data in some:
        try:
            ours = check(data)
        except RecursionError:  # a schema that refers to itself; the emitter calls it too deep
            assume(False)
        event("fits" if ours is None else "does not fit")
        assert (ours is None) == peer.is_valid(data), (ours, data)


@given(schema=documents(), some=st.lists(events, min_size=1, max_size=5))
@patient
def test_the_fallback_says_no_where_jsonschema_rs_does(schema: dict[str, Any], some: list[dict[str, Any]]) -> None:
    check, peer = checker(document(schema), "a test"), by_rs(schema)
    assert [check(data) is None for data in some] == [peer.is_valid(data) for data in some]


@pytest.fixture
def recording(spool: Path, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """What emitters hand to the spool, instead of a spool; `lost` takes what they count."""
    lines: list[bytes] = []

    class Lines:
        append = staticmethod(lines.append)

        @staticmethod
        def awake() -> None:
            """There are no threads to start."""

        class lost:  # noqa: N801
            @staticmethod
            def add(reason: str, records: int = 1, attrs: Any = None) -> None:
                assert reason == "invalid"
                lines.append(b"lost")

    monkeypatch.setattr(live, "spool", Lines())
    return lines


@given(schema=flat(), some=st.lists(events, min_size=1, max_size=8), positional=st.booleans())
@patient
def test_the_emitter_records_what_fits_as_it_is_and_nothing_else(
    recording: list[bytes], schema: dict[str, Any], some: list[dict[str, Any]], positional: bool
) -> None:
    emit = tellback.schema(schema)
    peer = by_rs(schema)
    for data in some:
        recording.clear()
        if positional and list(data) == list(schema["properties"])[: len(data)]:
            emit(*data.values())
        else:
            emit(**data)
        (line,) = recording
        event("lost" if line == b"lost" else "recorded")
        assert (line != b"lost") == peer.is_valid(data), data
        if line != b"lost":
            record = json.loads(line)
            attrs = record["attrs"]
            assert attrs.pop("tellback.schema_version") == "1"
            assert ALTERED in attrs or attrs == data  # only a huge number is altered
            assert (record["kind"], record["name"]) == ("event", "made")


@pytest.mark.parametrize("pattern", PATTERNS)
def test_what_a_pattern_means(pattern: str) -> None:
    import re

    try:
        search = re.compile(translate(pattern)).search
    except UntranslatableError:
        return  # left to jsonschema-rs
    peer = jsonschema_rs.Draft202012Validator({"pattern": pattern})

    @given(text=texts | st.text(max_size=6))
    @settings(deadline=None, max_examples=60)
    def same(text: str) -> None:
        assert (search(text) is not None) == peer.is_valid(text)

    same()


@given(pattern=st.text("ab1.*+?()[]|^$\\{},:-dwsDS ", max_size=8), text=st.text("ab1 \n-", max_size=6))
@settings(deadline=None, max_examples=400)
def test_what_is_translated_means_the_same(pattern: str, text: str) -> None:
    import re

    try:
        ours = re.search(translate(pattern), text) is not None
    except UntranslatableError:
        assume(False)
    try:
        peer = jsonschema_rs.Draft202012Validator({"pattern": pattern})
    except ValueError:
        assume(False)  # not an expression at all; such a schema is refused
    assert ours == peer.is_valid(text)


@pytest.mark.parametrize(
    "pattern",
    [
        "(a+)+$",
        "^(a|a)*$",
        "^a*a*a*a*b$",
        "a+b",
        "^.*x.*y$",
        "^a?a?a?a?aaaa$",
        r"^(a)\1$",
        "^(?:a|a)(?:a|a)(?:a|a)(?:a|a)$",
    ],
)
def test_a_pattern_that_could_run_away_is_not_compiled(pattern: str) -> None:
    with pytest.raises(UntranslatableError):
        translate(pattern)
