"""The disk is full, read-only, gone or at its budget; another user's; written by a newer Tellback. Nothing reaches the
host, and each record is shipped, in the spool, or counted."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.client.intake_stub import Server
from tests.client.spool_files import segments
from tests.survival.hosts import end, environment, finish, kept, lost, numbers, start

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or os.geteuid() != 0, reason="needs Linux, and root to mount a tmpfs and become other users"
)

Disk = Callable[[str], Path]

# Becomes another user before its `init`.
BECOME = """
    import os, sys, signal, time, logging
    import tellback
    # After all that may be needed was imported: who one becomes may not read this tree.
    tellback.init(service="warm", spool=os.environ["WARM"], url="http://127.0.0.1:9")
    tellback.event("warm")
    tellback.close(0)
    if len(sys.argv) > 1:
        os.setgid(int(sys.argv[1]))
        os.setuid(int(sys.argv[1]))
    os.chdir("/")
"""


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder that everyone may write to, as a studio's machine has it."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o1777)
    yield path
    shutil.rmtree(path)


def size_of(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*"))


def test_a_full_disk_and_room_again(disk: Disk, server: Server) -> None:
    place = disk("8m")
    finish(
        """
        import os, sys, time
        import tellback
        from tellback.client import live
        place = sys.argv[1]
        ballast = open(place + "/ballast", "wb", buffering=0)
        tellback.init(service="host")
        tellback.event("e", n=0)
        try:
            while True:
                ballast.write(b"x" * 4096)
        except OSError:
            pass
        for n in range(1, 20_000):
            tellback.event("e", n=n, filler="x" * 300)
        ballast.truncate(0)
        ballast.close()
        n = 20_000
        before = live.spool.rotations
        while live.spool.rotations == before:  # until there is room again
            tellback.event("e", n=n, filler="x" * 300)
            n += 1
            time.sleep(0.001)
        with open(place + "/count", "w") as file:
            file.write(str(n))
        while live.spool.lost.untold():
            assert tellback.flush(30)
        assert tellback.flush(30)
        tellback.close()
        """,
        environment(place / "spool", server.url),
        str(place),
    )
    records = server.records()
    found = numbers(records)
    assert len(set(found)) == len(found)
    dropped = lost(records)
    assert set(dropped) <= {"disk", "budget"}
    assert sum(dropped.values()) > 0
    assert len(found) + sum(dropped.values()) == int((place / "count").read_text())


def test_a_budget_reached(disk: Disk) -> None:
    """A tenth of what is free. Nobody takes the records; the oldest go, counted, and the disk does not fill."""
    place = disk("40m")
    finish(
        """
        import time
        import tellback
        from tellback.client import live
        tellback.init(service="host")
        for n in range(100_000):
            tellback.event("e", n=n, filler="x" * 300)
            if n % 1000 == 0:
                time.sleep(0.005)
        # Its own count is put on record by the thread that keeps the spool.
        while live.spool.lost.untold():
            time.sleep(0.01)
        tellback.close(0)
        """,
        environment(place / "spool"),
    )
    records = kept(place / "spool")
    found = numbers(records)
    dropped = lost(records)
    assert set(dropped) == {"budget"}
    assert len(found) + dropped["budget"] == 100_000
    assert found[-1] == 99_999 or dropped["budget"] > 0
    assert size_of(place) < 12 << 20  # a tenth, and what was written until the keeper came to look


def test_a_disk_that_becomes_read_only(disk: Disk) -> None:
    """As Linux does with a file system that has errors: what is mapped goes on, nothing new can be made."""
    place = disk("16m")
    finish(
        """
        import subprocess, sys
        import tellback
        tellback.init(service="host")
        tellback.event("e", n=0)
        subprocess.run(["mount", "-o", "remount,ro", "-f", sys.argv[1]], stderr=subprocess.DEVNULL)
        for n in range(1, 3_000):
            tellback.event("e", n=n, filler="x" * 300)
        tellback.flush(0.1)
        """,
        environment(place / "spool"),
        str(place),
    )
    found = numbers(kept(place / "spool"))
    assert found == list(range(len(found)))


def test_a_folder_that_may_not_be_written(shared: Path, server: Server) -> None:
    """The spool goes to the temporary folder instead, with a word, and the next process ships it from there."""
    closed = shared / "closed"
    closed.mkdir(mode=0o755)
    program = BECOME + "    tellback.init(service='host')\n    tellback.event('e', n={})\n    tellback.close({})\n"
    environ = environment(closed, server.url, TMPDIR=str(shared), WARM=str(shared / "warm"))
    status, out, err = end(start(program.format(0, 0), environ, "64001"))
    assert (status, out) == (0, "")
    assert "cannot be used" in err
    assert "TELLBACK_SPOOL" in err
    assert numbers(kept(shared / "tellback-64001", server)) == [0]
    # At last somebody has put the rights in order.
    closed.chmod(0o1777)
    finish(BECOME + "    tellback.init(service='host')\n    assert tellback.flush(20)\n", environ, "64001")
    assert numbers(server.records()) == [0]


def test_nowhere_at_all(shared: Path) -> None:
    """A word, and calls are no-ops."""
    closed = shared / "closed"
    closed.mkdir(mode=0o755)
    program = BECOME + "    tellback.init(service='host')\n    tellback.event('e')\n    print(tellback.flush(1))\n"
    status, out, err = end(start(program, environment(closed, TMPDIR=str(closed), WARM=str(shared / "warm")), "64001"))
    assert (status, out.strip()) == (0, "False")
    assert "Nothing is recorded" in err


def test_somebody_elses_folder_in_the_temporary_one_is_not_used(shared: Path) -> None:
    """Its name can be guessed: another user may have made it, or a link."""
    closed = shared / "closed"
    closed.mkdir(mode=0o755)
    (shared / "trap").mkdir(mode=0o777)
    (shared / "tellback-64001").symlink_to(shared / "trap")
    program = BECOME + "    tellback.init(service='host')\n    tellback.event('e')\n"
    status, _, err = end(start(program, environment(closed, TMPDIR=str(shared), WARM=str(shared / "warm")), "64001"))
    assert status == 0
    assert "Nothing is recorded" in err
    assert list((shared / "trap").iterdir()) == []


def test_a_folder_deleted_under_its_feet(spool: Path, server: Server) -> None:
    finish(
        """
        import os, shutil, time
        import tellback
        from tellback.client import live
        tellback.init(service="host")
        for n in range(5_000):
            tellback.event("e", n=n, filler="x" * 300)
            if n == 100:
                shutil.rmtree(os.environ["TELLBACK_SPOOL"])
        assert tellback.flush(30)
        while not live.spool.active.path.exists():  # the keeper makes a new folder
            time.sleep(0.05)
        tellback.event("e", n=5_000)
        tellback.close(0)
        """,
        environment(spool, server.url),
    )
    records = kept(spool, server)
    dropped = lost(records)
    assert set(dropped) <= {"disk"}
    assert len(set(numbers(records))) + sum(dropped.values()) == 5_001


def test_two_users_on_one_machine(shared: Path, server: Server) -> None:
    """One spool for both. Neither reads, ships or deletes what is the other's; a third, root, does not either."""
    spool = shared / "spool"
    spool.mkdir()
    spool.chmod(0o1777)
    environ = environment(spool, server.url, TMPDIR=str(shared), WARM=str(shared / "warm"))
    killed = BECOME + (
        "    tellback.init(service='host', interval=3600)\n"
        "    tellback.event('e', n=int(sys.argv[2]))\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    for user, n in (("64001", "1"), ("64002", "2")):
        assert end(start(killed, environ, user, n))[0] == -signal.SIGKILL
    modes = {path.stat().st_mode & 0o777 for path in spool.iterdir()}
    assert modes == {0o700}
    assert numbers(kept(spool, server)) == [1, 2]
    flush = BECOME + "    tellback.init(service='host')\n    assert tellback.flush(20)\n"
    before = numbers(server.records())
    finish(flush, environ)
    assert numbers(server.records()) == before
    finish(flush, environ, "64002")
    assert 2 in numbers(server.records())
    assert {path.stat().st_uid for path in spool.iterdir()} == {64001}
    finish(flush, environ, "64001")
    assert numbers(server.records()) == [1, 2]
    assert list(spool.iterdir()) == []


def test_a_spool_that_another_user_made(shared: Path, server: Server) -> None:
    """TELLBACK_SPOOL is one path for a whole fleet; whoever comes first makes it for oneself alone."""
    environ = environment(shared / "spool", server.url, TMPDIR=str(shared), WARM=str(shared / "warm"))
    program = BECOME + "    tellback.init(service='host')\n    tellback.event('e', n=int(sys.argv[2]))\n"
    program += "    assert tellback.flush(20)\n"
    assert finish(program, environ, "64001", "1") == ""
    status, _, err = end(start(program, environ, "64002", "2"))
    assert status == 0, err
    assert "cannot be used" in err
    assert numbers(server.records()) == [1, 2]


def test_a_newer_spool_is_left_alone(spool: Path, server: Server) -> None:
    """Whatever it holds: another format of segments, or of headers that this version cannot read."""
    folder = spool / "f".ljust(32, "0")
    folder.mkdir(parents=True)
    (folder / "lock").touch()
    (folder / "0000.ndjson").write_text(
        '{"kind":"process","format":2,"pid":"now a text"}\n{"kind":"event","name":"e"}\n'
    )
    (folder / "0001.ndjson").write_text('{"format":2,"kind":"process"}\n')
    (folder / "0002.newer").write_text("something else")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    status, _, err = end(
        start("import tellback; tellback.init(service='host'); tellback.event('e', n=1); assert tellback.flush(20)",
              environment(spool, server.url))
    )  # fmt: skip
    assert status == 0, err
    assert "newer" in err
    assert str(folder) in err
    assert numbers(server.records()) == [1]
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_a_clock_that_is_set_back(spool: Path, server: Server) -> None:
    """The names of segments come from the clock; the real one cannot be set back for one test."""
    finish(
        """
        import time
        real = time.time_ns
        step = 0
        time.time_ns = lambda: real() - step
        import tellback
        tellback.init(service="host")
        for n in range(10_000):
            if n % 1000 == 0:
                step = n * 10**9
            tellback.event("e", n=n, filler="x" * 300)
        with tellback.run("R"):
            step += 10**12
        assert tellback.flush(30)
        tellback.close()
        """,
        environment(spool, server.url),
    )
    records = server.records()
    assert numbers(records) == list(range(10_000))
    assert lost(records) == {}
    assert all(record.get("duration", 0) >= 0 for record in records)
    assert not segments(spool)
