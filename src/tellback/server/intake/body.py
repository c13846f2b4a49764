"""Bodies, decompressed within a bound: a gigabyte of zeros is a few kilobytes of zstd."""

import zlib
from collections.abc import Callable, Iterator

from tellback.record import MAX_BODY
from tellback.server.intake.contract import Refusal

ENCODINGS = ("identity", "gzip", "deflate", "zstd")

_WINDOW_LOG = 23
"""zstd frames may ask for windows up to 8 MiB, as RFC 8878 wants of every decoder; levels to 19 need no more."""

_PIECE = 1024
"""Compressed bytes given to zstd at a time. Four bytes can stand for a block of 128 KiB and zstandard's incremental
decoder does not bound its output, so one piece makes at most 32 MiB."""

_PIECE_OF_GZIP = 16 << 10
"""Compressed bytes given to zlib at a time. They make at most 1,032 times as many: 16 MiB."""

_MEMBERS = 10_000
"""Of one gzip body. Each costs a decoder; an empty one is 20 bytes of the body, so that a body could hold millions."""


def too_large(limit: int = MAX_BODY) -> Refusal:
    """The refusal of a body over `limit` bytes."""
    return Refusal(
        413, "too_large", f"the body is over {limit} bytes when decompressed: send it in smaller parts", "body"
    )


def decompressed(body: bytes, encoding: str, limit: int = MAX_BODY) -> bytes:
    """`body` without its `Content-Encoding` (a list is undone from its end). Raises `Refusal` 413, 415 or 400."""
    names = [name for part in encoding.split(",") if (name := part.strip().lower()) not in ("", "identity")]
    if len(names) > 2:
        raise Refusal(415, "unsupported_encoding", "more than two Content-Encodings", "Content-Encoding")
    for name in reversed(names):
        body = _join(_pieces(name)(body, limit), name, limit)
    if len(body) > limit:
        raise too_large(limit)
    return body


def _pieces(name: str) -> Callable[[bytes, int], Iterator[bytes]]:
    match name:
        case "gzip" | "x-gzip":
            return lambda body, limit: _inflate(body, limit, 31)
        case "deflate":
            # Senders disagree whether deflate has zlib's header (RFC 9110 says it has); its first byte tells.
            return lambda body, limit: _inflate(body, limit, 15 if body[:1] and body[0] & 0x0F == 8 else -15)
        case "zstd":
            return _unzstd
    raise Refusal(
        415,
        "unsupported_encoding",
        f"Content-Encoding {name!r} is not known: use one of {', '.join(ENCODINGS)}",
        "Content-Encoding",
    )


def _join(pieces: Iterator[bytes], name: str, limit: int) -> bytes:
    out = bytearray()
    try:
        for piece in pieces:
            out += piece
            if len(out) > limit:
                raise too_large(limit)
    except (zlib.error, EOFError, _ZSTD_ERROR) as error:
        raise Refusal(400, "bad_encoding", f"the body is not whole {name}: {error}", "body") from None
    return bytes(out)


def _inflate(body: bytes, limit: int, wbits: int) -> Iterator[bytes]:
    at = members = 0
    while at < len(body):
        members += 1
        if members > _MEMBERS:
            raise EOFError(f"it has more than {_MEMBERS} members")
        decoder = zlib.decompressobj(wbits)
        while not decoder.eof:
            if at >= len(body):
                raise EOFError("it ends too early")
            # In pieces: what a member leaves unread is copied, which for many small ones goes with the body's square.
            piece = body[at : at + _PIECE_OF_GZIP]
            at += len(piece)
            yield decoder.decompress(piece)
        at = at - len(decoder.unused_data) if wbits == 31 else len(body)


try:  # Python 3.14 has it; before, zstandard comes with the `server` extra.
    # mypy checks for 3.11, which has no such module.
    from compression import zstd as _zstd  # type: ignore[import-not-found]

    _ZSTD_ERROR: type[Exception] = _zstd.ZstdError

    def _unzstd(body: bytes, limit: int) -> Iterator[bytes]:
        options = {_zstd.DecompressionParameter.window_log_max: _WINDOW_LOG}
        while body:
            decoder = _zstd.ZstdDecompressor(options=options)
            yield decoder.decompress(body, limit + 1)
            if not decoder.eof:
                raise EOFError("it ends too early")
            body = decoder.unused_data

except ImportError:
    import zstandard

    _ZSTD_ERROR = zstandard.ZstdError

    def _unzstd(body: bytes, limit: int) -> Iterator[bytes]:
        decompressor = zstandard.ZstdDecompressor(max_window_size=1 << _WINDOW_LOG)
        at = 0
        while at < len(body):
            decoder = decompressor.decompressobj()
            while not decoder.eof:
                if at >= len(body):
                    raise EOFError("it ends too early")
                piece = body[at : at + _PIECE]
                at += len(piece)
                yield decoder.decompress(piece)
            at -= len(decoder.unused_data)
