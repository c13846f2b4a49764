"""What holds for every wire there is: nothing it is sent breaks it, and whatever it accepts loads, once, as it was."""

import gzip
import json
import time
import zlib
from collections.abc import Iterator
from typing import Any

import duckdb
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tellback.server.grant import WRITE, Grant
from tellback.server.intake import wires
from tellback.server.intake.contract import Batch, Refusal, Request, Wire
from tellback.server.intake.seen import Index
from tellback.server.schema import COLUMNS, JOURNAL_COLUMNS
from tellback.server.store.load import rows
from tests.server.house import House, house

WIRES = wires()

SAMPLES: dict[str, bytes] = {
    "records": b'{"name":"a","time":1,"attrs":{"k":[1,2.5,null,"x"]}}\n{"kind":"error","name":"E","level":"ERR"}\n',
    "mito": json.dumps(
        [
            {"event": "sort_edit", "timestamp_gmt": "2026-11-01T10:00:00Z", "version_mito": "0.2.69", "params_n": 1},
            {"event": "error", "timestamp_gmt": "2026-11-01T10:00:00Z", "error_traceback_last_line": "KeyError: 'x'"},
        ]
    ).encode(),
}
"""A good body of two records for each wire: a new wire brings its own."""

HOSTILE = {
    "empty": b"",
    "spaces": b"   \n  \n",
    "NULs": bytes(1000),
    "garbage": bytes(range(256)) * 4,
    "deep arrays": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "a number": b"1" * 100_000,
    "null": b"null",
    "text": b'"x"',
    "not UTF-8": b'[{"event":"\xff"}]\n{"name":"\xff"}',
    "byte order mark": b"\xef\xbb\xbf{}",
    "UTF-16": '{"name":"a"}'.encode("utf-16"),
}

KEYS = (
    *COLUMNS, "event", "timestamp_gmt", "version_mito", "params_x", "params_event", "batch", "reject",
    "error_severity_code", "error_traceback_last_line", "tellback.altered",
)  # fmt: skip
keys = st.sampled_from(KEYS) | st.text(max_size=8)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.sampled_from(["event", "lost", "process", "2026-11-01T10:00:00Z", "warning", "error"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=12,
)
objects = st.dictionaries(keys, json_values, max_size=8)


def dumped(value: Any) -> bytes:
    """JSON as others write it: surrogates alone, Infinity and all."""
    return json.dumps(value).encode()


bodies = (
    st.lists(objects | json_values, max_size=6).map(dumped)
    | st.lists(objects | json_values, max_size=6).map(lambda values: b"\n".join(dumped(value) for value in values))
    | st.binary(max_size=200)
    | st.tuples(st.sampled_from(sorted(SAMPLES.values())), st.integers(0, 200), st.binary(max_size=5)).map(
        lambda cut: cut[0][: cut[1]] + cut[2] + cut[0][cut[1] :]
    )
)


def request(wire: Wire, body: bytes, seen: Index | None = None) -> Request:
    grant = Grant("1", "t", frozenset({WRITE}))
    path = wire.paths[0]
    return Request(path, {}, {}, {}, "127.0.0.1", grant, "u", time.time_ns(), body, seen or Index())


def decoded(wire: Wire, body: bytes) -> Batch | Refusal:
    try:
        return wire.decode(request(wire, body))
    except Refusal as refusal:
        return refusal


@pytest.mark.parametrize("name", WIRES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=bodies)
def test_whatever_is_accepted_loads_and_equals(
    name: str, body: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    wire = WIRES[name]
    batch = decoded(wire, body)
    if isinstance(batch, Refusal):
        assert 400 <= batch.status < 500
        assert msgspec.json.decode(wire.error(batch).body)["error"]["message"]
        return
    assert wire.answer(batch).status in (202, 400)
    assert len(batch.rejects) == batch.rejected
    path = tmp_path_factory.getbasetemp() / "accepted"
    path.write_bytes(b"".join(batch.lines))
    connection = duckdb.connect()
    result = connection.execute(rows([path], "Europe/Berlin"))
    columns = [column[0] for column in result.description]
    loaded = [dict(zip(columns, row, strict=True)) for row in result.fetchall()]
    assert len(loaded) == len(batch.lines)
    for row, line in zip(loaded, batch.lines, strict=True):
        equal(row, line)


def equal(row: dict[str, Any], line: bytes) -> None:
    pairs = json.loads(line, object_pairs_hook=lambda pairs: pairs)
    names = [key for key, _ in pairs]
    assert len(names) == len(set(names)), "a key stands twice"
    assert set(names) <= set(JOURNAL_COLUMNS)
    want = json.loads(line)
    assert row.pop("day") is not None
    got_attrs = row.pop("attrs")
    assert (None if got_attrs is None else json.loads(got_attrs)) == want.pop("attrs", None)
    assert row == {name: want.get(name) for name in row}
    for needed in ("project", "time", "kind", "segment", "offset", "received"):
        assert row[needed] is not None


@pytest.mark.parametrize("name", WIRES)
def test_every_wire_has_a_sample_whose_two_records_are_accepted(name: str) -> None:
    wire = WIRES[name]
    batch: Batch = wire.decode(request(wire, SAMPLES[name]))
    assert (len(batch.lines), batch.rejected) == (2, 0)
    assert wire.answer(batch).status // 100 == 2


# Over the real way in, up to the rows


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("wires") / "data") as made:
        yield made


PATHS = [path.replace("{token}", "TOKEN") for wire in WIRES.values() for path in wire.paths]


@pytest.mark.parametrize("path", PATHS)
def test_hostile_bodies_get_clear_answers_and_the_server_goes_on(served: House, path: str) -> None:
    here = path.replace("TOKEN", served.token)
    for name, body in HOSTILE.items():
        reply = served.post(body, here)
        assert reply.status in (202, 400), (name, reply)
        if reply.status == 400:
            answer = reply.json()
            assert answer.get("errors") or answer["error"]["message"], name
    assert served.post(b"[]", here, content_encoding="br").status == 415
    assert served.post(b"[]", here, content_encoding="gzip").status == 400
    assert served.post(gzip.compress(b"[]")[:-5], here, content_encoding="gzip").status == 400
    assert served.post(zlib.compress(bytes(65 << 20)), here, content_encoding="deflate").status == 413
    assert served.post(b"", here, content_length=str(1 << 40)).status == 413
    assert served.post(b"[]", here, method="PUT").status == 405
    refused = served.post(b"[]", path, token="wrong")
    assert refused.status == 401
    assert "token" in refused.json()["error"]["message"]
    assert refused.headers["www-authenticate"]
    sample = next(SAMPLES[wire.name] for wire in WIRES.values() if path.replace("TOKEN", "{token}") in wire.paths)
    before = served.ask("SELECT count(*) FROM records")[0][0]
    assert served.post(sample, f"{here}?n={len(path)}").status == 202
    assert served.ask("SELECT count(*) FROM records") == [(before + 2,)]


@pytest.mark.parametrize("path", PATHS)
def test_never_a_500_and_the_counts_come_out_even(served: House, path: str) -> None:
    here = path.replace("TOKEN", served.token)

    @settings(max_examples=60, deadline=None)
    @given(body=bodies)
    def post(body: bytes) -> None:
        assert served.post(body, here).status in (202, 400)

    post()
    ledger = dict(served.ask("SELECT reason, sum(records) FROM ledger GROUP BY reason"))
    assert served.ask("SELECT count(*) FROM records") == [(ledger.get("accepted", 0),)]
    assert served.ask("SELECT count(*) FROM quarantine") == [(ledger.get("quarantined", 0),)]
    assert served.ask('SELECT count(DISTINCT (segment, "offset")) FROM records') == [(ledger.get("accepted", 0),)]
