"""The handler and the stand-in without the libraries they stand beside; tests/foreign has the real ones."""

import io
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import tellback
from tellback.adapters.jupyter_events import Handler
from tellback.adapters.jupyter_telemetry import EventLog
from tellback.client import live

Recorded = Callable[[], list[dict[str, Any]]]

SCHEMA: dict[str, Any] = {
    "$id": "opened", "version": 3, "type": "object", "required": ["path"],
    "properties": {"path": {"type": "string", "categories": ["secret"]}, "n": {"categories": ["unrestricted"]}},
}  # fmt: skip


def test_what_is_no_capsule_is_left_alone(recorded: Recorded) -> None:
    handler = Handler()
    for message in ("text", {"a": 1}, None, ["__schema__"], {"__schema__": 3, "__timestamp__": 5}):
        handler.handle(logging.makeLogRecord({"msg": message}))
    (record,) = recorded()
    assert record["name"] == "3"


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("2026-11-25T10:00:00.000001Z", 1795600800000001000),
        ("2026-11-25T10:00:00.000001+00:00Z", 1795600800000001000),
        ("2026-11-25T12:00:00+02:00", 1795600800000000000),
    ],
)
def test_the_times_of_capsules(recorded: Recorded, text: str, ns: int) -> None:
    Handler().handle(
        logging.makeLogRecord({"msg": {"__schema__": "s", "__timestamp__": text, "__schema_version__": 1}})
    )
    (record,) = recorded()
    assert record["time"] == ns
    assert record["attrs"] == {"tellback.schema_version": "1"}


def test_only_allowed_schemas_are_recorded(recorded: Recorded, tmp_path: Path) -> None:
    path = tmp_path / "s.json"
    path.write_text(json.dumps(SCHEMA))
    for allowed, expected in (
        ([], []),
        (["opened"], [{"path": "a", "n": 1}]),
        ({"opened": {}}, [{"path": "a", "n": 1}]),
        ({"opened": {"allowed_categories": ["other"]}}, [{"path": None, "n": 1}]),
        ({"opened": {"allowed_properties": ["path"]}}, [{"path": "a", "n": 1}]),
    ):
        before = len(recorded())
        stream = io.StringIO()
        log = EventLog([logging.StreamHandler(stream), Handler()], allowed)
        log.register_schema_file(path)
        log.record_event("opened", 3, {"path": "a", "n": 1})
        found = [record["attrs"] for record in recorded()[before:]]
        assert found == [{**attrs, "tellback.schema_version": "3"} for attrs in expected], allowed
        lines = [json.loads(line) for line in stream.getvalue().splitlines()]
        assert [{k: v for k, v in line.items() if k[:2] != "__"} for line in lines] == expected
        assert {(line["__schema_version__"], line["__metadata_version__"]) for line in lines} <= {(3, 1)}


def test_what_is_wrong_is_counted_and_strict_raises(recorded: Recorded) -> None:
    stream = io.StringIO()
    log = EventLog([logging.StreamHandler(stream)], ["opened"])
    log.register_schema(SCHEMA)
    log.record_event("opened", 3, {})
    log.record_event("opened", 4, {"path": "a"})
    assert stream.getvalue() == ""
    assert [record for record in recorded() if record["kind"] != "lost"] == []
    assert live.spool is not None
    assert live.spool.lost.total() == {"invalid": 2}
    strict = EventLog(allowed_schemas=["opened"], strict=True)
    strict.register_schema(SCHEMA)
    with pytest.raises(ValueError, match="without the required path"):
        strict.record_event("opened", 3, {})
    with pytest.raises(ValueError, match="not registered"):
        strict.record_event("opened", 4, {"path": "a"})
    with pytest.raises(ValueError, match="no version"):
        log.register_schema({"$id": "s"})
    with pytest.raises(tellback.SchemaError, match="begins with __"):
        log.register_schema({"$id": "s", "version": 1, "properties": {"__x": {}}})
