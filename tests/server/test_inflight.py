"""What is still on its way to the disk: a re-send waits for it, and falls with it."""

import asyncio
import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tellback.server.journal.disk import Disk
from tests.server.house import House, house
from tests.server.running import Reply, until

HEADERS = {"Tellback_Segment": "a" * 32, "Tellback_Offset": "0"}
SLICE = b'{"name":"one"}\n{"name":"two"}\n'
MITO = b'[{"event":"sort_edit"}]'


class Held(Disk):
    """Syncs wait until they are let go, and then end as they are told."""

    def __init__(self) -> None:
        self.begun, self.go, self.fails = threading.Event(), threading.Event(), False

    def sync(self, descriptor: int) -> None:
        self.begun.set()
        assert self.go.wait(30)
        if self.fails:
            self.fails = False
            raise OSError(errno.EIO, "the disk says no")
        super().sync(descriptor)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path / "data") as made:
        yield made


def both(served: House, disk: Held, path: str, body: bytes, **headers: str) -> list[Reply]:
    """The same body twice, the second while the first waits for its sync; asserts that neither is answered before."""
    served.server.journal._disk = disk  # the one thing here that is not as in earnest

    async def main() -> list[Reply]:
        first = asyncio.create_task(served.apost(body, path, **headers))
        await asyncio.to_thread(disk.begun.wait, 30)
        again = asyncio.create_task(served.apost(body, path, **headers))
        while not served.server.journal._queue:  # the second has been decoded and waits behind the first
            await asyncio.sleep(0.001)
        assert not first.done()
        assert not again.done()
        disk.go.set()
        return list(await asyncio.gather(first, again))

    return served.loop.run_until_complete(main())


@pytest.mark.parametrize(("path", "body"), [("/v1/records", SLICE), ("/mito", MITO)])
def test_a_duplicate_of_what_is_in_flight_is_answered_after_the_covering_sync(
    served: House, path: str, body: bytes
) -> None:
    first, again = both(served, Held(), path, body, **HEADERS)
    count = first.json()["accepted"]
    assert (first.status, again.status) == (202, 202)
    assert again.json() == {"accepted": 0, "rejected": 0, "duplicates": count, "errors": []}
    assert served.ask("SELECT count(*) FROM records") == [(count,)]


@pytest.mark.parametrize(("path", "body"), [("/v1/records", SLICE), ("/mito", MITO)])
def test_when_the_sync_fails_both_are_refused_and_a_re_send_is_kept(served: House, path: str, body: bytes) -> None:
    disk = Held()
    disk.fails = True
    for reply in both(served, disk, path, body, **HEADERS):
        assert reply.status == 503
        assert reply.headers["retry-after"]
        assert "the disk says no" in reply.json()["error"]["message"]
    count = body.count(b'":"')
    reply = until(lambda: (r := served.post(body, path, **HEADERS)).status == 202 and r)
    assert reply.json() == {"accepted": count, "rejected": 0, "duplicates": 0, "errors": []}
    assert served.ask("SELECT count(*) FROM records") == [(count,)]
    assert served.ask("SELECT reason, records FROM ledger") == [("accepted", count)]


def test_what_was_decoded_against_a_lost_claim_is_decoded_again(served: House) -> None:
    """A large body is decoded in a thread; the claim that it was measured against falls meanwhile."""
    wire, _ = served.server.intake.match("/v1/records") or pytest.fail("no wire")
    body = SLICE + b" " * (2 << 20) + b"\n"
    real, calls = wire.decode, []

    def decode(request: object) -> object:
        batch = real(request)  # type: ignore[arg-type]
        calls.append(len(batch.lines))
        if len(calls) == 1:
            served.server.seen.epoch += 1
        return batch

    wire.decode = decode  # type: ignore[assignment, method-assign]
    try:
        assert served.post(body, **HEADERS).json()["accepted"] == 2
    finally:
        del wire.decode
    assert calls == [2, 2]
    assert served.ask("SELECT count(*) FROM records") == [(2,)]


def test_when_loading_cannot_keep_up_senders_are_told_to_wait(served: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tellback.server.intake.http._ROOM_SECONDS", 0.05)
    served.server.journal.backlog += 1 << 40
    reply = served.post(SLICE)
    assert (reply.status, reply.json()["error"]["code"]) == (429, "busy")
    assert int(reply.headers["retry-after"]) > 0
    served.server.journal.backlog -= 1 << 40
    assert served.post(SLICE).status == 202


def test_readiness_says_what_is_wrong(served: House) -> None:
    def ready() -> Reply:
        return served.post(b"", "/readyz", method="GET")

    assert ready().status == 200
    served.server.loader.failed = OSError("no space left on device")
    assert (ready().status, ready().json()["error"]["code"]) == (503, "not_ready")
    assert "no space left" in ready().json()["error"]["message"]
    served.server.loader.failed = None
