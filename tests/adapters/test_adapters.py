"""What holds for every adapter there is."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADAPTERS = sorted(path.stem for path in (ROOT / "src/tellback/adapters").glob("*.py") if not path.stem.startswith("_"))


def test_none_is_imported_unless_it_is_asked_for() -> None:
    program = (
        "import sys, tellback, tellback.adapters; tellback.LogHandler; "
        "print([name for name in sys.modules if name.startswith('tellback.adapters.')])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", ADAPTERS)
def test_each_has_its_test_and_is_in_the_documentation(name: str) -> None:
    used = (f"adapters.{name}", f"adapters import {name}")
    tests = [path for path in (ROOT / "tests").rglob("*.py") if any(word in path.read_text() for word in used)]
    assert tests
    assert f"tellback.adapters.{name}" in "".join(path.read_text() for path in (ROOT / "docs").glob("*.md"))


def test_asgi_and_wsgi_need_no_library() -> None:
    program = (
        "import sys, tellback.adapters.asgi, tellback.adapters.wsgi; "
        "print([name for name in ('starlette', 'werkzeug', 'asgiref') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
