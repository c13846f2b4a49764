"""The formats as docs/spec has them: golden files are written anew and compared, byte for byte."""

import base64
from pathlib import Path
from typing import Any

import pytest
from intake_stub import Server
from spool_files import segments, whole_lines

import tellback
from tellback.client import process

GOLDEN = Path(__file__).parents[1] / "golden"


@pytest.fixture
def written(spool: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> tuple[Server, bytes]:
    """A fixed story by a fixed process, as it lies in the segment."""
    fixed = b'{"kind":"process","service":"rigtools","release":"1.4.2","host":"ws042","os":"linux","python":"3.11.7",'
    fixed += b'"pid":4711,"start":1795000000000000000,"url":"http://127.0.0.1:8321"}\n'
    monkeypatch.setattr("tellback.client.lifecycle.header", lambda settings, start: fixed)
    tellback.init("rigtools", user="guido", url=server.url, spool=spool)
    with tellback.bound(shot="sq10"):
        tellback.event("export_to_file_edit", time=1795000000000000001, rows=1200, path="/out/a.ma")
        tellback.event("nested", time=1795000000000000002, size=[1920, 1080], ratio=float("nan"), obj=object())
    tellback.event("render", time=1795000000000000003, level="warning", message="naïve ☃", duration=1500, value=2.5)
    (path,) = [path for path in segments(spool) if len(whole_lines(path)) > 1]
    return server, b"".join(whole_lines(path))


def compare(name: str, text: bytes) -> None:
    path = GOLDEN / name
    assert path.read_bytes() == text, f"the format has changed: see docs/spec, then write {path} anew"


def test_segment(written: tuple[Server, bytes]) -> None:
    compare("segment.ndjson", written[1])


def test_slice(written: tuple[Server, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    server, segment = written
    assert tellback.flush(10)
    headers: dict[str, Any] = server.requests[0]
    assert len(headers["Tellback-Segment"]) == 32
    line = base64.urlsafe_b64decode(headers["Tellback-Process"])
    assert line == segment.split(b"\n")[0]
    compare(
        "slice.http",
        b"POST /v1/records\nContent-Type: %b\nTellback-Segment: 18eb407d1e5cde879b23ec194ba1a687\nTellback-Offset: %b\n"
        b"Tellback-Process: %b\n\n%b"
        % (
            headers["Content-Type"].encode(),
            headers["Tellback-Offset"].encode(),
            headers["Tellback-Process"].encode(),
            segment,
        ),
    )


def test_the_real_header_names_the_destination_and_hides_the_token() -> None:
    from tellback.client.settings import read

    chosen, wrong = read({"service": "s", "url": "http://h:1/", "token": "T0ken", "spool": "/s"}, {})
    line = process.header(chosen, 7)
    assert wrong == []
    assert line.startswith(b'{"kind":"process","service":"s"')
    assert b'"url":"http://h:1"' in line
    assert b'"start":7' in line
    assert b"T0ken" not in line
