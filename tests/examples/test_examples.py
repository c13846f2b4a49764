"""Every example, as a program of its own against a real server."""

import getpass
import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tellback.demo.serving import Server

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with Server(tmp_path_factory.mktemp("examples") / "data", port=0) as server:
        yield server


@pytest.fixture
def environment(server: Server) -> dict[str, str]:
    return server.client(server.run("token", "new", "--write").strip())


def arrived(server: Server, count: int, **params: str) -> list[dict[str, Any]]:
    """The records, once there are so many."""
    deadline = time.monotonic() + 30
    while len(rows := server.ask("records.search", **params)) < count:
        assert time.monotonic() < deadline, f"{len(rows)} of {count} came"
        time.sleep(0.1)
    return rows


def test_every_example_is_run_here() -> None:
    runs = Path(__file__).read_text()
    missing = [path.name for path in EXAMPLES.iterdir() if path.suffix != ".md" and f'"{path.name}"' not in runs]
    assert not missing


def test_script(server: Server, environment: dict[str, str], tmp_path: Path) -> None:
    shots = tmp_path / "shots.csv"
    shots.write_text("shot,frames\nsq10_010,96\nsq10_020,24\n")
    script = [sys.executable, str(EXAMPLES / "script.py")]
    done = subprocess.run([*script, str(shots)], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "120\n"
    failed = subprocess.run([*script, str(tmp_path / "none.csv")], env=environment, capture_output=True, text=True)
    assert failed.returncode == 1
    # The first run may have left its records in the spool; whoever comes next ships them.
    subprocess.run(
        [sys.executable, "-c", "import tellback; tellback.init(); assert tellback.flush(timeout=30)"],
        env=environment,
        check=True,
    )
    (event,) = arrived(server, 1, service="framecount", kind="event")
    assert (event["name"], event["user"], event["attrs"]["frames"]) == ("frames_counted", getpass.getuser(), 120)
    assert event["duration"] > 0
    (error,) = arrived(server, 1, service="framecount", kind="error")
    assert error["name"] == "FileNotFoundError"
    assert error["attrs"]["id"] in failed.stderr
    logs = arrived(server, 1, service="framecount", kind="log")
    assert [row["message"] for row in logs] == ["read 2 shots from shots.csv"]


def test_service(server: Server, environment: dict[str, str]) -> None:
    service = [sys.executable, str(EXAMPLES / "service.py"), "0"]
    with subprocess.Popen(
        service, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as run:
        assert run.stdout is not None
        try:
            url = run.stdout.readline().strip()
            with urllib.request.urlopen(url) as response:
                assert response.read() == b"96 frames\n"
            with pytest.raises(urllib.error.HTTPError) as failed:
                urllib.request.urlopen(url.replace("seconds=4", "seconds=four"))
            said = failed.value.read().decode()
            (event,) = arrived(server, 1, service="framerate", kind="event")
            spans = arrived(server, 2, service="framerate", kind="span")
            (error,) = arrived(server, 1, service="framerate", kind="error")
        finally:
            run.terminate()
    assert (event["name"], event["user"], event["attrs"]["seconds"]) == ("frames_asked", "nobody", 4)
    assert {(row["user"], row["attrs"]["url.path"]) for row in spans} == {("nobody", "/frames")}
    assert {row["attrs"]["http.response.status_code"] for row in spans} == {200, 500}
    assert error["name"] == "ValueError"
    assert error["attrs"]["id"] in said


def test_notebook(server: Server, environment: dict[str, str], tmp_path: Path) -> None:
    """The notebook's cells, one after the other as a kernel runs them; an environment with Jupyter would add 300 MB."""
    notebook = json.loads((EXAMPLES / "notebook.ipynb").read_text(encoding="utf-8"))
    assert notebook["nbformat"] == 4
    assert all(not cell.get("outputs") for cell in notebook["cells"]), "outputs are not kept"
    cells = ["".join(cell["source"]) for cell in notebook["cells"] if cell["cell_type"] == "code"]
    program = tmp_path / "notebook.py"
    program.write_text("\n".join([*cells, "print(json.dumps(features))"]))
    read = server.run("token", "new", "--read").strip()
    done = subprocess.run(
        [sys.executable, str(program)],
        env=environment | {"TELLBACK_READ_TOKEN": read, "PYTHONPATH": os.environ.get("PYTHONPATH", "")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    features = json.loads(done.stdout)
    assert {row["name"] for row in features} == {"read_shots", "count_frames"}
