import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def foreign() -> Callable[[str], str]:
    """Gives the Python of a foreign client's environment; skips where `make test` has not made it."""

    def python(name: str) -> str:
        check = [str(ROOT / "scripts" / "foreign-environment"), "--check", name]
        found = subprocess.run(check, capture_output=True, text=True, check=False)
        if found.returncode:
            pytest.skip(found.stderr.strip())
        return found.stdout.strip()

    return python
