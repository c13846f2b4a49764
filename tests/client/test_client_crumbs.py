"""Breadcrumbs: an error brings the last records of its context along."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spool_files import lines

import tellback
from tellback.client import crumbs, live

Recorded = Callable[[], list[dict[str, Any]]]


def last_crumbs(recorded: Recorded) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = recorded()[-1]["attrs"].get("breadcrumbs", [])
    return found


def test_the_last_records_of_the_process_where_nothing_is_bound(recorded: Recorded) -> None:
    for n in range(30):
        tellback.event("step", n=n)
    assert tellback.report("the rig popped")
    assert [crumb["attrs"]["n"] for crumb in last_crumbs(recorded)] == list(range(20, 30))
    assert last_crumbs(recorded)[0] == recorded()[20]  # whole, as it was


def test_those_of_the_same_trace_and_no_others(recorded: Recorded) -> None:
    tellback.event("before", session="s1")
    with tellback.bound(session="s1", trace="t1"):
        tellback.event("mine", n=1)
        tellback.event("someone else's", trace="t2")
        tellback.event("about it", trace="t2", about={"trace": "t1"})
        with tellback.bound(shot="sq10"):
            tellback.event("mine", n=2)
            tellback.report("popped")
    assert [(crumb["name"], crumb["attrs"]["n"]) for crumb in last_crumbs(recorded)] == [("mine", 1), ("mine", 2)]


def test_an_earlier_error_is_one_without_its_attributes(recorded: Recorded) -> None:
    try:
        raise ValueError("first")
    except ValueError:
        first = tellback.capture(note="x" * 1_000)
    tellback.event("long", text="x" * 5_000)
    tellback.event("deep", value=1, tree=json.loads("[" * 40 + "]" * 40))
    assert first
    tellback.report("second")
    assert [(crumb.get("name"), "attrs" in crumb) for crumb in last_crumbs(recorded)] == [
        ("ValueError", False),
        ("long", False),
        ("deep", False),
    ]
    assert last_crumbs(recorded)[0]["message"] == "first"


def test_from_the_segment_before_where_the_newest_has_just_begun(recorded: Recorded) -> None:
    tellback.event("before")
    spool = live.spool
    assert spool is not None
    spool._rotate(spool.active, 0)
    tellback.event("after")
    tellback.report("now")
    assert [crumb["name"] for crumb in last_crumbs(recorded)] == ["before", "after"]


def test_none_of_a_segment_that_the_sender_has_deleted(recorded: Recorded) -> None:
    tellback.event("gone")
    spool = live.spool
    assert spool is not None
    old = spool.active
    spool._rotate(old, 0)
    old.close()
    tellback.event("here")
    tellback.report("now")
    assert [crumb["name"] for crumb in last_crumbs(recorded)] == ["here"]


@given(
    st.lists(st.tuples(st.sampled_from(["t1", "t2", 't"1', "☃\n"]), st.text(max_size=400), st.booleans()), max_size=60),
    st.sampled_from(["t1", 't"1', "☃\n"]),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
def test_they_are_what_a_search_through_all_records_finds(
    tmp_path: Path, told: list[tuple[str, str, bool]], trace: str
) -> None:
    spool = tmp_path / str(len(list(tmp_path.iterdir())))
    tellback.init(spool=spool)
    for of, note, failed in told:
        with tellback.bound(trace=of):
            if failed:
                tellback.capture(ValueError(note))
            else:
                tellback.event("e", note=note, trace_id=trace)
    before = lines(spool)
    with tellback.bound(trace=trace):
        tellback.report("now")
    found = lines(spool)[-1]["attrs"].get("breadcrumbs", [])
    expected = [record for record in before if record["trace"] == trace]
    # Bounded by count and bytes, so it is an end of what there is.
    assert [crumb["time"] for crumb in found] == [record["time"] for record in expected][len(expected) - len(found) :]
    assert len(found) <= crumbs.MOST
    if expected:
        assert found
    tellback.close(0)
