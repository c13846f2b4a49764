"""The red button, settings, and what calls do while nothing is recorded."""

import logging
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from spool_files import lines

import tellback
from tellback.client import folder, live, settings


def until(test: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not test():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_before_init_all_is_a_quiet_no_op() -> None:
    tellback.event("e", a=1)
    with tellback.bound(user="u"):
        assert tellback.capture(ValueError()) == ""
    assert not tellback.flush(0)
    tellback.close()


@pytest.mark.parametrize("variable", ["TELLBACK_DISABLE", "DO_NOT_TRACK"])
def test_the_environment_disables_and_touches_nothing(
    spool: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, "1")
    tellback.init("s", spool=spool)
    tellback.event("e")
    assert not spool.exists()


@pytest.mark.parametrize(
    ("word", "off"), [("False", False), ("0", False), ("no", False), ("TRUE", True), ("please", True)]
)
def test_words_for_yes_and_no(monkeypatch: pytest.MonkeyPatch, word: str, off: bool) -> None:
    chosen, wrong = settings.read({"spool": "/s"}, {"TELLBACK_DISABLE": word})
    assert chosen.disable is off
    assert bool(wrong) is (word == "please")


def test_the_watched_file_flips_both_ways_live(spool: Path, tmp_path: Path) -> None:
    button = tmp_path / "button.json"
    tellback.init("s", spool=spool, config=button)
    tellback.event("on")
    button.write_text('{"disable_all": true}')
    until(lambda: live.spool is None)
    tellback.event("off")
    tellback.event("off")
    button.write_text('{"disable_all": false} ')
    until(lambda: live.spool is not None)
    tellback.event("on again")
    kept = live.spool
    assert kept is not None
    assert kept.lost.total() == {"disabled": 2}
    assert [r["name"] for r in lines(spool) if r["kind"] == "event"] == ["on", "on again"]


def test_pressed_from_the_start_it_can_still_be_released(spool: Path, tmp_path: Path) -> None:
    button = tmp_path / "button.json"
    button.write_text('{"disable_all": true}')
    tellback.init("s", spool=spool, config=button)
    tellback.event("off")
    assert live.spool is None
    button.unlink()
    until(lambda: live.spool is not None)
    tellback.event("on")
    assert [r["name"] for r in lines(spool) if r["kind"] == "event"] == ["on"]


def test_a_broken_button_file_is_told_of(spool: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    button = tmp_path / "button.json"
    button.write_text("disable!")
    tellback.init("s", spool=spool, config=button)
    assert live.spool is not None
    assert "disable_all" in caplog.text


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"url": "localhost:8321"}, "http://"),
        ({"url": 5.5}, "text"),
        ({"interval": "soon"}, "interval"),
        ({"token": "a b"}, "token"),
    ],
)
def test_wrong_settings_are_said_and_got_over(
    spool: Path, caplog: pytest.LogCaptureFixture, given: dict[str, Any], word: str
) -> None:
    tellback.init("s", spool=spool, **given)
    tellback.event("e")
    assert word in caplog.text
    assert [record.name for record in caplog.records] == ["tellback"]
    assert len(lines(spool)) == 1


def test_a_spool_that_cannot_be_made(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_text("")
    tellback.init("s", spool=tmp_path / "file" / "spool")
    tellback.event("e")
    assert "TELLBACK_SPOOL" in caplog.text
    second = folder.second_choice()
    assert str(second) in caplog.text
    assert [record["name"] for record in lines(second)] == ["e"]


def test_a_spool_that_can_be_made_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "file"))
    tellback.init("s", spool=tmp_path / "file" / "spool")
    tellback.event("e")
    assert "Nothing is recorded" in caplog.text
    assert live.spool is None


def test_the_environment_is_read_at_init(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TELLBACK_SPOOL", str(spool))
    monkeypatch.setenv("TELLBACK_USER", "guido")
    tellback.init()
    tellback.event("e")
    assert lines(spool)[0]["user"] == "guido"


def test_bound_values_nest_and_end(recorded: Callable[[], list[dict[str, Any]]]) -> None:
    with tellback.bound(user="a", shot="1", x=1):
        with tellback.bound(user="b", shot="2", x=None):
            tellback.event("inner", shot="3")
        tellback.event("outer", user="c")

    @tellback.bound(user="d")
    def inside() -> None:
        tellback.event("inside")

    inside()
    tellback.event("after")
    inner, outer, within, after = recorded()
    assert (inner["user"], inner["attrs"]) == ("b", {"shot": "3", "x": None})
    assert (outer["user"], outer["attrs"]) == ("c", {"shot": "1", "x": 1})
    assert within["user"] == "d"
    assert "user" not in after


def test_log_records_and_the_errors_in_them(recorded: Callable[[], list[dict[str, Any]]]) -> None:
    logger = logging.getLogger("rig.export")
    handler = tellback.LogHandler()
    logger.propagate = False  # pytest's own handler raises where the arguments do not fit
    logger.addHandler(handler)
    try:
        logger.warning("wrote %d files", 3, extra={"shot": "sq10"})
        try:
            raise KeyError("bone")
        except KeyError:
            logger.exception("omg")
        logger.warning("%d", "no number")
        logging.getLogger("tellback").addHandler(handler)
        logging.getLogger("tellback").warning("not this one")
    finally:
        logger.propagate = True
        logger.removeHandler(handler)
        logging.getLogger("tellback").removeHandler(handler)
    wrote, error, omg, unfit = recorded()
    assert (wrote["kind"], wrote["name"], wrote["level"]) == ("log", "rig.export", "warn")
    assert wrote["message"] == "wrote 3 files"
    assert (wrote["attrs"]["template"], wrote["attrs"]["shot"]) == ("wrote %d files", "sq10")
    assert (error["kind"], error["name"], error["message"]) == ("error", "KeyError", "'bone'")
    assert omg["attrs"]["error"] == error["attrs"]["id"]
    assert (omg["time"], omg["level"]) == (error["time"], "error")
    assert unfit["message"].startswith("%d")
