"""What was accepted before, against a set of bytes."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tellback.server.intake.contract import Batch
from tellback.server.intake.seen import DIGEST_NS, Index, covers, merged, overlaps

spans = st.tuples(st.integers(0, 40), st.integers(0, 40)).map(lambda pair: (min(pair), max(pair)))


@given(st.lists(spans), spans)
def test_ranges_are_the_bytes_that_were_added(added: list[tuple[int, int]], asked: tuple[int, int]) -> None:
    ranges: tuple[tuple[int, int], ...] = ()
    for span in added:
        ranges = merged(ranges, span)
    seen = {byte for first, last in added for byte in range(first, last)}
    assert {byte for first, last in ranges for byte in range(first, last)} == seen
    assert all(a[1] < b[0] for a, b in pairwise(ranges))
    wanted = set(range(*asked))
    if wanted:
        assert covers(ranges, *asked) == (wanted <= seen)
        assert overlaps(ranges, *asked) == bool(wanted & seen)


def batch(segment: str | None, span: tuple[int, int] = (0, 0), digest: str | None = None, received: int = 0) -> Batch:
    first, last = span
    return Batch("1", "t", "w", received, segment=segment, offset=first, size=last - first, digest=digest)


@given(st.lists(st.tuples(st.sampled_from("ab"), spans)), st.lists(st.tuples(st.sampled_from("ab"), spans)))
def test_undoing_restores_what_was(
    durable: list[tuple[str, tuple[int, int]]], failing: list[tuple[str, tuple[int, int]]]
) -> None:
    index, want = Index(), Index()
    kept = [batch(segment, span) for segment, span in durable]
    for one in kept:
        index.claim(one)
        want.claim(one)
    index.settle(kept)
    lost = [batch(segment, span, digest=segment) for segment, span in failing]
    for one in lost:
        index.claim(one)
    index.undo(lost)
    for segment in "ab":
        assert tuple(index.ranges("1", segment)) == tuple(want.ranges("1", segment))
        assert not index.repeated("1", segment, 0)
    assert index.epoch == 1


def test_projects_do_not_share_segments() -> None:
    index = Index([("1", "a", 0, 5), ("1", "a", 5, 9)])
    assert index.ranges("1", "a") == ((0, 9),)
    assert index.ranges("2", "a") == ()


def test_a_digest_counts_for_an_hour_from_the_first() -> None:
    index = Index()
    index.claim(batch(None, digest="d", received=0))
    index.claim(batch(None, digest="d", received=DIGEST_NS - 1))
    assert index.repeated("1", "d", DIGEST_NS - 1)
    assert not index.repeated("1", "d", DIGEST_NS)
    index.sweep(2 * DIGEST_NS)
    assert not index.repeated("1", "d", 1)
