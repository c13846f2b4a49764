"""`tellback show`: everything that lies in a spool, readable, and nothing of it changed."""

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from spool_files import segments

import tellback
from tellback.cli import show
from tellback.cli._exit import CommandError

Show = Callable[..., tuple[list[str], str]]


@pytest.fixture
def shown(spool: Path, capsys: pytest.CaptureFixture[str]) -> Show:
    def run(*words: str) -> tuple[list[str], str]:
        parser = argparse.ArgumentParser()
        show.configure(parser)
        capsys.readouterr()
        assert show.run(parser.parse_args([*words, "--spool", str(spool)])) == 0
        said = capsys.readouterr()
        return said.out.splitlines(), said.err

    return run


@pytest.fixture
def recording(spool: Path) -> None:
    tellback.init("rigtools", "1.4.2", user="guido", url="http://127.0.0.1:9", token="t", spool=spool)
    tellback.event("export", rows=1200, note="two words", inner={"a": [1]})
    tellback.event("import", rows=3)
    try:
        raise ValueError("no bone")
    except ValueError:
        tellback.capture()


@pytest.mark.usefixtures("recording")
def test_what_lies_there_is_readable(spool: Path, shown: Show) -> None:
    before = {path: path.read_bytes() for path in segments(spool)}
    out, err = shown()
    assert out[0].startswith("rigtools 1.4.2, pid ")
    assert out[0].endswith("running, for http://127.0.0.1:9")
    assert out[1].endswith('event    export  user=guido  rows=1200  note="two words"  inner={"a": [1]}')
    assert len([line for line in out if line.startswith("  ")]) == 3
    assert f"3 records in {spool}, of 1 process;" in err
    assert all(
        path.read_bytes() == data for path, data in before.items() if data.count(b"\n") > 1
    )  # no spare of the keeper's
    tellback.close(0)
    assert ", ended, " in shown()[0][0]


@pytest.mark.usefixtures("recording")
def test_some_of_it(shown: Show) -> None:
    assert len(shown("--kind", "event")[0]) == 4  # heading, two, a blank line
    assert "import" in shown("--name", "import")[0][1]
    assert "ValueError" in shown("--last", "1")[0][1]
    records = [json.loads(line) for line in shown("--format", "json", "--kind", "error")[0]]
    assert [(r["service"], r["name"], r["message"]) for r in records] == [("rigtools", "ValueError", "no bone")]
    assert "token_hash" not in records[0]
    with pytest.raises(CommandError, match="--last"):
        shown("--last", "0")


def test_an_empty_spool_and_none_at_all(spool: Path, shown: Show) -> None:
    assert shown() == ([], f"nothing in {spool}: nothing was recorded, or all of it is with the server.\n")
    tellback.init("s", spool=spool)
    assert shown()[0] == []


def test_torn_and_foreign_files_do_no_harm(spool: Path, shown: Show) -> None:
    folder = spool / ("a" * 32)
    folder.mkdir(parents=True)
    (folder / "1.ndjson").write_bytes(
        b'{"kind":"process","pid":1}\n{"name":"a\\u001b[2J","time":999999999999999999999}\nnot json\n[]\n{"name":"torn'
        + bytes(50)
    )
    (folder / "2.ndjson").write_bytes(b"")
    (spool / "stray file").write_text("x")
    (spool / "rejected").mkdir()
    (spool / "rejected" / "b-0.ndjson").write_bytes(b'{"time":1,"kind":"event","name":"refused"}\n')
    out, err = shown()
    assert out[0] == "no service, pid 1, ended, for no server yet"
    assert out[1] == "  999999999999999999999  event    a [2J"
    assert "set aside" in out[3]
    assert "refused" in out[4]
    assert "2 records" in err
