"""Events with schemas: what is recorded, what is counted, what is said."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from intake_stub import Server
from spool_files import lines

import tellback
from tellback.client import live
from tellback.client.schemas.load import load

Recorded = Callable[[], list[dict[str, Any]]]

EXPORT: dict[str, Any] = {
    "$id": "export_to_file_edit",
    "version": 1,
    "title": "A person exported a table.",
    "type": "object",
    "owner": "rigging",
    "properties": {
        "rows": {"type": "integer", "minimum": 0},
        "path": {"type": "string", "maxLength": 200, "categories": ["user-identifiable-information"]},
        "format": {"enum": ["csv", "xlsx"], "categories": ["unrestricted"]},
        "user": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
    },
    "required": ["rows"],
    "additionalProperties": False,
}


@pytest.fixture
def events(recorded: Recorded) -> Recorded:
    """What was recorded, without what the keeper tells of losses whenever it comes to it."""
    return lambda: [record for record in recorded() if record["kind"] == "event"]


def own(record: dict[str, Any]) -> dict[str, Any]:
    attrs: dict[str, Any] = dict(record["attrs"])
    assert attrs.pop("tellback.schema_version") == "1"
    return attrs


def test_an_event_is_recorded_under_its_id_and_version(recorded: Recorded) -> None:
    emit = tellback.schema(EXPORT)
    emit(rows=3, path="/out/a.ma", format="csv", user={"name": "guido"})
    emit(3, "/out/a.ma", "csv")
    emit(4)
    emit.record({"rows": 5}, time=7, user="ada")
    first, second, third, fourth = recorded()
    assert (first["kind"], first["name"]) == ("event", "export_to_file_edit")
    assert own(first) == {"rows": 3, "path": "/out/a.ma", "format": "csv", "user": {"name": "guido"}}
    assert own(second) == {"rows": 3, "path": "/out/a.ma", "format": "csv"}
    assert own(third) == {"rows": 4}
    assert (fourth["time"], fourth["user"], own(fourth)) == (7, "ada", {"rows": 5})
    assert (emit.id, emit.version, emit.compiled, emit.why) == ("export_to_file_edit", "1", True, "")
    assert "exported" in str(emit.__doc__)


def test_what_is_bound_comes_along_and_the_event_wins(recorded: Recorded) -> None:
    emit = tellback.schema(EXPORT)
    with tellback.bound(user="guido", shot="sq10"):
        emit(rows=1)
    with tellback.bound(rows="bound", shot="sq10"):
        emit(rows=2)
    first, second = recorded()
    assert (first["user"], own(first)) == ("guido", {"rows": 1, "shot": "sq10"})
    assert own(second) == {"rows": 2, "shot": "sq10"}


def test_what_json_cannot_hold_as_it_is_is_altered_and_says_so(recorded: Recorded) -> None:
    emit = tellback.schema(EXPORT)
    emit(rows=2**64, path="\udcff")
    (record,) = recorded()
    assert record["attrs"]["rows"] == str(2**64)
    assert record["attrs"]["tellback.altered"] == ["rows", "path"]


@pytest.mark.parametrize(
    ("args", "data", "reason"),
    [
        ((), {}, "without the required rows"),
        ((), {"rows": "3"}, "/rows: not of type integer"),
        ((), {"rows": True}, "/rows: not of type integer"),
        ((), {"rows": -1}, "/rows: beyond its minimum"),
        ((), {"rows": float("nan")}, "/rows: not of type integer"),
        ((), {"rows": 1, "format": "pdf"}, "/format: not one of its enum"),
        ((), {"rows": 1, "secret": "hunter2"}, "has a property that the schema does not know"),
        ((), {"rows": 1, "user": {"name": 3}}, "/user/name: not of type string"),
        ((), {"rows": 1, "path": Path("/a")}, "/path: not of type string"),
        ((1, "/a", "csv", {"name": "x"}, 5), {}, "more values than the schema has properties"),
    ],
    ids=range(10),
)
def test_an_invalid_event_never_raises_and_is_counted_with_its_reason(
    recorded: Recorded, args: Any, data: dict[str, Any], reason: str
) -> None:
    emit = tellback.schema(EXPORT)
    emit(*args, **data)
    emit(*args, **data)
    assert live.spool is not None
    assert live.spool.lost.total() == {"invalid": 2}
    tellback.close(0)  # which tells what is not told yet
    told = recorded()
    assert {(record["kind"], record["name"]) for record in told} == {("lost", "invalid")}
    assert sum(record["value"] for record in told) == 2
    lost = told[0]
    assert lost["attrs"] == {"schema": "export_to_file_edit", "version": "1", "reason": reason}
    strict = tellback.schema(EXPORT, strict=True)
    with pytest.raises(tellback.InvalidEventError, match=r"^export_to_file_edit version 1: " + reason):
        strict(*args, **data)


def test_reasons_never_hold_what_the_event_held(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    for keyword in ({}, {"unevaluatedProperties": False}):  # compiled, and by jsonschema-rs
        emit = tellback.schema({**EXPORT, "$id": f"e{len(keyword)}", **keyword})
        emit(rows=1, hunter2="hunter2")
        emit(rows="hunter2")
        emit(rows=1, user={"name": {"hunter2": 1}})
    tellback.close(0)
    told = [(record["kind"], record["attrs"]["reason"]) for record in recorded()]
    assert {kind for kind, _ in told} == {"lost"}
    assert len({reason for _, reason in told}) == 6
    assert "hunter2" not in json.dumps(recorded()) + caplog.text


def test_what_is_not_a_dict_is_invalid(recorded: Recorded) -> None:
    emit = tellback.schema(EXPORT, strict=True)
    with pytest.raises(tellback.InvalidEventError, match="not an object"):
        emit.record([("rows", 1)])  # type: ignore[arg-type]
    with pytest.raises(tellback.InvalidEventError, match="no field of a record: colour"):
        emit.record({"rows": 1}, colour="red")
    with pytest.raises(tellback.InvalidEventError, match="nested too deeply"):
        deep: Any = {}
        for _ in range(5000):
            deep = {"of": deep}
        tellback.schema(
            {"$id": "deep", "version": 1, "properties": {"of": {"$ref": "#/$defs/d"}},
             "$defs": {"d": {"type": "object", "properties": {"of": {"$ref": "#/$defs/d"}}}}}, strict=True,
        ).record(deep)  # fmt: skip
    assert recorded() == []


def test_strict_raises_before_init_and_the_others_are_quiet() -> None:
    tellback.schema(EXPORT)(rows="x")
    tellback.schema(EXPORT)(rows=1)
    strict = tellback.schema(EXPORT, strict=True)
    strict(rows=1)
    with pytest.raises(tellback.InvalidEventError):
        strict(rows="x")


def test_two_versions_side_by_side(recorded: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    one, two = tellback.schema({**EXPORT, "$id": "two"}), tellback.schema({"$id": "two", "version": "2.0"})
    one(rows=1)
    two(anything="goes")
    assert [(r["name"], r["attrs"]["tellback.schema_version"]) for r in recorded()] == [("two", "1"), ("two", "2.0")]
    assert caplog.text == ""
    tellback.schema({"$id": "two", "version": "2.0", "properties": {"x": True}})
    assert "Two different schemas call themselves two version 2.0" in caplog.text


def test_names_that_are_no_parameters(recorded: Recorded) -> None:
    names = ("a-b", "class", "_t_live", "name", "self", "emit", "spool", "ﬁ", "fi", "")
    emit = tellback.schema({"$id": "odd", "version": 1, "properties": {name: {"type": "integer"} for name in names}})
    data = {name: number for number, name in enumerate(names)}
    emit(**data)
    emit(name=1, spool=2)
    emit.record(data)
    emit(7, 8)
    emit(*range(10))
    assert [own(record) for record in recorded()] == [data, {"name": 1, "spool": 2}, data, {"a-b": 7, "class": 8}, data]


def test_the_red_button_counts_what_it_holds_back(spool: Path, tmp_path: Path) -> None:
    button = tmp_path / "button.json"
    button.write_text('{"disable_all": true}')
    tellback.init("s", spool=spool, config=button)
    emit = tellback.schema(EXPORT)
    emit(rows=1)
    emit(rows="x")
    assert lines(spool) == []


def test_categories_become_null_when_they_are_not_allowed(events: Recorded) -> None:
    emit = tellback.schema(EXPORT, categories=[], properties=["rows"])
    emit(rows=1, path="/home/guido", format="csv")
    emit(rows=1, path="/home/guido")
    emit(rows=1)
    emit(rows=1, path=5)  # what is not recorded is checked all the same
    allowed = tellback.schema(EXPORT, categories=["user-identifiable-information"])
    allowed(rows=1, path="/home/guido", format="csv")
    assert [own(record) for record in events()] == [
        {"rows": 1, "path": None, "format": "csv"},
        {"rows": 1, "path": None},
        {"rows": 1},
        {"rows": None, "path": "/home/guido", "format": "csv"},
    ]


def test_categories_of_nested_properties(events: Recorded) -> None:
    secret, free = {"categories": ["secret"]}, {"categories": ["unrestricted"]}
    person = {"type": "object", "properties": {"name": secret, "role": free, "note": {}}}
    schema = {
        "$id": "nested", "version": 1, "$defs": {"person": person},
        "properties": {
            "who": {"$ref": "#/$defs/person", **free},
            "team": {"type": "array", "items": {"$ref": "#/$defs/person"}, **free},
            "boss": {**person, **secret},
            "undeclared": {"type": "object", "properties": {"role": free}},
            "split": {"allOf": [{"properties": {"name": secret}}], **free},
        },
    }  # fmt: skip
    someone = {"name": "guido", "role": "td", "note": "n"}
    event = {"who": someone, "team": [someone], "boss": someone, "undeclared": someone, "split": someone}
    heard: list[Any] = []
    emit = tellback.schema(schema, categories=["other"])
    emit.record(event)
    hidden = {**someone, "name": None}
    expected = {"who": hidden, "team": [hidden], "boss": None, "undeclared": None, "split": hidden}
    assert own(events()[0]) == expected
    emit.add_listener(lambda _, data: heard.append(data), categories=["secret"])
    emit.add_listener(lambda _, data: heard.append(data), categories=[], properties=["boss"])
    emit.add_listener(lambda _, data: heard.append(data))
    emit(**event)
    assert heard == [{**event, "undeclared": None}, {**expected, "boss": someone}, event]
    assert own(events()[1]) == expected
    assert someone["name"] == "guido"


def test_modifiers_and_listeners(events: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    emit = tellback.schema(EXPORT)
    heard: list[Any] = []

    def modifier(id_: str, data: dict[str, Any]) -> dict[str, Any]:
        data["path"] = id_
        return data

    def broken(id_: str, data: dict[str, Any]) -> dict[str, Any]:
        raise OSError("no")

    def listener(id_: str, data: dict[str, Any]) -> None:
        heard.append((id_, data))

    given = {"rows": 1}
    emit.add_modifier(modifier)
    emit.add_listener(broken)
    emit.add_listener(listener)
    emit.record(given)
    emit(rows=1)
    emit(rows="x")
    assert given == {"rows": 1}
    assert heard == [("export_to_file_edit", {"rows": 1, "path": "export_to_file_edit"})] * 2
    assert "A listener to export_to_file_edit raised OSError" in caplog.text
    emit.remove_modifier(modifier)
    emit.remove_listener(broken)
    emit.remove_listener(listener)
    emit(rows=1)
    assert [own(record) for record in events()] == [{"rows": 1, "path": "export_to_file_edit"}] * 2 + [{"rows": 1}]
    assert len(heard) == 2
    emit.add_modifier(broken)
    emit(rows=1)
    assert live.spool is not None
    assert live.spool.lost.total() == {"invalid": 2}
    with pytest.raises(OSError):
        strict = tellback.schema(EXPORT, strict=True)
        strict.add_modifier(broken)
        strict(rows=1)


def test_what_cannot_be_compiled_falls_back_and_says_so(events: Recorded, caplog: pytest.LogCaptureFixture) -> None:
    emit = tellback.schema({**EXPORT, "$id": "slow", "properties": {"rows": {"pattern": "(a+)+$"}}})
    assert not emit.compiled
    assert "pattern '(a+)+$' at /properties/rows" in emit.why
    assert "The schema slow version 1 is checked by jsonschema-rs" in caplog.text
    emit(rows="aaa")
    emit(rows="b")
    assert [own(record) for record in events()] == [{"rows": "aaa"}]
    tellback.close(0)
    assert "Events slow version 1 were not recorded: not as properties/rows/pattern says" in caplog.text


@pytest.mark.parametrize("hidden", ["jsonschema_rs", "yaml"])
def test_without_the_extra_the_error_names_it(tmp_path: Path, hidden: str) -> None:
    (tmp_path / f"{hidden}.py").write_text(f"raise ModuleNotFoundError('gone', name={hidden!r})")
    (tmp_path / "s.yaml").write_text('$id: s\nversion: 1\nproperties: {a: {pattern: "(a+)+"}}\n')
    code = "import tellback; tellback.schema('s.yaml')"
    path = f"{tmp_path}:{Path(tellback.__file__).parents[1]}"
    run = [sys.executable, "-c", code]
    done = subprocess.run(run, cwd=tmp_path, env={"PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert "SchemaError" in done.stderr
    assert "pip install 'tellback[schemas]'" in done.stderr


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"version": 1}, r"no \$id"),
        ({"$id": "s"}, "no version"),
        ({"$id": "s", "version": True}, "no version"),
        ({"$id": "s" * 5000, "version": 1}, "longer than"),
        ({"$id": "s", "version": 1, "type": "array"}, '"object"'),
        ({"$id": "s", "version": 1, "properties": []}, "properties must be"),
        ({"$id": "s", "version": 1, "properties": {"__x": {}}}, "__x"),
        ({"$id": "s", "version": 1, "properties": {"tellback.x": {}}}, "reserved"),
        ({"$id": "s", "version": 1, "properties": {"a": {"type": "int"}}}, "/properties/a/type: 'int' is no type"),
        ({"$id": "s", "version": 1, "properties": {"a": {"minimum": "0"}}}, "/properties/a/minimum has the wrong type"),
        ({"$id": "s", "version": 1, "properties": {"a": {"minLength": -1}}}, "not negative"),
        ({"$id": "s", "version": 1, "properties": {"a": {"multipleOf": 0}}}, "greater than 0"),
        ({"$id": "s", "version": 1, "properties": {"a": {"anyOf": []}}}, "must not be empty"),
        ({"$id": "s", "version": 1, "properties": {"a": {"items": [{}]}}}, "prefixItems"),
        ({"$id": "s", "version": 1, "properties": {"a": 3}}, "must be a schema"),
        ({"$id": "s", "version": 1, "properties": {"a": {"$ref": "#/$defs/gone"}}}, "which is not there"),
        ({"$id": "s", "version": 1, "properties": {"a": {"pattern": "("}}}, "no schema"),
        ({"$id": "s", "version": 1, "x": object()}, "what JSON cannot"),
        (3, "not as int"),
        ("{}", "not as its text"),
        ("nowhere.json", "cannot be read"),
    ],
    ids=range(21),
)
def test_a_schema_that_is_none_says_what_is_wrong_and_where(schema: Any, words: str) -> None:
    with pytest.raises(tellback.SchemaError, match=words):
        tellback.schema(schema)


def test_from_files_and_a_url(tmp_path: Path, server: Server) -> None:
    import yaml

    (tmp_path / "s.json").write_text(json.dumps(EXPORT))
    (tmp_path / "s.yaml").write_text(yaml.safe_dump(EXPORT))
    (tmp_path / "bad.json").write_text("{")
    (tmp_path / "bad.yaml").write_text("a: [")
    for name in ("s.json", "s.yaml"):
        assert load(tmp_path / name).body == EXPORT
        assert load(str(tmp_path / name)).version == "1"
    for name in ("bad.json", "bad.yaml"):
        with pytest.raises(tellback.SchemaError, match=f"{name} is no "):
            load(tmp_path / name)
    with Files(tmp_path) as url:
        assert load(f"{url}/s.json").body == EXPORT
        assert load(f"{url}/s.yaml?raw=1").body == EXPORT
        with pytest.raises(tellback.SchemaError, match="gives no schema"):
            load(f"{url}/gone.json")
    with pytest.raises(tellback.SchemaError, match="gives no schema"):
        load(f"{url}/s.json")


def test_a_host_s_own_keys_are_not_asked(recorded: Recorded) -> None:
    class Key:
        def __hash__(self) -> int:
            return hash("a")

        def __eq__(self, other: object) -> bool:
            raise AssertionError("the host's code ran")

    for schema in ({"required": ["a"]}, {"dependentRequired": {"a": ["b"]}}, {"propertyNames": {"const": "a"}}):
        emit = tellback.schema({"$id": "keys", "version": str(schema), "properties": {"x": schema}}, strict=True)
        with pytest.raises(tellback.InvalidEventError, match="a key that is no text"):
            emit(x={Key(): 1})
    assert recorded() == []


class Files:
    """A folder behind a real HTTP server."""

    def __init__(self, folder: Path) -> None:
        from functools import partial
        from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

        class Quiet(SimpleHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))

    def __enter__(self) -> str:
        import threading

        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return f"http://127.0.0.1:{self.server.server_port}"

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


def test_nothing_of_it_is_imported_before_it_is_used() -> None:
    code = "import sys, tellback; tellback.event('e'); print([n for n in sys.modules if 'schemas' in n])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={"PYTHONPATH": str(Path(tellback.__file__).parents[1])})  # fmt: skip
    assert done.stdout == "[]\n"


def test_a_reason_with_many_faces_stays_few(recorded: Recorded) -> None:
    from tellback.client.lost import MOST, Lost

    lost = Lost()
    for number in range(MOST + 50):
        lost.add("invalid", attrs={"reason": str(number)})
    assert lost.total() == {"invalid": MOST + 50}
    assert len(lost.untold()) == MOST + 1
