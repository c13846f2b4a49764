"""The sink in the real structlog."""

import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

import tellback
from tellback.adapters.structlog import Sink

Recorded = Callable[[], list[dict[str, Any]]]


@pytest.fixture(autouse=True)
def unconfigured() -> Iterator[None]:
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def configured(sink: Any, factory: Any = None) -> Any:
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, sink],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=factory or structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=False,
    )
    return structlog.get_logger()


def test_a_log_has_its_level_message_and_values(recorded: Recorded) -> None:
    log = configured(Sink()).bind(shot="sq10")
    structlog.contextvars.bind_contextvars(show="abc")
    log.debug("hidden")
    log.info("wrote", rows=3, ratio=0.5, ok=True, none=None)
    log.warning("naïve ☃ \udcff")
    log.bind(logger="rig", user="ada").critical("gone", size=[1, 2], n=2**70, what=object())
    log.error("n", nan=float("nan"))
    first, second, third, fourth = recorded()
    assert (first["kind"], first["name"], first["level"], first["message"]) == ("log", "structlog", "info", "wrote")
    assert first["attrs"] == {"show": "abc", "shot": "sq10", "rows": 3, "ratio": 0.5, "ok": True, "none": None}
    assert (second["level"], second["message"]) == ("warn", "naïve ☃ ?")
    assert second["attrs"] == {"shot": "sq10", "show": "abc", "tellback.altered": ["message"]}
    assert (third["name"], third["user"], third["level"]) == ("rig", "ada", "fatal")
    assert third["attrs"]["size"] == [1, 2]
    assert third["attrs"]["what"] == "<object>"
    assert fourth["attrs"]["nan"] == "NaN"


def test_what_tellback_binds_comes_along_and_the_log_wins(recorded: Recorded) -> None:
    log = configured(Sink())
    with tellback.bound(user="guido", shot="sq10"):
        log.info("a", n=1)
        log.info("b", shot="sq20")
        log.info("c")
    with tellback.bound(level="debug", message="bound"):
        log.info("d", n=1)
    log.info("e")
    a, b, c, d, e = recorded()
    assert [r["user"] for r in (a, b, c)] == ["guido"] * 3
    assert [r.get("attrs") for r in (a, b, c, d, e)] == [
        {"shot": "sq10", "n": 1}, {"shot": "sq20"}, {"shot": "sq10"}, {"n": 1}, None,
    ]  # fmt: skip
    assert [(r["level"], r["message"]) for r in (d, e)] == [("info", "d"), ("info", "e")]


def test_one_error_gives_the_log_and_the_error(recorded: Recorded) -> None:
    log = configured(Sink())
    try:
        raise ValueError("no rig")
    except ValueError as error:
        log.exception("omg", shot="sq10")
        log.error("again", exc_info=error)
    error_record, first, second = recorded()
    assert (error_record["kind"], error_record["name"], error_record["message"]) == ("error", "ValueError", "no rig")
    assert first["attrs"] == {"shot": "sq10", "error": error_record["attrs"]["id"]}
    assert (first["level"], second["attrs"]["error"]) == ("error", error_record["attrs"]["id"])


def test_people_see_the_line_as_well(recorded: Recorded) -> None:
    seen = []

    def renderer(logger: Any, method: str, event: Any) -> str:
        seen.append(dict(event))
        return json.dumps(event)

    log = configured(Sink(next=renderer))
    assert json.loads(log.info("wrote", rows=3)) == {"event": "wrote", "rows": 3}
    assert json.loads(log.info("wrote")) == {"event": "wrote"}
    assert [record["message"] for record in recorded()] == ["wrote", "wrote"]
    assert seen[0] == {"event": "wrote", "rows": 3}


def test_as_a_last_processor_among_structlogs_own(recorded: Recorded) -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.add_logger_name,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            Sink(),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
    )
    logging.getLogger("rig").addHandler(logging.NullHandler())
    structlog.get_logger("rig").warning("wrote", rows=3)
    (record,) = recorded()
    assert (record["name"], record["level"], record["attrs"]) == ("rig", "warn", {"rows": 3})


def test_before_init_it_only_passes_on() -> None:
    assert configured(Sink()).info("a") == ""
