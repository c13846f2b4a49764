"""Bodies are undone within a bound, whatever they claim to be."""

import gzip
import tracemalloc
import zlib

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tellback.server.intake.body import decompressed
from tellback.server.intake.contract import Refusal


def test_a_body_of_empty_members_costs_no_more_than_its_size() -> None:
    """Their rest was copied once for each, which held up the whole server: a megabyte of them for seconds."""
    member = gzip.compress(b"", 1)
    assert decompressed(member * 9_000 + gzip.compress(b"last"), "gzip") == b"last"
    tracemalloc.start()
    with pytest.raises(Refusal, match="more than 10000 members"):
        decompressed(member * 400_000, "gzip")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10_000_000


def raw_deflate(body: bytes) -> bytes:
    encoder = zlib.compressobj(wbits=-15)
    return encoder.compress(body) + encoder.flush()


def streamed(body: bytes) -> bytes:
    """zstd without the size in its header."""
    encoder = zstandard.ZstdCompressor().compressobj()
    return encoder.compress(body) + encoder.flush()


ENCODERS = {
    "identity": ("", bytes),
    "gzip": ("gzip", gzip.compress),
    "two gzip members": ("gzip", lambda body: gzip.compress(body[:3]) + gzip.compress(body[3:])),
    "zlib": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "zstd": ("zstd", zstandard.compress),
    "zstd stream": ("ZSTD", streamed),
    "two zstd frames": ("zstd", lambda body: zstandard.compress(body[:3]) + streamed(body[3:])),
    "both": ("gzip, zstd", lambda body: zstandard.compress(gzip.compress(body))),
}


@pytest.mark.parametrize("name", ENCODERS)
@given(body=st.binary(max_size=3000))
def test_what_was_encoded_comes_back(name: str, body: bytes) -> None:
    encoding, encode = ENCODERS[name]
    assert decompressed(encode(body), encoding) == body


@pytest.mark.parametrize("name", ["gzip", "zlib", "raw deflate", "zstd", "zstd stream", "both"])
@given(body=st.binary(min_size=1, max_size=300), cut=st.integers(1, 10))
def test_what_ends_early_is_refused(name: str, body: bytes, cut: int) -> None:
    encoding, encode = ENCODERS[name]
    encoded = encode(body)
    part = encoded[: max(len(encoded) - cut, 1)]
    with pytest.raises(Refusal) as refusal:
        decompressed(part, encoding)
    assert (refusal.value.status, refusal.value.code) == (400, "bad_encoding")


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "zstd"])
@given(body=st.binary(min_size=1, max_size=300))
def test_garbage_is_refused_or_decoded_but_never_breaks(encoding: str, body: bytes) -> None:
    status = 200
    try:
        decompressed(body, encoding)
    except Refusal as refusal:
        status = refusal.status
    assert status in (200, 400, 413)


@pytest.mark.parametrize("encoding", ["br", "compress", "gzip, gzip, gzip", "x\r\ny"])
def test_unknown_encodings_are_415(encoding: str) -> None:
    with pytest.raises(Refusal) as refusal:
        decompressed(b"x", encoding)
    assert refusal.value.status == 415


def zeros(encoding: str, size: int) -> bytes:
    block = bytes(1 << 20)
    encoder = zstandard.ZstdCompressor(19).compressobj() if encoding == "zstd" else zlib.compressobj(9, wbits=31)
    parts = [encoder.compress(block) for _ in range(size >> 20)]
    return b"".join(parts) + encoder.flush()


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_a_gigabyte_of_zeros_costs_no_memory(encoding: str) -> None:
    bomb = zeros(encoding, 1 << 30)
    limit = 1 << 20
    tracemalloc.start()
    try:
        with pytest.raises(Refusal) as refusal:
            decompressed(bomb, encoding, limit)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert refusal.value.status == 413
    # zstandard's output pieces are not traced; they are at most 32 MiB, see `_PIECE`.
    assert peak < 64 << 20


def test_the_limit_itself_is_taken() -> None:
    assert len(decompressed(zstandard.compress(bytes(1000)), "zstd", 1000)) == 1000
    for encoding, encode in ENCODERS.values():
        with pytest.raises(Refusal) as refusal:
            decompressed(encode(bytes(1001)), encoding, 1000)
        assert refusal.value.status == 413
