"""Records as lines for people, while they are also kept."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spool_files import lines

import tellback
from tellback.client.console import show, words


def test_each_record_is_a_line_and_is_kept(spool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tellback.init(spool=spool, console=True, user="guido")
    tellback.event("export_to_file_edit", rows=1200)
    try:
        raise ValueError("no sq10")
    except ValueError:
        id_ = tellback.capture()
    tellback.event("render", duration=1_500_000)
    export, error, render = capsys.readouterr().err.splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}  event  export_to_file_edit  rows=1200  user=guido", export)
    assert re.search(rf"error  ValueError: no sq10  \(test_client_console.py:\d+ in \w+\)  id={id_}", error)
    assert "1.5ms" in render
    assert len(lines(spool)) == 3


def test_debug_has_it_and_may_do_without(
    spool: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TELLBACK_DEBUG", "1")
    tellback.init(spool=spool)
    tellback.event("seen")
    assert "seen" in capsys.readouterr().err
    tellback.init(spool=spool, console=False)
    tellback.event("unseen")
    assert "unseen" not in capsys.readouterr().err


def test_a_durable_spool_shows_as_well(spool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tellback.init(spool=spool, console=True, durable=True)
    tellback.event("kept")
    assert "kept" in capsys.readouterr().err
    assert len(lines(spool)) == 1


def test_a_broken_standard_error_disturbs_nobody(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tellback.init(spool=spool, console=True)
    monkeypatch.setattr("sys.stderr", None)
    tellback.event("kept")
    assert len(lines(spool)) == 1


@given(st.text(), st.dictionaries(st.text(), st.text()))
def test_no_text_can_move_the_cursor_or_end_the_line(name: str, attrs: dict[str, str]) -> None:
    said, _ = words({"time": 1, "kind": "event", "name": name, "attrs": attrs})
    assert said.isprintable()


@given(st.binary())
def test_any_bytes_are_survived(line: bytes) -> None:
    show(line)
