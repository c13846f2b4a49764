"""Secrets are hidden by name and by pattern in what is taken without being asked for."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tellback
from tellback.client.mask import is_card, masked

Recorded = Callable[[], list[dict[str, Any]]]


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("postgresql://me:hunter2@db/rigs", "postgresql://me:[masked]@db/rigs"),
        ("password=hunter2", "password=[masked]"),
        ("{'api_key': 'abc', 'a': 1}", "{'api_key': [masked], 'a': 1}"),
        ("Authorization: Basic bWU6aHVudGVy", "Authorization: [masked]"),
        ("curl -H 'Bearer abcdefghijkl'", "curl -H 'Bearer [masked]'"),
        ("/render?token=abc123&shot=1", "/render?token=[masked]&shot=1"),
        ("card 4111 1111 1111 1111", "card [masked]"),
        ("5500-0000-0000-0004 was refused", "[masked] was refused"),
        ("see eyJhbGciOiJ.eyJzdWIiOiIx.c2ln", "see [masked]"),
        ("ghp_" + "a1" * 18, "[masked]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n", "[masked]"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(given: str, shown: str) -> None:
    assert masked(given) == shown


@pytest.mark.parametrize(
    "harmless",
    [
        "4111111111111112",  # its check digit is wrong
        "at 1795000000000000001 ns",
        "/show/sq10/sh010/render.0001.exr",
        "token = make_token()",
        "the token: is bad",
        "max_tokens = 100 of 200",
        "2026-11-25 10:22:33,123",
        "https://example.org:8321/a@b",
        "f6b1c3d2-4111-4222-8333-444455556666",
    ],
)
def test_what_does_not_stays(harmless: str) -> None:
    assert masked(harmless) == harmless


@given(st.text())
def test_any_text_is_survived_and_masking_twice_changes_nothing(text: str) -> None:
    assert masked(masked(text)) == masked(text)


def test_a_card_as_a_number() -> None:
    assert is_card(4111111111111111)
    assert not is_card(4111111111111112)
    assert not is_card(1795000000000000001)


def test_errors_hide_them_everywhere(recorded: Recorded) -> None:
    def connect(url: str) -> None:
        headers = [(b"authorization", b"Bearer abc"), (b"accept", b"*/*")]
        card, tokens, settings = 4111111111111111, 7, {"db_password": "x", "host": "db"}
        raise ConnectionError(f"cannot reach {url}", headers, card, tokens, settings)

    try:
        connect("postgresql://me:hunter2@db")
    except ConnectionError:
        tellback.capture(api_key="abc", tokens=3, note="secret=xyz12")
    (record,) = recorded()
    locals_ = record["attrs"]["frames"][-1]["locals"]
    assert locals_["url"] == "postgresql://me:[masked]@db"
    assert locals_["headers"] == [["authorization", "[masked]"], ["accept", "*/*"]]
    assert locals_["card"] == "[masked]"
    assert locals_["tokens"] == 7
    assert locals_["settings"] == {"db_password": "[masked]", "host": "db"}
    attrs = record["attrs"]
    assert (attrs["api_key"], attrs["tokens"], attrs["note"]) == ("[masked]", 3, "secret=[masked]")
    assert "hunter2" not in str(record)


def test_what_an_event_says_itself_is_left_as_it_is(recorded: Recorded) -> None:
    tellback.event("paid", card="4111111111111111", nested={"token": "abc"})
    assert recorded()[0]["attrs"] == {"card": "4111111111111111", "nested": {"token": "abc"}}
