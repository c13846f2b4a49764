"""The spool by itself: whatever happens to it, each line it took is in a segment once and whole."""

import errno
import gc
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from spool_files import lines, segments, whole_lines

import tellback
from tellback.client import budget, folder, live, segment, slices
from tellback.client import spool as spool_module
from tellback.client.segment import Segment
from tellback.client.spool import DurableSpool, Spool

HEADER = b'{"kind":"process","pid":1}\n'


class Idle:
    """No threads: the test does their work."""

    def __init__(self) -> None:
        self.starts = 0

    def start(self) -> bool:
        self.starts += 1
        return True

    def rotated(self) -> None:
        pass

    def forked(self) -> None:
        pass


def made(root: Path) -> Spool:
    return Spool(root, lambda start: HEADER, Idle())


def held(root: Path) -> list[bytes]:
    out: list[bytes] = []
    for path in segments(root):
        first, *rest = whole_lines(path)
        assert first == HEADER
        out += rest
    return out


def payload(number: int, size: int) -> bytes:
    return (b"%d " % number).ljust(size, b"x") + b"\n"


class SpoolMachine(RuleBasedStateMachine):
    """Appends, rotations, spares, seals by anyone, shipping: against a list."""

    @initialize()
    def begin(self) -> None:
        import tempfile

        self.home = tempfile.TemporaryDirectory()
        self.root = Path(self.home.name) / "spool"
        self.spool = made(self.root)
        self.expected: list[bytes] = []
        self.shipped: list[bytes] = []

    @rule(count=st.integers(1, 40), size=st.sampled_from([10, 200, 60_000, 200_000]))
    def append(self, count: int, size: int) -> None:
        for _ in range(count):
            line = payload(len(self.expected), size)
            self.spool.append(line)
            self.expected.append(line)

    @rule()
    def longest(self) -> None:
        line = payload(len(self.expected), (1 << 20) - 1)
        self.spool.append(line)
        self.expected.append(line)

    @rule()
    def refill(self) -> None:
        self.spool.refill()

    @rule()
    def drop_spares(self) -> None:
        self.spool.drop_spares()

    @rule()
    def seal_under_its_feet(self) -> None:
        self.spool.active.seal()

    @rule()
    def ship(self) -> None:
        for own in list(self.spool.own):
            active = own is self.spool.active
            end = own.position() if active else own.seal()
            while data := slices.read(own.fd, max(own.acknowledged, own.head), end, 100_000):
                own.acknowledged = max(own.acknowledged, own.head) + len(data)
                self.shipped += data.splitlines(keepends=True)
            if not active:
                assert max(own.acknowledged, own.head) == end
                self.spool.own.remove(own)
                own.delete()

    @rule()
    def restart(self) -> None:
        acknowledged = {own.path: own.acknowledged for own in self.spool.own}
        self.spool.close()
        left: list[bytes] = []
        for path in segments(self.root):
            # What is left of a segment is sent again as a whole; its server knows what it has by the bytes' place.
            known = len(path.read_bytes()[: acknowledged[path]].splitlines())
            left += whole_lines(path)[max(known, 1) :]
            path.unlink()
        # Files lie in the order they were made: a spare that was too small for one line is used after a later one.
        self.shipped += sorted(left, key=lambda line: int(line.split()[0]))
        self.spool = made(self.root)

    @invariant()
    def nothing_is_lost_or_twice(self) -> None:
        if not hasattr(self, "spool"):
            return
        there: list[bytes] = []
        for own in self.spool.own:
            end = own.position()
            offset = max(own.acknowledged, own.head)
            while data := slices.read(own.fd, offset, end):
                there += data.splitlines(keepends=True)
                offset += len(data)
        assert self.shipped + there == self.expected
        assert self.spool.lost.total() == {}

    def teardown(self) -> None:
        if hasattr(self, "spool"):
            self.spool.close()
            self.home.cleanup()


SpoolMachine.TestCase.settings = settings(max_examples=25, stateful_step_count=15, deadline=None)
TestSpoolMachine = SpoolMachine.TestCase


def test_a_segment_begins_with_its_process_and_is_mode_0600_in_a_folder_0700(recorded: Any, spool: Path) -> None:
    tellback.event("e")
    (path,) = [p for p in segments(spool) if len(whole_lines(p)) > 1]
    assert whole_lines(path)[0].startswith(b'{"kind":"process",')
    assert len(path.name.removesuffix(".ndjson")) == 32
    if os.name == "posix":
        assert path.stat().st_mode & 0o777 == 0o600
        assert spool.stat().st_mode & 0o777 == path.parent.stat().st_mode & 0o777 == 0o700


def test_segments_grow_from_small_to_large(tmp_path: Path) -> None:
    spool = made(tmp_path)
    sizes = []
    for _ in range(5):
        sizes.append(spool.active.size)
        spool.active.seal()
        spool.append(b"x\n")
    assert sizes == [1 << 18, 1 << 20, 4 << 20, 8 << 20, 8 << 20]
    assert spool.late_rotations == 5
    spool.close()


def test_spares_are_one_at_first_and_two_for_who_writes_much(tmp_path: Path) -> None:
    spool = made(tmp_path)
    spool.refill()
    assert len(spool.spares) == 1
    spool.active.seal()
    spool.append(b"x\n")
    spool.refill()
    assert len(spool.spares) == 2
    assert spool.late_rotations == 0
    spool.close()
    assert len(segments(tmp_path)) == 1  # spares went, the line stayed
    assert segments(tmp_path)[0].stat().st_size == len(HEADER) + 2


def test_threads_lose_nothing(tmp_path: Path) -> None:
    spool = made(tmp_path)

    def work(who: int) -> None:
        for number in range(20_000):
            spool.append(b"%d %d xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n" % (who, number))

    threads = [threading.Thread(target=work, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    spool.close()
    found = [tuple(map(int, line.split()[:2])) for line in held(tmp_path)]
    assert sorted(found) == [(who, number) for who in range(4) for number in range(20_000)]


def test_seal_finds_a_line_that_slipped_in(tmp_path: Path) -> None:
    own = Segment.create(tmp_path, "0" * 32, 4096, HEADER)

    class Slips:
        """The map, but another thread writes between the question where it ends and the seal."""

        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def tell(self) -> int:
            position: int = self.inner.tell()
            self.inner.write(b"slipped\n")
            return position

        def __getattr__(self, name: str) -> Any:
            return getattr(self.inner, name)

        def __getitem__(self, at: int) -> int:
            return int(self.inner[at])

    real = own.map
    own.map = Slips(real)  # type: ignore[assignment]
    assert own.seal() == len(HEADER) + 8
    own.map = real
    with pytest.raises(ValueError):
        own.write(b"late\n")
    own.delete()


def test_a_full_segment_ends_at_its_size(tmp_path: Path) -> None:
    own = Segment.create(tmp_path, "0" * 32, 4096, HEADER)
    own.write(b"x" * (4096 - len(HEADER) - 1) + b"\n")
    assert own.seal() == 4096
    own.delete()


@pytest.mark.parametrize(
    ("data", "whole"),
    [
        (b"a\nb\n", b"a\nb\n"),
        (b"a\nb", b"a\n"),
        (b"a\nb\0c\n", b"a\n"),
        (b"a\n\0\0\0", b"a\n"),
        (b"\0a\n", b""),
        (b"", b""),
        (b"a" * 700_000 + b"\n", b"a" * 700_000 + b"\n"),
        (b"a" * 3_000_000, b""),
    ],
)
def test_only_whole_lines_are_read(tmp_path: Path, data: bytes, whole: bytes) -> None:
    path = tmp_path / "s"
    path.write_bytes(data)
    with path.open("rb") as file:
        assert slices.read(file.fileno(), 0, len(data)) == whole


def test_a_signal_handler_may_record_while_its_thread_rotates(tmp_path: Path) -> None:
    spool = made(tmp_path)
    spool.append(b"first\n")
    handled = 0

    def handler(*_: object) -> None:
        nonlocal handled
        handled += 1
        spool.append(b"handler " + b"x" * 1000 + b"\n")

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
        for number in range(3_000):
            spool.append(payload(number, 8_000))
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    spool.close()
    found = held(tmp_path)
    assert sum(line.startswith(b"handler") for line in found) == handled > 0
    assert {line for line in found if line[:1].isdigit()} == {payload(number, 8_000) for number in range(3_000)}
    assert len(found) == 3_001 + handled


def test_a_finalizer_may_record(recorded: Callable[[], list[dict[str, Any]]]) -> None:
    class Last:
        def __del__(self) -> None:
            tellback.event("finalized")

    for _ in range(50):
        cycle: list[Any] = [Last()]
        cycle.append(cycle)
        del cycle
        tellback.event("e", a=[1])
    gc.collect()
    assert sum(record["name"] == "finalized" for record in recorded()) == 50


def test_a_full_disk_is_counted_and_got_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spool = made(tmp_path)
    real = segment.reserve

    def full(fd: int, size: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(segment, "reserve", full)
    for number in range(10):
        spool.append(payload(number, 100_000))
    spool.refill()
    assert len(spool.spares) == 0
    kept = len(held(tmp_path))
    assert spool.lost.total() == {"disk": 10 - kept}
    monkeypatch.setattr(segment, "reserve", real)
    spool._retry = 0
    spool.append(payload(10, 200_000))
    assert held(tmp_path)[-1] == payload(10, 200_000)
    assert len(segments(tmp_path)) == 2  # no half-made segment is left
    spool.close()


def test_a_folder_deleted_under_its_feet(tmp_path: Path) -> None:
    import shutil

    root = tmp_path / "spool"
    spool = made(root)
    spool.refill()
    spool.append(b"before\n")
    shutil.rmtree(root)
    spool.append(b"between\n")
    spool.moved()
    spool.append(b"after\n")
    assert held(root) == [b"after\n"]
    old = spool.own[0]
    assert slices.read(old.fd, old.head, old.seal()) == b"before\nbetween\n"  # still there for the sender
    assert spool.lost.total() == {}
    spool.close()


def test_threads_that_cannot_be_started_cost_no_record(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Tellback was upgraded under the feet of a process that had not yet imported all of it."""

    class Broken(Idle):
        def start(self) -> bool:
            raise ImportError("cannot import name 'x'")

    spool = Spool(tmp_path, lambda start: HEADER, Broken())
    spool.append(b"1\n")
    spool.append(b"2\n")
    assert held(tmp_path) == [b"1\n", b"2\n"]
    assert spool.lost.total() == {}
    assert caplog.text.count("cannot import name") == 1
    spool.close()


def test_over_budget_a_line_is_counted(tmp_path: Path) -> None:
    spool = made(tmp_path)
    spool.append(b"x\n")
    spool.active.seal()
    spool.over_budget = True
    spool.append(b"y\n")
    assert spool.lost.total() == {"budget": 1}
    spool.over_budget = False
    spool.append(b"z\n")
    assert held(tmp_path) == [b"x\n", b"z\n"]
    spool.close()


def test_after_close_a_late_call_is_nothing(recorded: Any, spool: Path) -> None:
    tellback.event("e")
    kept = live.spool
    assert kept is not None
    tellback.close(0)
    kept.append(b'{"late":1}\n')  # another thread had it in hand
    assert [record["name"] for record in lines(spool)] == ["e"]


def test_a_durable_spool_syncs_each_line(spool: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda fd: (synced.append(fd), real(fd)))
    tellback.init(spool=spool, durable=True)
    assert len(synced) >= 2  # the folders that its name lies in
    assert live.spool is not None
    own = live.spool.active.fd
    tellback.event("a")
    tellback.event("b")
    assert synced.count(own) == 2
    assert [record["name"] for record in lines(spool)] == ["a", "b"]


def test_a_durable_line_is_synced_though_its_segment_changed_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The full segment may be shipped and gone before it is synced, and more than one may have followed it."""
    synced: list[int] = []
    monkeypatch.setattr(os, "fsync", synced.append)
    spool = DurableSpool(tmp_path, lambda start: HEADER, Idle())
    spool.append(b"x\n")
    full, rotate = spool.active, spool._rotate

    def rotating(segment: Segment, need: int) -> bool:
        rotate(segment, need)
        full.delete()
        return True

    monkeypatch.setattr(DurableSpool, "_rotate", lambda self, segment, need: rotating(segment, need))
    full.seal()
    spool.own.remove(full)
    spool.append(b"y\n")
    assert spool.active.fd in synced
    spool.close()


def test_network_file_systems_are_told(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(
        f"/dev/sda / ext4 rw 0 0\nfiler:/v {tmp_path}/home nfs4 rw 0 0\nx {tmp_path}/home/fast ext4 rw 0 0\n"
        f"y {tmp_path}/a\\040b fuse.sshfs rw 0 0\n"
    )
    places = ("home/u/.cache", "home/fast/u", "a b/c", "z")
    kinds = [folder.remote_filesystem(tmp_path / name, str(mounts)) for name in places]
    assert kinds == ["nfs4", None, "fuse.sshfs", None]


def test_a_folder_in_use_cannot_be_taken(tmp_path: Path) -> None:
    mine = folder.ProcessFolder.create(tmp_path, "1")
    assert folder.ProcessFolder.take(mine.path) is None
    (mine.path / "s.ndjson").write_bytes(b"x\n")
    mine.release()
    taken = folder.ProcessFolder.take(mine.path)
    assert taken is not None
    (mine.path / "s.ndjson").unlink()
    taken.release()
    assert list(tmp_path.iterdir()) == []


def test_sizes_are_as_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "spec" / "spool.md").read_text()
    assert f"{spool_module.FIRST >> 10} KiB" in text
    assert f"{spool_module.LARGEST >> 20} MiB" in text


def test_the_budget_takes_the_oldest_and_counts(tmp_path: Path) -> None:
    orphan = made(tmp_path)
    for n in range(5000):
        orphan.append(payload(n, 100))
    orphan.close()
    own = made(tmp_path)
    own.append(b"mine\n")
    own.largest = spool_module.FIRST  # as it is under so small a budget
    used = sum(size for _, size in budget.files(tmp_path))
    budget.enforce(own, lambda header: True, most=used + own.next_size() - 1)
    assert not own.over_budget
    left = held(tmp_path)
    assert left[-1] == b"mine\n"
    assert 1 < len(left) < 5001, "more or less was taken than there had to be"
    assert own.lost.total() == {"budget": 5001 - len(left)}
    budget.enforce(own, lambda header: True, most=1)
    assert own.over_budget
    # The active one is never taken.
    assert held(tmp_path) == [b"mine\n"]
    assert own.lost.total() == {"budget": 5000}
    assert len(segments(tmp_path)) == 1
    own.close()
