"""`tellback send` and `tellback ship`."""

import argparse
from pathlib import Path
from typing import Any

import pytest
from intake_stub import Server
from spool_files import lines

import tellback
from tellback.cli import send, ship


def run(command: Any, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.configure(parser)
    code: int = command.run(parser.parse_args(words))
    return code


def test_send_an_event(server: Server, spool: Path) -> None:
    words = ("build", "ok=true", "n=3", "ratio=1.5", "name=007", 'text="3"', "--user", "ci", "--duration", "2")
    assert run(send, *words, "--url", server.url, "--spool", str(spool), "--service", "make") == 0
    (record,) = server.records()
    assert record["attrs"] == {"ok": True, "n": 3, "ratio": 1.5, "name": "007", "text": "3"}
    assert (record["name"], record["user"], record["duration"]) == ("build", "ci", 2_000_000_000)
    assert list(spool.iterdir()) == []


def test_send_says_what_is_wrong(spool: Path, server: Server, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(send, "e", "oops", "--spool", str(spool)) == 2
    assert run(send, "e", "user=x", "--spool", str(spool)) == 2
    assert "--user" in capsys.readouterr().err
    gone = Server()
    gone.close()
    assert run(send, "e", "--url", gone.url, "--spool", str(spool), "--timeout", "0.3") == 3
    assert "tellback ship" in capsys.readouterr().err
    server.token = "x"
    assert run(send, "e", "--url", server.url, "--spool", str(spool), "--timeout", "1") == 4


def test_what_a_rule_leaves_out_is_not_said_to_be_sent(
    spool: Path, server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("TELLBACK_DISABLE", "name:e")
    assert run(send, "e", "--url", server.url, "--spool", str(spool)) == 1
    assert "recording is off" in capsys.readouterr().err
    assert run(send, "f", "--url", server.url, "--spool", str(spool)) == 0
    assert [record["name"] for record in server.records()] == ["f"]


def test_ship_what_lies_there(server: Server, spool: Path, capsys: pytest.CaptureFixture[str]) -> None:
    tellback.init("nobody", spool=spool)
    tellback.event("e", n=1)
    tellback.close()
    assert run(ship, "--spool", str(spool)) == 2
    server.token = "x"
    assert run(ship, "--url", server.url, "--spool", str(spool)) == 4
    assert len(lines(spool)) == 1
    assert run(ship, "--url", server.url, "--token", "x", "--spool", str(spool)) == 0
    assert len(server.records()) == 1
    assert "1 records accepted" in capsys.readouterr().err
    assert list(spool.iterdir()) == []
