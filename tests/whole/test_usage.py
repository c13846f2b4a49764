"""From the functions of a package to the answer that names those which nobody was seen to call."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.server.running import Running, until
from tests.whole.programs import environment, finish

PACKAGE = """
import time

def used(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        Rig().pose()

class Rig:
    def pose(self):
        return sum(n * n for n in range(3000))

    def never(self):
        return 1
"""

PROGRAM = """
    import sys
    import time
    import tellback

    sys.path.insert(0, sys.argv[1])
    tellback.init(service="farm", release="2.0", user="guido")
    tellback.usage.start(packages=["rigs_of_test"])
    import rigs_of_test
    rigs_of_test.used(2)
    assert tellback.flush(timeout=30)
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    (site / "rigs_of_test").mkdir(parents=True)
    (site / "rigs_of_test" / "__init__.py").write_text(PACKAGE)
    (site / "rigs_of_test" / "cold.py").write_text("def forgotten():\n    pass\n")
    return site


def test_what_was_called_and_what_was_not_observed(tmp_path: Path, package: Path) -> None:
    with Running(tmp_path / "data") as server:
        environ = environment(f"http://127.0.0.1:{server.port}", server.token, tmp_path / "spool")
        finish(PROGRAM, environ, str(package))
        admin = json.loads((server.data / "server.json").read_text())["token"]

        def rows() -> list[dict[str, Any]]:
            found: list[dict[str, Any]] = server.request(
                "GET", "/api/questions/usage.functions?service=farm", token=admin
            ).json()["rows"]
            return found

        found = until(lambda: (got := rows()) and len(got) == 4 and got)
        status = {(row["module"], row["function"]): (row["status"], row["users"]) for row in found}
        assert status == {
            ("rigs_of_test.cold", "forgotten"): ("not observed", 0),
            ("rigs_of_test", "Rig.never"): ("not observed", 0),
            ("rigs_of_test", "used"): ("seen", 1),
            ("rigs_of_test", "Rig.pose"): ("seen", 1),
        }
        assert {row["release"] for row in found} == {"2.0"}
