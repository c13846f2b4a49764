"""Acknowledged means kept: the server is killed under load, its senders come again, and the counts come out even."""

import http.client
import json
import os
import random
import threading
import time
import uuid
from pathlib import Path

import pytest

from tests.server.running import Running, rows

KILLS = 20
SENDERS = 3
LINES = 40


class Sender(threading.Thread):
    """Ships slices of its own segment until told to end; what was not answered is sent again, now and then twice."""

    def __init__(self, server: Running, number: int) -> None:
        super().__init__()
        self.server, self.random = server, random.Random(number)
        self.segment, self.offset, self.number = uuid.UUID(int=self.random.getrandbits(128)).hex, 0, 0
        self.acknowledged: set[str] = set()
        self.refused = self.resent = 0
        self.ended = threading.Event()

    def run(self) -> None:
        while not self.ended.is_set():
            names = [f"{self.segment}-{self.number + n}" for n in range(LINES)]
            body = "".join(f'{{"name":"{name}"}}\n' for name in names).encode()
            while not self.send(body):
                self.resent += 1
                time.sleep(0.02)  # as a client backs off; nothing waits for it
            if self.random.random() < 0.1:
                self.send(body)
            self.acknowledged.update(names)
            self.number += LINES
            self.offset += len(body)

    def send(self, body: bytes) -> bool:
        try:
            reply = self.server.post(body, Tellback_Segment=self.segment, Tellback_Offset=str(self.offset))
        except (OSError, http.client.HTTPException):  # no answer, or half of one
            return False
        if reply.status != 202:
            self.refused += 1
            return False
        counts = json.loads(reply.body)
        assert counts["accepted"] + counts["duplicates"] == LINES
        return True


@pytest.mark.skipif(os.name == "nt", reason="needs SIGKILL")
def test_sigkill_under_load_loses_nothing_and_doubles_nothing(tmp_path: Path) -> None:
    server = Running(tmp_path / "data").start()
    senders = [Sender(server, n) for n in range(SENDERS)]
    for sender in senders:
        sender.start()
    chance = random.Random(1)
    try:
        for _ in range(KILLS):
            # Anywhere in a load, its commit and what follows; nothing is awaited, because any moment counts.
            time.sleep(chance.uniform(0.05, 0.6))
            server.kill()
            server.start()
        time.sleep(0.3)
    finally:
        for sender in senders:
            sender.ended.set()
        for sender in senders:
            sender.join()
        assert server.stop() == 0
    acknowledged = set().union(*(sender.acknowledged for sender in senders))
    visible = [name for (name,) in rows(server.data, "SELECT name FROM records")]
    ledger = dict(rows(server.data, "SELECT reason, sum(records) FROM ledger GROUP BY reason"))
    print(
        f"\n{KILLS} SIGKILLs: {len(acknowledged)} acknowledged, {len(visible)} visible, "
        f"{len(acknowledged - set(visible))} lost, {len(visible) - len(set(visible))} twice, "
        f"{sum(s.resent for s in senders)} slices sent again, ledger {ledger}"
    )
    assert acknowledged
    assert acknowledged == set(visible)
    assert len(visible) == len(set(visible))
    assert ledger["accepted"] == len(visible)
    assert list((server.data / "journal").iterdir()) == []
