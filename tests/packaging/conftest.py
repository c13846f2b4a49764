import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as it is published, built from this tree."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def client(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The `bin` of a fresh environment in which only `pip install tellback` was run."""
    folder = tmp_path_factory.mktemp("client") / "venv"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    # The machine's own settings of pip stay: they say where its registry is.
    install = [str(folder / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "-qq", "install", str(wheel)]
    subprocess.run(install, check=True)
    return folder / "bin"
