"""`capture`: an exception with its stack, in all its forms."""

import asyncio
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

import tellback

Recorded = Callable[[], list[dict[str, Any]]]


class HostileError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")

    __cause__ = property(lambda self: 1 / 0)  # type: ignore[assignment]


class Local:
    def __repr__(self) -> str:
        raise AssertionError("the host's code ran")


def fail(shot: str, password: str = "hunter2") -> None:
    local = Local()
    many = list(range(1000))
    raise ValueError(f"no {shot}", local, len(many)) if not shot else ValueError(f"no {shot}")


def test_the_exception_in_hand_with_its_frames(recorded: Recorded) -> None:
    try:
        fail("sq10")
    except ValueError:
        id_ = tellback.capture(time=5, tool="rig")
    (record,) = recorded()
    assert (record["kind"], record["name"], record["level"]) == ("error", "ValueError", "error")
    assert record["message"] == "no sq10"
    assert record["time"] == 5
    attrs = record["attrs"]
    assert attrs["id"] == id_
    assert len(id_) == 32
    assert attrs["tool"] == "rig"
    outer, inner = attrs["frames"]
    assert outer["function"].endswith("test_the_exception_in_hand_with_its_frames")
    assert inner["function"] == "fail"
    assert inner["code"].startswith("raise ValueError")
    assert inner["in_app"] is True
    local = inner["locals"]
    assert local["shot"] == "sq10"
    assert local["password"] == "[masked]"
    assert local["local"] == f"<{__name__}.Local>"
    assert len(local["many"]) == 10


def test_once_however_often_it_is_captured(recorded: Recorded) -> None:
    with pytest.raises(ValueError), tellback.capture():
        try:
            fail("x")
        except ValueError as error:
            first = tellback.capture(error)
            assert tellback.capture() == first
            raise
    assert len(recorded()) == 1


def test_as_decorator_in_each_form(recorded: Recorded) -> None:
    @tellback.capture
    def bare() -> None:
        fail("bare")

    @tellback.capture(tool="rig")
    def called() -> None:
        fail("called")

    @tellback.capture
    async def later() -> None:
        fail("later")

    for function in (bare, called, lambda: asyncio.run(later())):
        with pytest.raises(ValueError):
            function()
    assert [record["message"] for record in recorded()] == ["no bare", "no called", "no later"]
    assert recorded()[1]["attrs"]["tool"] == "rig"


def test_no_exception_and_no_failure(recorded: Recorded) -> None:
    assert tellback.capture() == ""
    with pytest.raises(SystemExit), tellback.capture():
        raise SystemExit(0)
    assert recorded() == []


def test_causes_are_told_and_hostile_ones_survived(recorded: Recorded) -> None:
    try:
        try:
            fail("inner")
        except ValueError as error:
            raise HostileError from error
    except HostileError:
        assert tellback.capture()
    (record,) = recorded()
    assert record["message"] == "<its text raised RuntimeError>"
    (cause,) = record["attrs"]["causes"]
    assert (cause["how"], cause["type"], cause["message"]) == ("cause", "ValueError", "no inner")
    assert cause["frames"][-1]["function"] == "fail"


def test_a_cycle_of_contexts_and_a_deep_recursion_end(recorded: Recorded) -> None:
    a, b = ValueError("a"), ValueError("b")
    a.__context__, b.__context__ = b, a
    assert tellback.capture(a)

    def down(n: int) -> None:
        down(n + 1)

    try:
        down(0)
    except RecursionError:
        assert tellback.capture()
    assert len(recorded()[1]["attrs"]["frames"]) == 50


def test_a_group_names_its_members(recorded: Recorded) -> None:
    tellback.capture(ExceptionGroup("several", [ValueError("a"), OSError("b")]))
    (record,) = recorded()
    assert [member["type"] for member in record["attrs"]["members"]] == ["ValueError", "OSError"]


def test_a_full_stack_is_recorded_once_with_its_frames(recorded: Recorded) -> None:
    """There was no room to describe it, yet it counted as captured, so that nobody else recorded it either."""

    @tellback.capture(tool="rig")
    def deeper(n: int) -> int:
        return deeper(n + 1) + 1

    with pytest.raises(RecursionError) as caught:
        deeper(0)
    (record,) = recorded()
    assert (record["name"], record["attrs"]["tool"]) == ("RecursionError", "rig")
    assert record["attrs"]["frames"]
    assert tellback.capture(caught.value) == record["attrs"]["id"]


def test_at_the_end_of_the_stack_the_hosts_own_exception_goes_on(recorded: Recorded) -> None:
    @tellback.capture
    def fail() -> None:
        raise KeyError("the host's own")

    def deeper() -> BaseException:
        try:
            return deeper()
        except RecursionError:
            try:
                fail()
            except Exception as error:
                return error
            raise AssertionError from None

    assert isinstance(deeper(), KeyError | RecursionError)  # the latter where there is no room to call `fail` itself
    assert "tellback.unencodable" not in {record["name"] for record in recorded()}


def test_of_a_huge_local_only_what_is_shown_is_copied(recorded: Recorded) -> None:
    huge = [None] * 3_000_000

    def fail(values: list[None]) -> None:
        raise ValueError(len(values))

    tracemalloc.start()
    try:
        fail(huge)
    except ValueError:
        tellback.capture()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2_000_000
    (record,) = recorded()
    assert len(record["attrs"]["frames"][-1]["locals"]["values"]) == 10
