"""Programs that use Tellback as a host does, each in a process of its own."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "src"


def environment(url: str, token: str, spool: Path) -> dict[str, str]:
    """What a host program is given. Nothing of the person's own Tellback settings comes along."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("TELLBACK_", "DO_NOT_TRACK"))}
    return own | {
        "PYTHONPATH": str(SOURCE),
        "TELLBACK_URL": url,
        "TELLBACK_TOKEN": token,
        "TELLBACK_SPOOL": str(spool),
        "TELLBACK_INTERVAL": "0.05",
    }


def start(code: str, environ: dict[str, str], *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code), *arguments]
    return subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(code: str, environ: dict[str, str], *arguments: str) -> str:
    """What it prints. AssertionError with its own words when it fails or complains."""
    process = start(code, environ, *arguments)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, ""), err
    return out
