"""`benchmarks/stalled.py` runs through: nothing raises, nothing waits for ever. It times nothing here."""

import subprocess
import sys
from pathlib import Path

import tellback


def test_calls_beside_a_stalled_server_and_a_busy_disk_come_to_an_end() -> None:
    script = Path(__file__).parents[2] / "benchmarks" / "stalled.py"
    out = subprocess.run(
        [sys.executable, str(script), "20000"],
        env={"PYTHONPATH": str(Path(tellback.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    ).stdout
    assert "p99.9" in out
