"""Whole lines from a segment, compressed: what travels. `docs/spec/slice.md` has the format."""

import os
import zlib
from collections.abc import Callable
from typing import Final

import msgspec

from tellback.client.process import FORMAT, Header
from tellback.record import MAX_LINE

TARGET: Final = 512 << 10
"""Bytes of a slice before compression. 64 KiB ones cost two to three times as much CPU per record."""


class _Format(msgspec.Struct):
    format: int = FORMAT


Compress = Callable[[bytes], bytes]


def read(fd: int, offset: int, end: int, target: int = TARGET) -> bytes:
    """Whole lines of a segment from `offset`, of `target` bytes at most if no line is longer; empty if there are none.

    A line is whole if it ends in a newline and holds no NUL: what a dying process left half written ends the segment.
    """
    for size in (target, 2 * MAX_LINE):
        data = _pread(fd, min(size, end - offset), offset)
        nul = data.find(b"\0")
        if nul >= 0:
            data = data[:nul]
        whole = data.rfind(b"\n") + 1
        if whole:
            return data[:whole]
        if nul >= 0 or len(data) < size:
            break
    return b""


def read_header(fd: int) -> tuple[bytes, Header]:
    """The segment's `process` line without its newline, and what it says; nothing twice if it has none."""
    line = _pread(fd, MAX_LINE, 0).split(b"\n", 1)[0]
    try:
        # By itself and first: in a newer header anything else may have changed.
        if (found := msgspec.json.decode(line, type=_Format).format) > FORMAT:
            return line, Header(format=found)
    except (msgspec.DecodeError, UnicodeDecodeError):
        pass
    try:
        header = msgspec.json.decode(line, type=Header)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return b"", Header()
    return (line, header) if header.kind == "process" else (b"", Header())


def is_newer(header: Header) -> bool:
    """Whether the segment was written by a version that knows more than this one."""
    return header.format > FORMAT


def halves(data: bytes) -> tuple[bytes, bytes]:
    """Lines parted in two near the middle; the second is empty if there is but one line."""
    cut = data.rfind(b"\n", 0, len(data) // 2) + 1 or data.find(b"\n") + 1
    return data[:cut], data[cut:]


def compressor(encoding: str | None = None) -> tuple[str, Compress]:
    """The best compression there is here, or the one asked for: its Content-Encoding and how to do it.

    All of them release the GIL while they work.
    """
    if encoding in (None, "zstd"):
        try:
            from compression import zstd  # type: ignore[import-not-found, unused-ignore]  # Python 3.14

            return "zstd", lambda data: bytes(zstd.compress(data, level=1))
        except ImportError:
            pass
        try:
            import zstandard

            return "zstd", zstandard.ZstdCompressor(level=1).compress
        except ImportError:
            pass
    if encoding == "identity":
        return "identity", lambda data: data
    return "gzip", _gzip


def _gzip(data: bytes) -> bytes:
    stream = zlib.compressobj(1, zlib.DEFLATED, 31)
    return stream.compress(data) + stream.flush()


def _pread(fd: int, size: int, offset: int) -> bytes:
    if hasattr(os, "pread"):
        return os.pread(fd, size, offset)
    os.lseek(fd, offset, os.SEEK_SET)  # Windows; each segment is read by one thread alone
    return os.read(fd, size)
