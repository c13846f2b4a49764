import fcntl
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]

pytestmark = pytest.mark.usefixtures("client_room")


def test_all_is_well(tellback: Run, server: Any, tmp_path: Path) -> None:
    token = server.access.new_token(["write"], "rigs").token
    run = tellback("doctor", "--url", server.url, "--token", token, "--spool", str(tmp_path / "spool"))
    assert run.returncode == 0, run.stdout
    assert "accepted; it may write, its records go to project rigs" in run.stdout
    assert "BAD" not in run.stdout
    assert not (tmp_path / "spool").exists()


def test_each_finding_says_what_to_do(tellback: Run, server: Any, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    for name in ("dead", "alive"):
        (spool / name).mkdir(parents=True)
        (spool / name / "lock").touch()
        (spool / name / "1.ndjson").write_bytes(b"x" * 2048)
    server.version = "0.0.0"
    server.ready = 503
    with (spool / "alive" / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        run = tellback("doctor", "--url", server.url, "--token", "x", "--spool", str(spool))
    assert run.returncode == 1
    bad = [line for line in run.stdout.splitlines() if line.startswith("BAD")]
    assert [line.split(":")[0] for line in bad] == ["BAD  version", "BAD  ready", "BAD  token", "BAD  spool orphans"]
    for words in ("install the same version", "the disk is full", "token new", "1 files (2 KiB)", "tellback ship"):
        assert words in run.stdout


def test_without_a_server_it_says_how_to_start_one(tellback: Run, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    run = tellback("doctor", "--data", "data")
    assert run.returncode == 1
    assert "tellback serve --data data" in run.stdout
    assert tellback("doctor", "--url", "http://127.0.0.1:9").returncode == 1


def test_a_spool_that_is_a_file_is_a_finding(tellback: Run, server: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    run = tellback("doctor", "--data", ".", "--spool", str(tmp_path / "file"))
    assert "is no folder; set TELLBACK_SPOOL" in run.stdout


@pytest.mark.parametrize(("there", "words"), [(0, "agree"), (-60, "60 s ahead of"), (60, "s behind")])
def test_a_clock_that_is_off_is_named(there: int, words: str) -> None:
    import time
    from email.message import Message
    from email.utils import formatdate

    from tellback.cli._http import Reply
    from tellback.cli.doctor import _clock

    now = time.time() // 1 + 0.5
    headers = Message()
    headers["Date"] = formatdate(now + there, usegmt=True)
    check = _clock(Reply(200, headers, b""), now, now)
    assert check.good is (there == 0)
    assert words in check.words
