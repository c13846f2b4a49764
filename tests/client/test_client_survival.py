"""What a call has taken outlives its process, however that ends, and a fork mixes nothing up."""

import json
import os
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from intake_stub import Server
from spool_files import lines, whole_lines

import tellback

SRC = str(Path(tellback.__file__).parents[1])


def start(code: str, **environ: str) -> subprocess.Popen[bytes]:
    env = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHONPATH": SRC, **environ}
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(code)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def run(code: str, **environ: str) -> str:
    process = start(code, **environ)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err.decode()
    assert err == b"", err.decode()
    return out.decode()


def numbers(records: list[dict[str, Any]], name: str = "e") -> list[int]:
    """Sorted: segments lie in the order they were made, not always that of their use."""
    return sorted(record["attrs"]["n"] for record in records if record["name"] == name)


LOOP = """
    import mmap, os, struct, sys
    import tellback
    tellback.init(service="loop", spool=sys.argv[1] if len(sys.argv) > 1 else None)
    # What returned is told by a mapped file too: a pipe would slow the loop down, and lose its buffer.
    with open(os.environ["TOLD"], "r+b") as file:
        told = mmap.mmap(file.fileno(), 8)
    n = 0
    while True:
        tellback.event("e", n=n, path="/shots/sq10/rig.ma", ok=True)
        n += 1
        told[:8] = struct.pack("<q", n)
"""


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_sigkill_in_a_tight_loop_twenty_times(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    returned_in_all = found_in_all = 0
    for round_ in range(20):
        spool, told = tmp_path / f"spool{round_}", tmp_path / f"told{round_}"
        told.write_bytes(bytes(8))
        process = start(LOOP, TELLBACK_SPOOL=str(spool), TOLD=str(told))
        least = 1 + 997 * round_
        while int.from_bytes(told.read_bytes(), "little") < least:
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
        process.send_signal(signal.SIGKILL)
        process.communicate()
        returned = int.from_bytes(told.read_bytes(), "little")
        found = numbers(lines(spool))
        assert found[:returned] == list(range(returned))
        # The call in flight may have been taken without having said so.
        assert len(found) in (returned, returned + 1)
        returned_in_all += returned
        found_in_all += len(found)
        for path in spool.glob("*/*"):
            path.unlink()
    with capsys.disabled():
        print(f"\n20 SIGKILLs: {returned_in_all} calls returned, {found_in_all} records found, none missing", end=" ")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("fork", ["os.fork()", "ctypes.PyDLL(None).fork()"], ids=["python", "unseen"])
def test_forks_keep_apart(tmp_path: Path, fork: str) -> None:
    # CPython cannot survive a fork that it does not see while any other thread waits for the GIL: the child waits for
    # that thread for ever (FORCE_SWITCHING in ceval_gil.c). So the unseen fork is made while the keeper sleeps.
    quiet = "time.sleep(0.15)" if "ctypes" in fork else "pass"
    run(
        f"""
        import ctypes, os, time
        import tellback
        tellback.init(service="forks")
        for n in range(1000):
            tellback.event("before", n=n)
        {quiet}
        children = []
        for child in range(3):
            pid = {fork}
            if pid == 0:
                for n in range(3000):
                    tellback.event("child", n=n, child=child)
                {quiet}
                grandchild = {fork}
                if grandchild == 0:
                    for n in range(3000):
                        tellback.event("grandchild", n=n, child=child)
                    os._exit(0)
                os.waitpid(grandchild, 0)
                os._exit(0)
            children.append(pid)
            {quiet}
        for n in range(10000):
            tellback.event("e", n=n)
        for pid in children:
            os.waitpid(pid, 0)
        """,
        TELLBACK_SPOOL=str(tmp_path),
    )
    records = lines(tmp_path)
    counts = Counter(record["name"] for record in records)
    assert counts == {"before": 1000, "child": 9000, "grandchild": 9000, "e": 10000}
    assert numbers(records) == list(range(10000))
    for name in ("child", "grandchild"):
        for child in range(3):
            own = [r["attrs"]["n"] for r in records if r["name"] == name and r["attrs"]["child"] == child]
            assert sorted(own) == list(range(3000))
    # Each process in a folder of its own, with a pid of its own.
    firsts = [whole_lines(path)[:1] for path in tmp_path.glob("*/*.ndjson")]  # none: a spare in the making at the end
    pids = [json.loads(first[0])["pid"] for first in firsts if first]
    assert len(set(pids)) == 7


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # since 3.12 os.fork warns beside threads
def test_a_fork_has_threads_of_its_own_and_ships(spool: Path, server: Server) -> None:
    tellback.init("parent", url=server.url, spool=spool, interval=0.05)
    tellback.event("parent")
    server.wait(lambda s: len(s.lines) == 1)
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            tellback.event("child")
            code = 0 if tellback.flush(10) else 2
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    assert sorted(record["name"] for record in server.records()) == ["child", "parent"]
    assert tellback.flush(10)
    assert server.duplicates <= 1
    assert {process["pid"] for process in server.processes.values()} == {os.getpid(), pid}


def test_the_next_process_ships_what_a_killed_one_left(tmp_path: Path, server: Server) -> None:
    told = tmp_path / "told"
    told.write_bytes(bytes(8))
    process = start(LOOP, TELLBACK_SPOOL=str(tmp_path / "spool"), TOLD=str(told), TELLBACK_URL="http://127.0.0.1:9")
    while int.from_bytes(told.read_bytes(), "little") < 5000:
        assert process.poll() is None
    process.kill()
    process.communicate()
    returned = int.from_bytes(told.read_bytes(), "little")
    # Meant for another server: not shipped to this one.
    tellback.init("loop", url=server.url, spool=tmp_path / "spool")
    assert tellback.flush(10)
    assert server.records() == []
    tellback.close()
    # The same destination, reached by its name in the segment.
    for path in (tmp_path / "spool").glob("*/*.ndjson"):
        data = path.read_bytes()
        path.write_bytes(data.replace(b"http://127.0.0.1:9", server.url.encode(), 1))
    tellback.init("loop", url=server.url, spool=tmp_path / "spool")
    assert tellback.flush(20)
    found = numbers(server.records())
    assert found[:returned] == list(range(returned))
    assert server.duplicates == 0
    tellback.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_segments_of_nobody_in_particular_go_with_the_same_service(tmp_path: Path, server: Server) -> None:
    for service in ("mine", "other"):
        tellback.init(service, spool=tmp_path)
        tellback.event(service)
        tellback.close()
    tellback.init("mine", url=server.url, spool=tmp_path)
    assert tellback.flush(10)
    assert [record["name"] for record in server.records()] == ["mine"]


def test_another_token_is_another_destination(tmp_path: Path, server: Server) -> None:
    tellback.init("s", url="http://127.0.0.1:9", token="a", spool=tmp_path)
    tellback.event("e")
    tellback.close(0)
    (path,) = [path for path in tmp_path.glob("*/*.ndjson") if len(whole_lines(path)) > 1]
    path.write_bytes(path.read_bytes().replace(b"http://127.0.0.1:9", server.url.encode()))
    assert b'"a"' not in path.read_bytes().splitlines()[0]  # its hash is there, the token is not
    tellback.init("s", url=server.url, token="b", spool=tmp_path)
    assert tellback.flush(10)
    assert server.records() == []
    tellback.init("s", url=server.url, token="a", spool=tmp_path)
    assert tellback.flush(10)
    assert len(server.records()) == 1


def test_a_plain_exit_leaves_nothing_behind_or_all_of_it(tmp_path: Path, server: Server) -> None:
    code = """
        import tellback
        tellback.init(service="script")
        for n in range(100):
            tellback.event("e", n=n)
    """
    run(code, TELLBACK_SPOOL=str(tmp_path / "a"), TELLBACK_URL=server.url)
    assert numbers(server.records()) == list(range(100))
    assert list((tmp_path / "a").iterdir()) == []
    run(code, TELLBACK_SPOOL=str(tmp_path / "b"), TELLBACK_URL="http://127.0.0.1:9")
    assert numbers(lines(tmp_path / "b")) == list(range(100))
    (path,) = (tmp_path / "b").glob("*/*.ndjson")
    assert path.stat().st_size < 20_000  # cut to what it holds, spares gone


def test_what_other_exit_handlers_and_finalizers_record_is_kept(tmp_path: Path, server: Server) -> None:
    """They run after the client's own exit handler when they were there before `init`."""
    code = """
        import atexit, tellback
        class Late:
            def __del__(self, event=tellback.event):
                event("e", n=3)
        late = Late()
        @atexit.register
        def last():
            tellback.event("e", n=1)
            tellback.event("e", n=2)
        tellback.init(service="script")
        tellback.event("e", n=0)
    """
    run(code, TELLBACK_SPOOL=str(tmp_path / "a"))
    assert numbers(lines(tmp_path / "a")) == [0, 1, 2, 3]
    run(code, TELLBACK_SPOOL=str(tmp_path / "b"), TELLBACK_URL=server.url)
    tellback.init(service="script", url=server.url, spool=tmp_path / "b")
    assert tellback.flush(10)
    assert numbers(server.records()) == [0, 1, 2, 3]
    tellback.close()
    assert list((tmp_path / "b").iterdir()) == []


def test_an_interpreter_crash_loses_nothing(tmp_path: Path) -> None:
    process = start(
        """
        import ctypes, tellback
        tellback.init()
        for n in range(100):
            tellback.event("e", n=n)
        ctypes.string_at(0)
        """,
        TELLBACK_SPOOL=str(tmp_path),
    )
    process.communicate(timeout=30)
    assert process.returncode != 0
    assert numbers(lines(tmp_path)) == list(range(100))


def test_multiprocessing_children_are_shipped_by_the_parent(tmp_path: Path, server: Server) -> None:
    run(
        """
        import multiprocessing, tellback
        def work(n):
            tellback.event("e", n=n)
        if __name__ == "__main__":
            tellback.init(service="pool")
            with multiprocessing.get_context("fork").Pool(3) as pool:
                pool.map(work, range(200))
            pool.join()
            assert tellback.flush(10)
        """,
        TELLBACK_SPOOL=str(tmp_path),
        TELLBACK_URL=server.url,
    )
    assert sorted(numbers(server.records())) == list(range(200))


def test_no_thread_before_the_first_record_and_two_after(tmp_path: Path) -> None:
    out = run(
        """
        import sys, threading, _thread
        import tellback
        assert not {"logging", "ssl", "http.client", "ctypes"} & set(sys.modules), sys.modules.keys()
        print(_thread._count())
        tellback.init(service="s", url="http://127.0.0.1:9")
        print(_thread._count())
        tellback.event("e")
        while _thread._count() < 2:
            pass
        print(_thread._count())
        """,
        TELLBACK_SPOOL=str(tmp_path),
    )
    assert out.split() == ["0", "0", "2"]
