"""Both sides are killed at any moment, over and over. What a call returned is in the answers, once."""

import json
import os
import random
import socket
import struct
import time
from pathlib import Path

import pytest

from tests.server.running import Running, rows, until
from tests.whole.programs import environment, finish, start

KILLS = 20

# The count lies in a mapped file, so that it outlives the program as its records must.
LOOP = """
    import mmap, struct, sys, time
    import tellback

    with open(sys.argv[1], "r+b") as file:
        count = mmap.mmap(file.fileno(), 8)
    tellback.init(service="loop")
    number = 0
    while True:
        for _ in range(50):
            tellback.event("tick", run=sys.argv[2], number=number)
            number += 1
            struct.pack_into("Q", count, 0, number)
        time.sleep(0.001)
"""

FLUSH = """
    import tellback

    tellback.init(service="last")
    assert tellback.flush(timeout=60)
"""


TICKS = """
    SELECT run, count(*), count(DISTINCT number), max(number) + 1
    FROM (SELECT run, CAST(json_extract_string(attrs, 'number') AS BIGINT) AS number FROM records WHERE name = 'tick')
    GROUP BY run
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_twenty_kills_on_both_sides_lose_nothing_and_double_nothing(tmp_path: Path) -> None:
    port = free_port()  # the same after each start: a spool belongs to an address
    server = Running(tmp_path / "data", "--port", str(port)).start()
    environ = environment(f"http://127.0.0.1:{port}", server.token, tmp_path / "spool")
    chance = random.Random(3)
    returned: dict[str, int] = {}
    count = tmp_path / "count"
    try:
        for round_ in range(KILLS):
            count.write_bytes(bytes(8))
            program = start(LOOP, environ, str(count), str(round_))
            until(lambda: struct.unpack("Q", count.read_bytes())[0])
            # Any moment counts, so none is waited for.
            time.sleep(chance.uniform(0, 0.3))
            server.kill()
            time.sleep(chance.uniform(0, 0.1))
            program.kill()
            program.communicate()
            returned[str(round_)] = struct.unpack("Q", count.read_bytes())[0]
            server.start()
        finish(FLUSH, environ)
        until(lambda: _visible(server) >= sum(returned.values()))
    finally:
        server.stop()
    found = {run: numbers for run, *numbers in rows(server.data, TICKS)}
    print(f"{KILLS} kills on both sides: {sum(returned.values()):,} calls returned, {_sum(found):,} records found")
    assert found.keys() == returned.keys()
    for run, (records, different, numbers) in found.items():
        assert records == different == numbers, f"run {run}: a hole or a double"
        # The kill may fall between the call and the count of it.
        assert returned[run] <= records <= returned[run] + 1, f"run {run}"


def _sum(found: dict[str, list[int]]) -> int:
    return sum(records for records, _, _ in found.values())


def _visible(server: Running) -> int:
    token = json.loads((server.data / "server.json").read_text())["token"]
    reply = server.request("GET", "/api/questions/store.ledger", token=token)
    return next((row["records"] for row in reply.json()["rows"] if row["reason"] == "visible"), 0)
