"""A fork in the middle of anything: what Python does not see, and what a thread was just doing."""

import sys
from pathlib import Path

import pytest

from tests.client.intake_stub import Server
from tests.survival.hosts import environment, finish, kept, numbers

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="needs fork and libc")


def test_threads_import_nothing(spool: Path, server: Server) -> None:
    """A fork beside a thread that imports leaves the child waiting for that import for ever."""
    out = finish(
        """
        import sys
        import tellback
        tellback.init(service="host")
        tellback.event("e", n=0)
        before = set(sys.modules)
        assert tellback.flush(20)
        tellback.close()
        print(sorted(set(sys.modules) - before))
        """,
        environment(spool, server.url.replace("127.0.0.1", "localhost")),
    )
    assert out.strip() == "[]"


def test_forks_at_any_moment_of_the_threads(spool: Path, server: Server) -> None:
    """The first records start the threads; each fork comes at another moment of their first turns, and each child
    imports, records and ships."""
    finish(
        """
        import os, sys, time
        import tellback
        tellback.init(service="host")
        children = []
        for n in range(0, 60, 2):
            tellback.event("e", n=n)
            time.sleep(n / 20_000)
            pid = os.fork()
            if pid == 0:
                code = 1
                try:
                    import email.mime.text, wave
                    tellback.event("e", n=n + 1)
                    code = 0 if tellback.flush(30) else 2
                finally:
                    os._exit(code)
            children.append(pid)
            if len(children) == 5:
                for pid in children:
                    assert os.waitpid(pid, 0)[1] == 0
                children.clear()
                tellback.close(0)
                tellback.init(service="host")
        assert tellback.flush(30)
        """,
        environment(spool, server.url),
    )
    assert numbers(server.records()) == list(range(60))


def test_before_a_uwsgi_master_forks_it_has_no_threads(spool: Path) -> None:
    """uWSGI tells of itself by a module; its workers have threads again (test_servers)."""
    out = finish(
        """
        import _thread, sys, types
        uwsgi = types.ModuleType("uwsgi")
        uwsgi.worker_id = uwsgi.mule_id = lambda: 0
        uwsgi.i_am_the_spooler = lambda: False
        sys.modules["uwsgi"] = uwsgi
        import tellback
        tellback.init(service="host")
        for n in range(5000):
            tellback.event("e", n=n, filler="x" * 100)
        print(_thread._count())
        uwsgi.worker_id = lambda: 1
        tellback.event("e", n=5000)
        while not _thread._count():
            pass
        print(_thread._count())
        """,
        environment(spool),
    )
    assert out.split() == ["0", "1"]
    assert numbers(kept(spool)) == list(range(5001))
