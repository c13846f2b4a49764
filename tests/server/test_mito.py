"""`POST /mito`, with bodies as mitosheet 0.2.69 posts them."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.server.house import House, attrs, house
from tests.server.running import until

BASE = {
    "timestamp_gmt": "2026-11-01T10:00:00Z",
    "version_python": "3.11.7",
    "version_pandas": "2.3",
    "version_mito": "0.2.69",
}


@pytest.fixture
def served(tmp_path: Any) -> Iterator[House]:
    with house(tmp_path / "data") as made:
        yield made


def basic(user: str, token: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{token}".encode()).decode()


def event(name: str, **more: object) -> dict[str, object]:
    return {"event": name, **BASE, **more}


def post(served: House, *events: object, user: str = "guido") -> Any:
    body = json.dumps(events).encode()
    return served.post(body, "/mito", authorization=basic(user, served.token))


def test_an_event_is_an_event_of_its_user(served: House) -> None:
    reply = post(served, event("filter_column_edit", params_rows=3, params_event="x", params_version_pandas="y"))
    assert (reply.status, reply.json()["accepted"]) == (202, 1)
    [row] = served.ask('SELECT kind, name, "user", service, release, python, time, attrs FROM records')
    assert row[:7] == ("event", "filter_column_edit", "guido", "mito", "0.2.69", "3.11.7", 1793527200 * 10**9)
    assert attrs(row[7]) == {"rows": 3, "params_event": "x", "params_version_pandas": "y", "version_pandas": "2.3"}


@pytest.mark.parametrize(
    ("code", "level", "kept"), [("50", "fatal", "50"), (" 0", "warn", "0"), ("-1", "error", "-1"), (20, "error", "20")]
)
def test_an_error_is_an_error_with_its_severity_and_feature(served: House, code: object, level: str, kept: str) -> None:
    last = "mitosheet.errors.MitoError: no_column: the column is gone\n"
    post(
        served,
        event(
            "error",
            params_failed_log_event="set_column_formula_edit_failed",
            error_traceback=["a", "b"],
            error_traceback_last_line=last,
            error_severity_code=code,
        ),
    )
    [row] = served.ask("SELECT kind, name, message, level, attrs FROM records")
    assert row[:4] == ("error", "mitosheet.errors.MitoError", "no_column: the column is gone", level)
    more = attrs(row[4])
    assert (more["severity"], more["feature"], more["event"]) == (kept, "set_column_formula_edit", "error")
    assert more["error_traceback"] == ["a", "b"]


def test_a_failure_in_the_browser_is_an_error_too(served: House) -> None:
    post(
        served,
        event("frontend_render_failed", params_error_message="TypeError: undefined", params_error_stack="at x"),
        event("frontend_render_failed", params_error_message="something went wrong", error_severity_code="50"),
        event("error"),
    )
    rows = served.ask('SELECT name, message, level FROM records ORDER BY "offset"')
    assert rows == [
        ("TypeError", "undefined", "error"),
        ("frontend_render_failed", "something went wrong", "fatal"),
        ("error", None, "error"),
    ]


def test_a_user_told_in_the_query_is_marked_asserted(served: House) -> None:
    body = json.dumps([event("sort_edit")]).encode()
    assert served.post(body, f"/mito/{served.token}?user=ada", authorization="").status == 202
    [(user, text)] = served.ask('SELECT "user", attrs FROM records')
    assert (user, attrs(text)["user.asserted"]) == ("ada", True)


def test_the_user_beside_the_token_wins_and_is_not_asserted(served: House) -> None:
    body = json.dumps([event("sort_edit")]).encode()
    served.post(body, "/mito?user=ada", authorization=basic("gu%69do", served.token))
    [(user, text)] = served.ask('SELECT "user", attrs FROM records')
    assert (user, "user.asserted" in attrs(text)) == ("guido", False)


def test_the_same_batch_again_is_counted_not_kept(served: House) -> None:
    events = [event("sort_edit"), event("sort_edit")]
    assert post(served, *events).json()["accepted"] == 2
    assert post(served, *events).json() == {"accepted": 0, "rejected": 0, "duplicates": 2, "errors": []}
    assert post(served, *events, user="ada").json()["accepted"] == 2
    assert served.ask("SELECT count(*) FROM records") == [(4,)]
    assert dict(served.ask("SELECT reason, records FROM ledger")) == {"accepted": 4, "duplicate": 2}


@pytest.mark.parametrize("loaded", [True, False])
def test_a_duplicate_is_known_after_a_restart(tmp_path: Any, loaded: bool) -> None:
    with house(tmp_path / "data") as first:
        token = first.token
        assert post(first, event("sort_edit")).json()["accepted"] == 1
        if loaded:
            until(lambda: first.server.journal.oldest() is None)
    with house(tmp_path / "data") as second:
        second.token = token
        assert post(second, event("sort_edit")).json()["duplicates"] == 1
        assert second.ask("SELECT count(*) FROM records") == [(1,)]


def test_one_bad_object_is_one_reject(served: House) -> None:
    reply = post(served, event("a"), 3, {"event": 1}, {**event("b"), "timestamp_gmt": "yesterday"}, event("c"))
    assert (reply.status, reply.json()["accepted"], reply.json()["rejected"]) == (202, 2, 3)
    reasons = {error["line"]: error["reason"] for error in reply.json()["errors"]}
    assert set(reasons) == {2, 3, 4}
    assert "time: expected" in reasons[4]
    assert [wire for (wire,) in served.ask("SELECT DISTINCT wire FROM quarantine")] == ["mito"]


def test_what_is_no_array_is_refused_in_words(served: House) -> None:
    for body in (b"x", b"3", b'[{"event":"a"}'):
        reply = served.post(body, "/mito")
        assert reply.status == 400
        assert reply.json()["error"]["message"]
