"""However a process ends, what its calls returned is shipped or in the spool, and the end waits for nobody."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.client.intake_stub import Server
from tests.survival.hosts import end, environment, finish, kept, numbers, start

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs signals and fork")

PROGRAM = """
    import os, signal, sys, threading, time
    import tellback

    tellback.init(service="host")
    for n in range(500):
        tellback.event("e", n=n)
    {}
"""

ENDS = {
    "SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", -signal.SIGTERM),
    "SIGINT": ("os.kill(os.getpid(), signal.SIGINT); time.sleep(60)", -signal.SIGINT),
    "SIGTERM-handled": (
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(7)); os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)",
        7,
    ),
    "SIGKILL": ("os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
    "os._exit": ("os._exit(7)", 7),
    "abort": ("os.abort()", -signal.SIGABRT),
    "null-write": ("import ctypes; ctypes.memset(0, 1, 1)", -signal.SIGSEGV),
    "exception": ("raise ValueError", 1),
    "exec": ("os.execv(sys.executable, [sys.executable, '-c', 'raise SystemExit(7)'])", 7),
    "sys.exit": ("sys.exit(7)", 7),
    "sys.exit-in-a-thread": (
        "t = threading.Thread(target=lambda: (tellback.event('e', n=500), sys.exit(9))); t.start(); t.join()",
        0,
    ),
    "out-of-memory": (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28)); bytearray(1 << 30)",
        1,
    ),
}


@pytest.mark.parametrize("where", ["no server", "stalled server"])
@pytest.mark.parametrize("how", ENDS)
def test_what_had_returned_is_there(how: str, where: str, spool: Path, stalled: str) -> None:
    code, status = ENDS[how]
    got, _, _ = end(start(PROGRAM.format(code), environment(spool, stalled if "stalled" in where else None)), 30)
    assert got == status
    found = numbers(kept(spool))
    assert found[:500] == list(range(500))
    assert found[500:] == [500] * ("n=500" in code)


def test_daemon_threads_may_record_to_the_very_end(spool: Path, server: Server) -> None:
    """Their last calls race with the end of the interpreter: one that returned before `close` is there, none raises."""
    out = finish(
        """
        import sys, threading
        import tellback
        tellback.init(service="host")
        returned = [0, 0, 0]
        started = threading.Barrier(4)
        def work(who):
            started.wait()
            while True:
                tellback.event("e", who=who, n=returned[who])
                returned[who] += 1
        for who in range(3):
            threading.Thread(target=work, args=(who,), daemon=True).start()
        started.wait()
        while min(returned) < 2000:
            pass
        print(*returned)
        """,
        environment(spool, server.url),
    )
    records = kept(spool, server)
    for who, returned in enumerate(map(int, out.split())):
        found = sorted(r["attrs"]["n"] for r in records if r["attrs"]["who"] == who)
        assert found[:returned] == list(range(returned))
        assert found == list(range(len(found)))


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing(method: str, spool: Path, server: Server, tmp_path: Path) -> None:
    """Workers that end by os._exit, as all of multiprocessing's do, and one that kills itself."""
    program = tmp_path / "program.py"
    program.write_text(
        f"""
import multiprocessing, os, signal
import tellback

tellback.init(service="host")  # in a spawned child, too: it imports this file

def work(n):
    tellback.event("e", n=n)
    if n == 77:
        os.kill(os.getpid(), signal.SIGKILL)

if __name__ == "__main__":
    context = multiprocessing.get_context({method!r})
    with context.Pool(2) as pool:
        pool.map(work, range(77))
        pool.close()
        pool.join()
    child = context.Process(target=work, args=(77,))
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert tellback.flush(20)
"""
    )
    done = subprocess.run(
        [sys.executable, str(program)], env=environment(spool, server.url), capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert numbers(server.records()) == list(range(78))


def test_signal_handlers_record_while_a_call_is_under_way(spool: Path, server: Server) -> None:
    """By event, log, capture and flush, at any point of the same calls, rotations included."""
    out = finish(
        """
        import itertools, logging, signal
        import tellback

        tellback.init(service="host")
        logging.getLogger().addHandler(tellback.LogHandler())
        log = logging.getLogger("host")
        count = itertools.count()
        handled = []

        def handler(*_):
            n = next(count)
            if n % 50 == 0:
                try:
                    raise KeyError(n)
                except KeyError:
                    tellback.capture(n=n)
            elif n % 3:
                tellback.event("handler", n=n)
            else:
                log.warning("handled", extra={"n": n})
            if n == 100:
                tellback.flush(0.05)
            handled.append(n)

        signal.signal(signal.SIGALRM, handler)
        signal.setitimer(signal.ITIMER_REAL, 0.002, 0.002)
        for n in range(20_000):
            tellback.event("e", n=n, filler="x" * 500)
            if n % 100 == 0:
                log.warning("main", extra={"n": n})
        while len(handled) < 200:
            tellback.event("more")
        signal.setitimer(signal.ITIMER_REAL, 0)
        print(len(handled))
        assert tellback.flush(30)
        """,
        environment(spool, server.url),
    )
    records = server.records()
    assert numbers(records) == list(range(20_000))
    assert numbers(records, "host") == sorted(
        [n for n in range(int(out)) if n % 50 and n % 3 == 0] + list(range(0, 20_000, 100))
    )
    assert numbers(records, "handler") == [n for n in range(int(out)) if n % 50 and n % 3]
    assert numbers(records, "KeyError") == list(range(0, int(out), 50))
