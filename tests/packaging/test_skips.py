"""With CI=true a skip fails, wherever it is said."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent.parent

SKIPS = {
    "mark": "import pytest\n@pytest.mark.skip(reason='no llama')\ndef test_it(): pass\n",
    "call": "import pytest\ndef test_it(): pytest.skip('no llama')\n",
    "module": "import pytest\npytest.skip('no llama', allow_module_level=True)\n",
    "import": "import pytest\npytest.importorskip('no_llama', reason='no llama')\ndef test_it(): pass\n",
}


@pytest.mark.parametrize("kind", SKIPS)
@pytest.mark.parametrize(("ci", "fails"), [("true", True), ("", False)])
def test_a_skip_fails_in_ci_and_only_there(tmp_path: Path, kind: str, ci: str, fails: bool) -> None:
    (tmp_path / "conftest.py").write_text((HERE / "conftest.py").read_text())
    (tmp_path / "test_skip.py").write_text(SKIPS[kind])
    pytest_ = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", "-rA", str(tmp_path)]
    done = subprocess.run(pytest_, env=os.environ | {"CI": ci}, capture_output=True, text=True, cwd=tmp_path)
    assert ("failed" in done.stdout or "error" in done.stdout) == fails, done.stdout
    assert "no llama" in done.stdout


def test_an_expected_failure_is_no_skip(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text((HERE / "conftest.py").read_text())
    (tmp_path / "test_it.py").write_text("import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n")
    pytest_ = [sys.executable, "-m", "pytest", "-p", "no:randomly", "-p", "no:cacheprovider", str(tmp_path)]
    done = subprocess.run(pytest_, env=os.environ | {"CI": "true"}, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout
