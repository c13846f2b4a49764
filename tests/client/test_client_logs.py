"""`LogHandler`: what is kept apart, and what is hidden."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tellback

Recorded = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logger(recorded: Recorded) -> Iterator[logging.Logger]:
    made = logging.getLogger("rig.load")
    made.propagate = False
    handler = tellback.LogHandler()
    made.addHandler(handler)
    yield made
    made.removeHandler(handler)
    made.propagate = True


def test_the_text_and_what_was_put_into_it_are_apart(logger: logging.Logger, recorded: Recorded) -> None:
    logger.warning("wrote %d files to %s", 3, "/out")
    logger.warning("wrote %(n)d files", {"n": 4})
    logger.warning("100 % sure")
    first, second, third = recorded()
    assert first["message"] == "wrote 3 files to /out"
    assert (first["attrs"]["template"], first["attrs"]["args"]) == ("wrote %d files to %s", [3, "/out"])
    assert (second["message"], second["attrs"]["args"]) == ("wrote 4 files", {"n": 4})
    assert (third["message"], "template" in third["attrs"]) == ("100 % sure", False)


def test_one_call_gives_the_line_and_the_error(logger: logging.Logger, recorded: Recorded) -> None:
    logger.error("omg", exc_info=ValueError("no sq10"))
    error, log = recorded()
    assert (error["kind"], error["name"], log["kind"], log["message"]) == ("error", "ValueError", "log", "omg")
    assert log["attrs"]["error"] == error["attrs"]["id"]


def test_stack_info_and_extra(logger: logging.Logger, recorded: Recorded) -> None:
    logger.warning("here", stack_info=True, extra={"shot": "sq10"})
    attrs = recorded()[0]["attrs"]
    assert "test_stack_info_and_extra" in attrs["stack"]
    assert attrs["shot"] == "sq10"
    assert attrs["code.function.name"] == "test_stack_info_and_extra"


def test_secrets_are_hidden(logger: logging.Logger, recorded: Recorded) -> None:
    logger.warning("connecting to %s", "postgresql://me:hunter2@db", extra={"api_key": "abc", "tokens": 3})
    (record,) = recorded()
    assert record["message"] == "connecting to postgresql://me:[masked]@db"
    assert record["attrs"]["args"] == ["postgresql://me:[masked]@db"]
    assert (record["attrs"]["api_key"], record["attrs"]["tokens"]) == ("[masked]", 3)
    assert "hunter2" not in str(record)
