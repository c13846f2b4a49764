"""Events with a schema from the call to the answer: what fits is there, what does not is counted."""

from pathlib import Path

from tests.server.running import Running, until
from tests.whole.programs import environment, finish
from tests.whole.test_way import ask

PROGRAM = """
    import logging
    import tellback

    logging.getLogger("tellback").setLevel(logging.ERROR)
    exported = tellback.schema({
        "$id": "export", "version": 2, "required": ["rows"], "additionalProperties": False,
        "properties": {"rows": {"type": "integer"}, "path": {"categories": ["user-identifiable-information"]}},
    }, categories=["unrestricted"], properties=["rows"])
    tellback.init(service="rigtools", user="guido")
    exported(rows=1200, path="/home/guido/a.ma")
    for n in range(3):
        exported(rows=str(n))
    exported(rows=1, password="hunter2")
    tellback.close(timeout=30)
"""


def test_what_fits_is_there_and_what_does_not_is_counted_with_its_reason(tmp_path: Path) -> None:
    with Running(tmp_path / "data") as server:
        finish(PROGRAM, environment(f"http://127.0.0.1:{server.port}", server.token, tmp_path / "spool"))
        until(lambda: len(ask(server, "records.search")) >= 3)
        (event,) = ask(server, "records.search", kind="event")
        assert (event["name"], event["user"]) == ("export", "guido")
        assert event["attrs"] == {"rows": 1200, "path": None, "tellback.schema_version": "2"}
        lost = ask(server, "records.search", kind="lost")
        counts: dict[str, float] = {}
        for record in lost:
            assert (record["name"], record["attrs"]["schema"], record["attrs"]["version"]) == ("invalid", "export", "2")
            counts[record["attrs"]["reason"]] = counts.get(record["attrs"]["reason"], 0) + record["value"]
        assert counts == {"/rows: not of type integer": 3, "has a property that the schema does not know": 1}
        ledger = {row["reason"]: row["records"] for row in ask(server, "store.ledger")}
        assert ledger["dropped:invalid"] == 4
        assert ledger["difference"] == 0
        assert "hunter2" not in str(ask(server, "records.search"))
