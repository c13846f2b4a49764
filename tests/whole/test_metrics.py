"""From an add to an answer, with the programs that count killed again and again."""

import os
import struct
from pathlib import Path

import pytest

from tests.server.running import Running, until
from tests.whole.programs import environment, finish, start
from tests.whole.test_way import ask

KILLS = 5

LOOP = """
    import mmap, os, struct, sys, threading
    import tellback
    from tellback.client import live

    with open(sys.argv[1], "r+b") as file:
        count = mmap.mmap(file.fileno(), 8)
    tellback.init(service="loop")
    reqs, took = tellback.counter("reqs"), tellback.histogram("took", unit="ns")
    tellback.event("began")  # so that there is something to ship
    child = os.fork()
    if child == 0:
        for _ in range(1000):
            reqs.add(of="child")
        os._exit(0)
    os.waitpid(child, 0)  # one that lives yet would tell of its counts later
    threading.Thread(target=lambda: [live.spool.book.report() for _ in iter(int, 1)], daemon=True).start()
    number = 0
    while True:
        reqs.add(of="parent")
        took.record(1 + number % 100)
        number += 1
        struct.pack_into("Q", count, 0, number)
"""

FLUSH = "import tellback; tellback.init(service='last'); assert tellback.flush(timeout=60)"


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL and fork")
def test_every_count_is_in_the_answer_once(tmp_path: Path) -> None:
    returned, count = 0, tmp_path / "count"
    with Running(tmp_path / "data") as server:
        environ = environment(f"http://127.0.0.1:{server.port}", server.token, tmp_path / "spool")
        for round_ in range(KILLS):
            count.write_bytes(bytes(8))
            program = start(LOOP, environ, str(count))
            until(lambda least=1 + 3000 * round_: struct.unpack("Q", count.read_bytes())[0] >= least)
            program.kill()
            program.communicate()
            returned += struct.unpack("Q", count.read_bytes())[0]
        finish(FLUSH, environ)

        def series(name: str, **given: str) -> dict[str | None, dict[str, float]]:
            return {row["part"]: row for row in ask(server, "metrics.series", name=name, step="day", **given)}

        # What was acknowledged last is visible last: each of the three is waited for.
        until(lambda: series("took").get(None, {}).get("count", 0) >= returned)
        until(lambda: series("reqs", label="of").get("child", {}).get("sum", 0) >= KILLS * 1000)
        until(lambda: series("reqs", label="of").get("parent", {}).get("sum", 0) >= returned)
        parts = series("reqs", label="of")
        assert parts["child"]["sum"] == KILLS * 1000
        # A kill may fall between an add and the count of it.
        assert returned <= parts["parent"]["sum"] <= returned + KILLS
        assert returned <= series("took")[None]["count"] <= returned + KILLS
        names = {row["name"]: row for row in ask(server, "metrics.names")}
        assert (names["took"]["type"], names["took"]["unit"], names["took"]["role"]) == ("histogram", "ns", "leaf")
        assert {row["reason"]: row["records"] for row in ask(server, "store.ledger")}["difference"] == 0
