"""Errors that nobody caught are recorded, and what was to happen then happens as before."""

import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from spool_files import lines

import tellback


def run(spool: Path, body: str, *, init: str = "") -> tuple[list[dict[str, Any]], "subprocess.CompletedProcess[str]"]:
    program = f"import sys, tellback\ntellback.init(spool={str(spool)!r}{init})\n" + body
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    return lines(spool), done


def test_the_end_of_a_program_by_an_error(spool: Path) -> None:
    records, done = run(spool, "def work():\n  raise ValueError('no sq10')\nwork()")
    (record,) = records
    assert (record["kind"], record["name"], record["level"]) == ("error", "ValueError", "fatal")
    assert record["attrs"]["handled"] is False
    assert record["attrs"]["mechanism"] == "sys.excepthook"
    assert record["attrs"]["frames"][-1]["function"] == "work"
    assert done.returncode == 1
    assert done.stderr.endswith("ValueError: no sq10\n")
    assert done.stderr.count("Traceback") == 1


def test_leaving_on_purpose_is_none(spool: Path) -> None:
    assert run(spool, "raise KeyboardInterrupt")[0] == []
    records, done = run(spool, "raise SystemExit(3)")
    assert records == []
    assert done.returncode == 3


THREAD = """
import threading
def work():
    raise ValueError("in a thread")
thread = threading.Thread(target=work, name="farmer"); thread.start(); thread.join()
thread = threading.Thread(target=sys.exit); thread.start(); thread.join()
"""


def test_a_thread(spool: Path) -> None:
    (record,), done = run(spool, THREAD)
    assert (record["attrs"]["mechanism"], record["attrs"]["thread.name"]) == ("threading.excepthook", "farmer")
    assert record["level"] == "error"
    assert done.returncode == 0
    assert "Exception in thread farmer" in done.stderr


FINALIZER = """
class Rig:
    def __del__(self):
        raise ValueError("in a finalizer")
Rig()
"""


def test_a_finalizer(spool: Path) -> None:
    (record,), done = run(spool, FINALIZER)
    assert record["attrs"]["mechanism"] == "sys.unraisablehook"
    assert "Exception ignored" in done.stderr


TASK = """
import asyncio, gc
async def fail():
    raise ValueError("in a task")
async def main():
    task = asyncio.ensure_future(fail())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    del task
    gc.collect()
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
asyncio.run(main())
"""


def test_a_task_and_a_callback_of_asyncio(spool: Path) -> None:
    records, done = run(spool, TASK)
    assert [record["name"] for record in records] == ["ValueError", "ZeroDivisionError"]
    assert records[0]["attrs"]["mechanism"] == "asyncio"
    assert records[0]["attrs"]["mechanism.message"] == "Task exception was never retrieved"
    assert "Task exception was never retrieved" in done.stderr  # logging's last resort, as without Tellback


BEFORE = """
sys.excepthook = lambda kind, error, traceback: print("mine", kind.__name__)
tellback.init(spool={spool!r})
"""
BETWEEN = """
ours = sys.excepthook
sys.excepthook = lambda *args: (print("over it"), ours(*args))
tellback.init(spool={spool!r})
"""


@pytest.mark.parametrize(
    ("hooks", "said"), [(BEFORE, ["mine ValueError"]), (BEFORE + BETWEEN, ["over it", "mine ValueError"])]
)
def test_the_hook_before_is_called_once_whoever_comes_between(spool: Path, hooks: str, said: list[str]) -> None:
    records, done = run(spool, hooks.format(spool=str(spool)) + "raise ValueError('x')")
    assert done.stdout.splitlines() == said
    assert [record["name"] for record in records] == ["ValueError"]


def test_not_if_not_wanted(spool: Path) -> None:
    records, done = run(spool, "raise ValueError('x')", init=", hooks=False")
    assert records == []
    assert done.returncode == 1


def test_close_takes_them_back(spool: Path) -> None:
    before = sys.excepthook, threading.excepthook, sys.unraisablehook
    tellback.init(spool=spool)
    assert sys.excepthook is not before[0]
    tellback.close(0)
    assert (sys.excepthook, threading.excepthook, sys.unraisablehook) == before


def test_what_was_captured_already_is_told_once(spool: Path) -> None:
    records, _ = run(spool, "with tellback.capture():\n  raise ValueError('x')")
    assert len(records) == 1
    assert "mechanism" not in records[0]["attrs"]
