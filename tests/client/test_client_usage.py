"""Usage as a host starts it: inventory, sampler, hotspots, and what becomes of them in the spool.

What `sys.monitoring` sees is tested in tests/pyodide, on a Python that has it.
"""

import ast
import json
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from intake_stub import Server
from spool_files import lines

import tellback
from tellback.client import live, native
from tellback.client.usage import inventory, recorder, sampler, watch
from tellback.client.usage.packages import Packages

sampled = pytest.mark.skipif(hasattr(sys, "monitoring"), reason="this Python has sys.monitoring: see tests/pyodide")

RIG = """
import time

def busy(until):
    while not until():
        for _ in range(200):
            deep(0)

def deep(n):
    if n < 3:
        return deep(n + 1)
    return sum(i * i for i in range(2000))

class Rig:
    async def later(self): pass
    def never(self):
        def inner(): pass
        class Inner:
            def method(self): pass
"""
EXISTING = ["Rig.later", "Rig.never", "Rig.never.<locals>.Inner.method", "Rig.never.<locals>.inner", "busy", "deep"]


@pytest.fixture
def rig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A package that is on the path, and its module `parts`, imported."""
    package = tmp_path / "site" / "rigtools_of_test"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "parts.py").write_text(RIG)
    (package / "never_imported.py").write_text("def cold(): pass\n")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    import importlib

    yield importlib.import_module("rigtools_of_test.parts")
    for name in [name for name in sys.modules if name.startswith("rigtools_of_test")]:
        del sys.modules[name]


def until(test: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + 20
    while not (found := test()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def told(spool: Path, name: str) -> set[str]:
    records = [r for r in lines(spool) if r["kind"] == "usage" and r["name"] == name]
    return {place for record in records for place in record["message"].split("\n")}


def of_code(code: CodeType) -> Iterator[str]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            if inventory.is_function(constant):
                yield constant.co_qualname
            yield from of_code(constant)


LIBRARY = sorted(Path(ast.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", LIBRARY[:: max(1, len(LIBRARY) // 40)], ids=lambda path: path.stem)
def test_the_tokenizer_finds_what_the_compiler_makes(path: Path) -> None:
    assert inventory.functions(path) == sorted(set(of_code(compile(path.read_bytes(), str(path), "exec"))))


@pytest.mark.parametrize("broken", [b"def a(:\n  '''", b"\xff\xfe", b"# coding: nonsense\n", b"if x:\n  a\n b\n"])
def test_source_that_is_none_is_not_guessed_at(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "broken.py").write_bytes(broken)
    assert inventory.functions(tmp_path / "broken.py") is None
    assert inventory.functions(tmp_path / "not there.py") is None


@given(st.lists(st.text("ab:.", min_size=1, max_size=40_000), max_size=20))
def test_lists_hold_every_place_within_bounds(places: list[str]) -> None:
    texts = list(recorder.lists(places))
    assert "\n".join(texts) == "\n".join(place[: recorder.MAX_CHARACTERS // 2] for place in places)
    assert all(len(text) <= recorder.MAX_CHARACTERS for text in texts)


def test_a_place_is_told_once_with_the_user_who_was_first() -> None:
    emitted: list[tuple[str, str, str | None]] = []
    users = iter(["ann", None, "bob"])
    made = recorder.Recorder(lambda *record: emitted.append(record), "called", lambda: next(users))
    for function in ("b", "a", "b", "c", "a"):
        made.note("m", function)
    made.drain()
    made.note("m", "a")
    made.drain()
    assert emitted == [("called", "m:b", "ann"), ("called", "m:a", None), ("called", "m:c", "bob")]


def test_files_and_modules(rig: Any) -> None:
    packages = Packages(["rigtools_of_test", "no_such_package", "rigtools_of_test.parts", "this"])
    assert packages.missing == ["no_such_package"]
    assert packages.module(rig.__file__) == "rigtools_of_test.parts"
    assert packages.module(str(Path(rig.__file__).with_name("__init__.py"))) == "rigtools_of_test"
    assert packages.module(json.__file__) is None
    assert packages.module("<string>") is None
    assert Packages(["rigtools_of_test.parts"]).module(rig.__file__) == "rigtools_of_test.parts"
    found = {module for module, _ in packages.files()}
    assert found == {"rigtools_of_test", "rigtools_of_test.parts", "rigtools_of_test.never_imported", "this"}


def test_the_inventory_is_told_once_for_each_release(spool: Path, rig: Any) -> None:
    wanted = {f"rigtools_of_test.parts:{name}" for name in EXISTING} | {"rigtools_of_test.never_imported:cold"}

    def tell(release: str) -> int:
        tellback.init("s", release, spool=spool)
        tellback.usage.start(["rigtools_of_test"])
        made = watch._current
        assert made is not None
        until(lambda: next(made._steps, "done") == "done" if made._in_turns else not _busy(made))
        tellback.close(0)
        return len([r for r in lines(spool) if r["name"] == "inventory"])

    assert tell("1") == 1
    assert told(spool, "inventory") == wanted
    assert tell("1") == 1
    assert tell("2") == 2
    Path(rig.__file__).with_name("late.py").write_text("def late(): pass\n")
    assert tell("2") == 3


def _busy(made: watch.Watch) -> bool:
    return made._steps.gi_frame is not None


def test_without_threads_it_is_read_in_turns(spool: Path, rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    tellback.init("s", spool=spool)
    monkeypatch.setattr(native, "start_new_thread", none)
    tellback.usage.start(["rigtools_of_test"])
    for _ in range(10):
        tellback.flush(0)
    assert "rigtools_of_test.never_imported:cold" in told(spool, "inventory")


@sampled
def test_the_sampler_sees_what_runs_and_says_how(spool: Path, rig: Any) -> None:
    tellback.init("s", user="guido", spool=spool)
    tellback.usage.start(["rigtools_of_test"], lines=True)
    rig.busy(lambda: {"rigtools_of_test.parts:busy", "rigtools_of_test.parts:deep"} <= told(spool, "sampled"))
    seen = told(spool, "sampled")
    assert seen == {"rigtools_of_test.parts:busy", "rigtools_of_test.parts:deep"}
    until(lambda: told(spool, "lines"))
    assert told(spool, "lines") <= {f"rigtools_of_test.parts:{number}" for number in range(4, 13)}
    assert not told(spool, "called")
    assert all(r["user"] == "guido" for r in lines(spool))
    assert len([r for r in lines(spool) if r["name"] == "sampled"]) <= 2


def test_hotspots_are_whole_stacks_without_values(spool: Path, rig: Any) -> None:
    tellback.init("s", spool=spool)
    tellback.usage.start(["rigtools_of_test"], hotspots=True)
    made = watch._current
    assert made is not None
    assert made._sampler is not None
    rig.busy(lambda: made._sampler.samples >= 10)
    tellback.usage.stop()
    (record,) = [r for r in lines(spool) if r["kind"] == "profile"]
    told_samples = sum(stack["samples"] for stack in record["attrs"]["stacks"]) + record["attrs"].get("other", 0)
    assert record["value"] == told_samples
    assert record["attrs"]["interval"] == 20_000_000
    for stack in record["attrs"]["stacks"]:
        assert "rigtools_of_test.parts:busy" in stack["frames"]
        assert stack["frames"].index("rigtools_of_test.parts:busy") > 0  # the outermost comes first


@sampled
def test_a_process_that_runs_on_tells_again_each_day(spool: Path, rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "DAILY", 0.0)

    def times() -> int:
        return sum("parts:busy" in r["message"] for r in lines(spool) if r["name"] == "sampled")

    tellback.init("s", spool=spool)
    tellback.usage.start(["rigtools_of_test"])
    rig.busy(lambda: times() >= 2)


def test_hotspots_are_off_unless_asked_for(spool: Path, rig: Any) -> None:
    tellback.init("s", spool=spool)
    tellback.usage.start(["rigtools_of_test"])
    assert watch._current is not None
    assert watch._current._hotspots is None


@sampled
def test_a_fork_goes_on_watching(spool: Path, rig: Any) -> None:
    tellback.init("s", spool=spool)
    tellback.usage.start(["rigtools_of_test"])

    def child() -> None:
        pid = os.getpid()

        def of_child() -> bool:
            own = live.spool
            if own is None or own.pid != pid:
                return False
            data = own.active.path.read_bytes()
            return b'"sampled"' in data and b'"pid":%d,' % pid in data

        deadline = time.monotonic() + 20
        rig.busy(lambda: of_child() or time.monotonic() > deadline)
        os._exit(0 if of_child() else 1)

    process = multiprocessing.get_context("fork").Process(target=child)
    process.start()
    process.join(60)
    assert process.exitcode == 0


def test_while_the_button_is_pressed_nothing_is_told(spool: Path, rig: Any, tmp_path: Path) -> None:
    button = tmp_path / "button.json"
    button.write_text('{"disable_all": true}')
    tellback.init("s", spool=spool, config=button)
    tellback.usage.start(["rigtools_of_test"], hotspots=True)
    assert watch._current is not None
    rounds = iter(range(20))
    rig.busy(lambda: next(rounds, None) is None)
    tellback.flush(0)
    assert lines(spool) == []


def test_a_rule_that_leaves_usage_out_leaves_nothing_to_be_told_later(spool: Path, rig: Any, tmp_path: Path) -> None:
    button = tmp_path / "rules.json"
    button.write_text('{"disable": ["kind:usage"]}')
    tellback.init("s", spool=spool, config=button)
    tellback.usage.start(["rigtools_of_test"])
    rounds = iter(range(20))
    rig.busy(lambda: next(rounds, None) is None)
    assert watch._current is not None
    until(lambda: not _busy(watch._current))  # type: ignore[arg-type]  # it is there, as said above
    tellback.flush(0)
    assert not [r for r in lines(spool) if r["kind"] != "lost"]
    assert not list(spool.glob(".inventory-*"))


def test_it_stops_with_the_client_and_ships_what_it_saw(server: Server, spool: Path, rig: Any) -> None:
    tellback.init("s", spool=spool, url=server.url)
    tellback.usage.start(["rigtools_of_test"], hotspots=True)
    made = watch._current
    assert made is not None
    assert made._sampler is not None
    rig.busy(lambda: made._sampler.samples >= 5)
    assert tellback.flush(10)
    assert any(r["kind"] == "profile" for r in server.records())
    tellback.close(0)
    assert watch._current is None
    assert live.spool is None


def test_what_one_client_saw_is_not_told_by_the_next(spool: Path, rig: Any) -> None:
    tellback.init("s", spool=spool)
    tellback.usage.start(["rigtools_of_test"])
    made = watch._current
    assert made is not None
    tellback.close(0)
    made._recorder.note("rigtools_of_test", "afterwards")
    tellback.init("another", spool=spool)
    tellback.usage.start(["rigtools_of_test"])
    tellback.usage.stop()
    assert not any("afterwards" in record.get("message", "") for record in lines(spool))


@pytest.mark.parametrize("packages", [None, 5, [5], ["no_such_package"], [""], [".."], "no_such", ["a\0b"]])
def test_never_raises(spool: Path, packages: Any, caplog: pytest.LogCaptureFixture) -> None:
    tellback.usage.start(packages)  # before init: nothing to do
    tellback.usage.stop()
    tellback.init("s", spool=spool)
    tellback.usage.start(packages)
    assert "not watched" in caplog.text
    tellback.usage.stop()
    tellback.usage.stop()


def test_a_look_that_fails_does_not_end_the_sampler() -> None:
    seen: list[str] = []

    def bad(frame: FrameType) -> None:
        seen.append(frame.f_code.co_name)
        raise OSError

    made = sampler.Sampler([bad], every=0.001)
    assert made.start() is None
    until(lambda: len(seen) > 3)
    made.stop()
