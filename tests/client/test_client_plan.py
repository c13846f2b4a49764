"""`tellback plan check`: schemas by themselves, and versions against each other."""

import argparse
import json
from pathlib import Path
from typing import Any

import pytest

from tellback.cli import plan
from tellback.client.schemas.compatibility import breaks, in_order
from tellback.client.schemas.document import document

BASE: dict[str, Any] = {
    "$id": "export",
    "version": 1,
    "properties": {
        "rows": {"type": "integer", "minimum": 0},
        "format": {"enum": ["csv", "xlsx"]},
        "who": {"type": "object", "properties": {"name": {"type": "string"}}},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["rows"],
}


def changed(**properties: Any) -> dict[str, Any]:
    kept = {**BASE["properties"], **properties}
    return {**BASE, "version": 2, "properties": {name: node for name, node in kept.items() if node is not None}}


@pytest.mark.parametrize(
    ("new", "where", "what"),
    [
        (changed(format=None), "/properties/format", "the property is gone"),
        ({**changed(), "required": ["rows", "format"]}, "/properties/format", "newly required"),
        (changed(rows={"type": "string", "minimum": 0}), "/properties/rows", "the type was integer, is string"),
        (changed(rows={"type": ["integer", "null"], "minimum": 0}), "/properties/rows", "is integer or null"),
        (changed(format={"enum": ["csv"]}), "/properties/format", "no longer allowed: 'xlsx'"),
        (changed(format={"const": "csv"}), "/properties/format", "no longer allowed: 'xlsx'"),
        (changed(rows={"type": "integer", "minimum": 5}), "/properties/rows", "minimum was 0, is 5"),
        (changed(rows={"type": "integer", "minimum": 0, "maximum": 9}), "/properties/rows", "not set, is 9"),
        (changed(rows={"type": "integer", "minimum": 0, "enum": [1]}), "/properties/rows", "only certain values"),
        (changed(who={"type": "object", "properties": {}}), "/properties/who/properties/name", "gone"),
        (changed(tags={"type": "array", "items": {"type": "integer"}}), "/properties/tags/items", "was string"),
        (changed(tags={**BASE["properties"]["tags"], "uniqueItems": True}), "/properties/tags", "unique"),
        ({**changed(), "additionalProperties": False}, "/", "are forbidden now"),
    ],
    ids=range(13),
)  # fmt: skip
def test_what_breaks(new: dict[str, Any], where: str, what: str) -> None:
    (found,) = breaks(document(BASE), document(new))
    assert found.where == where
    assert what in found.what
    # The same behind a $ref.
    moved = {**new, "$defs": new["properties"], "properties": {n: {"$ref": f"#/$defs/{n}"} for n in new["properties"]}}
    assert breaks(document(BASE), document(moved)) == [found]


@pytest.mark.parametrize(
    "new",
    [
        changed(),
        changed(colour={"type": "string"}),
        changed(format={"enum": ["csv", "xlsx", "pdf"]}),
        changed(rows={"type": "integer", "minimum": -5}),
        {**changed(), "required": []},
    ],
    ids=range(5),
)
def test_what_breaks_nothing(new: dict[str, Any]) -> None:
    assert breaks(document(BASE), document(new)) == []


def test_a_schema_that_refers_to_itself_ends() -> None:
    tree = {"$id": "t", "version": 1, "properties": {"of": {"$ref": "#"}}}
    assert breaks(document(tree), document({**tree, "version": 2})) == []


def test_versions_are_ordered_as_people_do() -> None:
    versions = ["10", "2", "1.10", "1.9", "2026-01-02", "1.9-beta"]
    made = [document({"$id": "e", "version": version}) for version in versions]
    assert [one.version for one in in_order(made)] == ["1.9", "1.9-beta", "1.10", "2", "10", "2026-01-02"]


def run(*files: Path) -> int:
    parser = argparse.ArgumentParser()
    plan.configure(parser)
    return plan.run(parser.parse_args(["check", *map(str, files)]))


def write(folder: Path, name: str, schema: Any) -> Path:
    path = folder / name
    path.write_text(schema if isinstance(schema, str) else json.dumps(schema))
    return path


def test_good_ones_are_fine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [write(tmp_path, "1.json", BASE), write(tmp_path, "2.json", changed(new={})),
             write(tmp_path, "o.yaml", "$id: other\nversion: 1\n")]  # fmt: skip
    assert run(*files) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "3 files, 2 events, 0 findings.\n")


def test_findings_are_lines_and_end_with_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    two = write(tmp_path, "2.json", changed(format=None))
    one = write(tmp_path, "1.json", BASE)
    three = write(tmp_path, "3.json", {**changed(format=None), "version": 10})
    assert run(two, three, one) == 1
    said = capsys.readouterr()
    assert said.out == f"{two}: /properties/format: the property is gone (version 1 -> 2)\n"
    assert said.err == "3 files, 1 event, 1 finding.\n"


def test_what_is_no_schema_is_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [
        write(tmp_path, "a.json", "{"),
        write(tmp_path, "b.json", {"$id": "b"}),
        write(tmp_path, "c.json", {"$id": "c", "version": 1, "properties": {"x": {"type": "int"}}}),
        write(tmp_path, "d.json", {"$id": "d", "version": 1, "title": 3}),
        write(tmp_path, "e.json", {**BASE, "title": "another"}),
        write(tmp_path, "f.json", BASE),
        write(tmp_path, "slow.json", {"$id": "slow", "version": 1, "unevaluatedProperties": False}),
        tmp_path / "gone.json",
    ]
    assert run(*files) == 1
    said = capsys.readouterr()
    out = {line.split(": ")[0].rsplit("/", 1)[1]: line for line in said.out.splitlines()}
    assert set(out) == {"a.json", "b.json", "c.json", "d.json", "f.json", "gone.json"}
    assert "/title" in out["d.json"]
    assert "e.json says 1 too, and differs" in out["f.json"]
    assert "/properties/x/type" in out["c.json"]
    assert "slow.json: checked by jsonschema-rs" in said.err
