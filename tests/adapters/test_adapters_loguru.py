"""The sink in the real loguru."""

from collections.abc import Callable, Iterator
from typing import Any

import loguru
import pytest

from tellback.adapters.loguru import sink

Recorded = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def logger() -> Iterator[Any]:
    loguru.logger.remove()
    loguru.logger.add(sink, format="", level=0)
    yield loguru.logger
    loguru.logger.remove()


def test_a_log_has_its_place_level_message_and_values(recorded: Recorded, logger: Any) -> None:
    logger.bind(shot="sq10", user="ada").warning("wrote {} files", 3)
    with logger.contextualize(show="abc"):
        logger.success("fine")
    logger.trace("t")
    first, second, third = recorded()
    assert (first["kind"], first["name"], first["level"], first["user"]) == ("log", __name__, "warn", "ada")
    assert first["message"] == "wrote 3 files"
    assert first["attrs"]["shot"] == "sq10"
    assert first["attrs"]["code.function.name"] == "test_a_log_has_its_place_level_message_and_values"
    assert first["attrs"]["code.file.path"] == __file__
    assert (second["level"], second["attrs"]["show"]) == ("info", "abc")
    assert third["level"] == "trace"
    assert abs(first["time"] - second["time"]) < 10**10


def test_an_exception_is_an_error_too(recorded: Recorded, logger: Any) -> None:
    @logger.catch
    def fail() -> None:
        raise ValueError("no rig")

    fail()
    error, log = recorded()
    assert (error["kind"], error["name"], error["message"]) == ("error", "ValueError", "no rig")
    assert log["attrs"]["error"] == error["attrs"]["id"]
    assert log["level"] == "error"


def test_before_init_it_is_quiet(logger: Any) -> None:
    logger.info("a")
