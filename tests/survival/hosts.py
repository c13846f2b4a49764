"""Host programs, each in a process of its own, and what became of their records."""

import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.client.intake_stub import Server
from tests.client.spool_files import segments, whole_lines

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"


def environment(spool: Path, url: str | None = None, **more: str) -> dict[str, str]:
    """Nothing of the person's own Tellback settings comes along."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("TELLBACK_", "DO_NOT_TRACK"))}
    own |= {"PYTHONPATH": f"{SOURCE}{os.pathsep}{ROOT}", "TELLBACK_SPOOL": str(spool), "TELLBACK_INTERVAL": "0.05"}
    return own | ({"TELLBACK_URL": url} if url else {}) | more


def start(code: str, environ: dict[str, str], *arguments: str, **popen: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *arguments]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **popen)


def end(process: "subprocess.Popen[str]", seconds: float = 60) -> tuple[int, str, str]:
    """Exit code, output, errors. TimeoutExpired if it does not end: what is called a wait here."""
    try:
        out, err = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return process.returncode, out, err


def finish(code: str, environ: dict[str, str], *arguments: str, **popen: Any) -> str:
    """What it prints. AssertionError when it fails or complains."""
    status, out, err = end(start(code, environ, *arguments, **popen))
    assert (status, err) == (0, ""), err
    return out


def kept(spool: Path, server: Server | None = None) -> list[dict[str, Any]]:
    """All records that are shipped or lie in the spool, each once: what is in both places has one identity."""
    found: dict[tuple[str, int], bytes] = {}
    for path in segments(spool):
        offset = 0
        for line in whole_lines(path):
            found[path.stem, offset] = line
            offset += len(line)
    if server is not None:
        with server.changed:
            for identity, line in server.lines.items():
                assert found.setdefault(identity, line) == line
    records = [msgspec.json.decode(line) for line in found.values()]
    return [record for record in records if record.get("kind") != "process"]


def numbers(records: list[dict[str, Any]], name: str = "e") -> list[int]:
    return sorted(record["attrs"]["n"] for record in records if record.get("name") == name)


def lost(records: list[dict[str, Any]]) -> dict[str, int]:
    out: dict[str, int] = {}
    for record in records:
        if record.get("kind") == "lost":
            out[record["name"]] = out.get(record["name"], 0) + int(record["value"])
    return out


def until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Poll until true; its value. AssertionError after the deadline."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        assert time.monotonic() < deadline, f"not within {seconds} s"
        time.sleep(0.02)
    return value
