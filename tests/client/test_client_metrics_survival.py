"""What was counted outlives its process and is told once: whenever it is killed, also within a report or a takeover."""

import os
import shutil
import signal
import struct
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from intake_stub import Server
from metric_lines import buckets, left, said_twice, totals
from test_client_survival import run, start

import tellback
from tellback.client.folder import ProcessFolder, process_folders
from tellback.client.metrics import takeover

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL and fork")

LOOP = """
    import mmap, os, struct, threading
    import tellback
    from tellback.client import live
    with open(os.environ["TOLD"], "r+b") as file:
        told = mmap.mmap(file.fileno(), 8)
    tellback.init(service="loop")
    reqs, size = tellback.counter("reqs"), tellback.histogram("size")
    reqs.add(0)
    def report():
        while True:
            live.spool.book.report()
    threading.Thread(target=report, daemon=True).start()  # so that most kills fall into a report
    n = 0
    while True:
        reqs.add()
        size.record(1 + n % 50)
        n += 1
        told[:8] = struct.pack("<q", n)
"""


def settled(spool: Path) -> None:
    """Take over every dead process's folder in a spool, as the next process does."""
    for path in process_folders(spool):
        folder = ProcessFolder.take(path)
        if folder is not None:
            folder.let_go()


def test_twenty_kills_lose_no_count_and_tell_none_twice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    returned_in_all = 0
    for round_ in range(20):
        spool, told = tmp_path / f"spool{round_}", tmp_path / f"told{round_}"
        told.write_bytes(bytes(8))
        process = start(LOOP, TELLBACK_SPOOL=str(spool), TOLD=str(told))
        while struct.unpack("<q", told.read_bytes())[0] < 1 + 1997 * round_:
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
        process.send_signal(signal.SIGKILL)
        process.communicate()
        (returned,) = struct.unpack("<q", told.read_bytes())
        settled(spool)
        found = left(spool)
        assert said_twice(found) == []
        sums = totals(found)
        assert returned <= sums["reqs", ()] <= returned + 1
        assert returned <= sum(buckets(found, "size").values()) <= returned + 1
        # The last record's sum may be there without its bucket.
        expected = sum(1 + n % 50 for n in range(returned))
        assert 0 <= sums["size", ()] - expected <= 50
        assert not list(spool.glob("*/*.metrics"))
        returned_in_all += returned
        shutil.rmtree(spool)
    with capsys.disabled():
        print(f"\n20 SIGKILLs: {returned_in_all} counts returned, every one told once", end=" ")


STEPS = {
    "before the copy": "page.Page.telling = lambda self: os._exit(9)",
    "after the copy": "book.lines = lambda *args: os._exit(9)",
    "after half of the lines": """
        place = spool.Spool.place
        def half(self, line, **given):
            cut = line.index(b"\\n") + 1
            place(self, line[:cut], **given)
            os._exit(9)
        spool.Spool.place = half""",
    "after the lines": """
        place = spool.Spool.place
        def placed(self, line, **given):
            place(self, line, **given)
            os._exit(9)
        spool.Spool.place = placed""",
    "after the commit": """
        commit = page.Page.commit
        def committed(self, now):
            commit(self, now)
            os._exit(9)
        page.Page.commit = committed""",
}


@pytest.mark.parametrize("step", STEPS)
def test_a_death_at_any_step_of_a_report(tmp_path: Path, step: str) -> None:
    process = start(
        f"""
        import os, textwrap
        import tellback
        from tellback.client import live, spool
        from tellback.client.metrics import book, page
        tellback.init(service="s")
        a, b, h = tellback.counter("a"), tellback.counter("b"), tellback.histogram("h")
        a.add(3); b.add(5); h.record(7); tellback.gauge("g").set(1)
        live.spool.book.report()
        a.add(30); b.add(50); h.record(70); tellback.gauge("g").set(2)
        exec(textwrap.dedent({STEPS[step]!r}))
        live.spool.book.report()
        """,
        TELLBACK_SPOOL=str(tmp_path),
    )
    _, err = process.communicate(timeout=60)
    assert process.returncode == 9, err.decode()
    settled(tmp_path)
    settled(tmp_path)
    found = left(tmp_path)
    assert totals(found) == {("a", ()): 33.0, ("b", ()): 55.0, ("h", ()): 77.0}
    assert sum(buckets(found, "h").values()) == 2
    assert {record["value"] for record in found if record["name"] == "g"} == {1.0, 2.0}
    assert said_twice(found) == []


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The spool of a process that died with much untold."""
    spool = tmp_path_factory.mktemp("killed")
    process = start(
        """
        import os
        import tellback
        from tellback.client import live
        tellback.init(service="s")
        for n in range(20):
            tellback.counter("c").add(n, label=str(n))
        live.spool.book.report()
        for n in range(20):
            tellback.counter("c").add(100, label=str(n))
        os._exit(9)
        """,
        TELLBACK_SPOOL=str(spool),
    )
    process.communicate(timeout=60)
    return spool


@settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.floats(0, 1), min_size=1, max_size=3))
def test_a_takeover_that_dies_is_continued(killed: Path, tmp_path: Path, cuts: list[float]) -> None:
    spool = tmp_path / "copy"
    shutil.rmtree(spool, ignore_errors=True)
    shutil.copytree(killed, spool)
    (folder,) = process_folders(spool)

    def torn(at: float) -> None:
        write = takeover._write

        def cut(where: Path, header: bytes, found: list[bytes]) -> None:
            write(where, header, found)
            newest = max(where.glob("*.ndjson"))
            data = newest.read_bytes()
            newest.write_bytes(data[: int(at * len(data))])
            raise OSError("as good as dead")

        takeover._write = cut
        try:
            with pytest.raises(OSError, match="as good as dead"):
                takeover.settle(folder)
        finally:
            takeover._write = write

    for at in cuts:
        if totals(left(spool)) != {("c", (("label", str(n)),)): 100.0 + n for n in range(20)}:
            torn(at)
    settled(spool)
    assert totals(left(spool)) == {("c", (("label", str(n)),)): 100.0 + n for n in range(20)}


def test_the_next_process_ships_what_a_killed_one_counted(tmp_path: Path, server: Server) -> None:
    process = start(
        """
        import os, signal
        import tellback
        tellback.init(service="s")
        tellback.counter("reqs").add(7)
        os.kill(os.getpid(), signal.SIGKILL)
        """,
        TELLBACK_SPOOL=str(tmp_path),
        TELLBACK_URL=server.url,
    )
    process.communicate(timeout=60)
    assert list(tmp_path.glob("*/*.metrics"))
    tellback.init("s", url=server.url, spool=tmp_path)
    assert tellback.flush(20)
    tellback.close()
    assert totals(server.records()) == {("reqs", ()): 7.0}
    assert list(tmp_path.iterdir()) == []


def test_a_short_program_ships_its_counts_at_its_end(tmp_path: Path, server: Server) -> None:
    run(
        "import tellback; tellback.init(service='s'); tellback.counter('reqs').add(3)",
        TELLBACK_SPOOL=str(tmp_path),
        TELLBACK_URL=server.url,
    )
    assert totals(server.records()) == {("reqs", ()): 3.0}
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("fork", ["os.fork()", "ctypes.PyDLL(None).fork()"], ids=["python", "unseen"])
def test_forks_count_apart(tmp_path: Path, fork: str) -> None:
    quiet = "time.sleep(0.15)" if "ctypes" in fork else "pass"  # see test_client_survival
    run(
        f"""
        import ctypes, os, time
        import tellback
        tellback.init(service="forks")
        reqs, size, queue = tellback.counter("reqs"), tellback.histogram("size"), tellback.gauge("queue")
        for n in range(1000):
            reqs.add(); size.record(2)
        queue.set(5)
        {quiet}
        children = []
        for child in range(3):
            pid = {fork}
            if pid == 0:
                for n in range(1000):
                    reqs.add(); size.record(4); queue.set(child)
                os._exit(0)
            children.append(pid)
            {quiet}
        for n in range(1000):
            reqs.add()
        for pid in children:
            os.waitpid(pid, 0)
        """,
        TELLBACK_SPOOL=str(tmp_path),
    )
    settled(tmp_path)
    found = left(tmp_path)
    assert totals(found) == {("reqs", ()): 5000.0, ("size", ()): 2000.0 + 12000.0}
    assert buckets(found, "size") == {63: 1000, 127: 3000}
    assert sorted(record["value"] for record in found if record["name"] == "queue") == [0, 1, 2, 5]


def test_a_report_without_room_is_made_again(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tellback.client import live

    tellback.init("s", spool=spool)
    tellback.counter("reqs").add(2)
    assert live.spool is not None
    assert live.spool.book is not None
    place = type(live.spool).place
    monkeypatch.setattr(type(live.spool), "place", lambda *_, **__: False)
    assert not live.spool.book.report()
    tellback.counter("reqs").add(3)
    monkeypatch.setattr(type(live.spool), "place", place)
    assert live.spool.book.report()
    assert totals(left(spool)) == {("reqs", ()): 5.0}
    assert live.spool.lost.total() == {}


def test_a_page_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    folder = tmp_path / ("1" * 32)
    folder.mkdir()
    (folder / "lock").touch()
    page, blank = folder / "a.metrics", folder / "b.metrics"
    page.write_bytes(b"TBMETRIC" + struct.pack("<QQQQ", 2, 4, 0, 0) + bytes(1000))
    blank.write_bytes(bytes(1000))  # its process died while it made it
    before = page.read_bytes()
    takeover.settle(folder)
    assert page.read_bytes() == before
    assert not blank.exists()


def test_a_few_programs_leave_nothing_that_grows(tmp_path: Path, server: Server) -> None:
    for _ in range(3):
        run(
            "import tellback; tellback.init(service='s'); tellback.counter('reqs').add(); import os; os._exit(0)",
            TELLBACK_SPOOL=str(tmp_path),
            TELLBACK_URL=server.url,
        )
    tellback.init("s", url=server.url, spool=tmp_path)
    assert tellback.flush(20)
    deadline = time.monotonic() + 5
    while len(list(tmp_path.iterdir())) > 1:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert totals(server.records()) == {("reqs", ()): 3.0}


def test_what_is_counted_after_our_own_exit_handler_is_kept(tmp_path: Path, server: Server) -> None:
    run(
        """
        import atexit, weakref
        import tellback
        class Late:
            pass
        late = Late()
        weakref.finalize(late, lambda: tellback.counter("late").add(5)).atexit = True
        atexit.register(lambda: [tellback.counter("late").add(), tellback.counter("early").add(10)])
        tellback.init(service="s")
        tellback.counter("early").add(2)
        """,
        TELLBACK_SPOOL=str(tmp_path),
        TELLBACK_URL=server.url,
    )
    tellback.init("s", url=server.url, spool=tmp_path)
    assert tellback.flush(20)
    assert totals(server.records()) == {("late", ()): 6.0, ("early", ()): 12.0}
