import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def read(server: Any) -> tuple[str, ...]:
    told = {"kind": "usage", "service": "rigtools", "release": "1"}
    server.store.add(
        {**told, "time": "2026-11-01", "name": "inventory", "message": "m:a\nm:b\nn:c"},
        {**told, "time": "2026-11-03", "name": "called", "user": "ann", "message": "m:a"},
    )
    return ("--since", "2026-11-01", "--url", server.url, "--token", server.access.new_token(["read"]).token)


def test_what_was_not_observed_is_listed(tellback: Run, read: tuple[str, ...]) -> None:
    run = tellback("code", "list", "--format", "json", *read)
    assert [(row["module"], row["function"]) for row in json.loads(run.stdout)["rows"]] == [("m", "b"), ("n", "c")]
    assert [row["function"] for row in json.loads(tellback(
        "code", "list", "--module", "m", "--status", "any", "--format", "json", *read
    ).stdout)["rows"]] == ["b", "a"]  # fmt: skip
    assert "1 row:" in tellback("code", "list", "--status", "seen", "--release", "1", *read).stderr
    assert tellback("code", "list", "--service", "other", *read).stdout == ""


def test_a_package_is_told_by_reading_it(tellback: Run, tmp_path: Path) -> None:
    (tmp_path / "told_of").mkdir()
    (tmp_path / "told_of" / "__init__.py").write_text("raise SystemExit('imported')\ndef f():\n    def g(): pass\n")
    (tmp_path / "told_of" / "broken.py").write_text("def (:\n'''")
    run = tellback("code", "tell", "told_of", "--service", "s", "--release", "2", "--spool", "spool")
    assert run.returncode == 3  # there is no server, and it says so
    assert "told_of.broken cannot be read" in run.stderr
    assert "no url is set" in run.stderr
    shown = tellback("show", "--spool", "spool", "--format", "json")
    record = json.loads(shown.stdout)
    assert (record["kind"], record["name"], record["release"]) == ("usage", "inventory", "2")
    assert record["message"] == "told_of:f\ntold_of:f.<locals>.g"
    assert record["attrs"] == {"packages": ["told_of"], "unread": ["told_of.broken"]}


def test_a_package_that_is_not_there(tellback: Run) -> None:
    run = tellback("code", "tell", "no_such_package")
    assert (run.returncode, run.stdout) == (2, "")
    assert "no_such_package" in run.stderr


def test_where_recording_is_off_nothing_is_told(tellback: Run) -> None:
    assert tellback("code", "tell", "json", TELLBACK_DISABLE="kind:usage", TELLBACK_SPOOL="spool").returncode == 1
