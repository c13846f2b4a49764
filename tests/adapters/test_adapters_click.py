"""Commands of the real click and the real typer."""

from collections.abc import Callable
from typing import Any

import click
import pytest
import typer
from click.testing import CliRunner

from tellback.adapters.click import instrument

Recorded = Callable[[], list[dict[str, Any]]]


@click.group(invoke_without_command=True)
@click.option("--show")
def rig(show: str) -> None:
    pass


@rig.command()
@click.argument("path")
@click.option("--rows", type=int, default=3)
@click.option("--password", default="hunter2")
def export(path: str, rows: int, password: str) -> int:
    if path == "boom":
        raise ValueError("no rig")
    if path == "exit":
        raise SystemExit(4)
    if path == "refuse":
        raise click.ClickException("no")
    return rows


def run(command: Any, *words: str) -> Any:
    return CliRunner().invoke(command, words, prog_name="rig")


def test_a_command_is_an_event_without_its_values(recorded: Recorded) -> None:
    assert instrument(instrument(rig)) is rig
    assert run(rig, "--show", "abc", "export", "/secret", "--rows", "5").exit_code == 0
    (event,) = recorded()
    assert (event["kind"], event["name"], event["level"]) == ("event", "rig export", "info")
    assert event["attrs"] == {"exit_code": 0, "options": ["path", "rows", "show"]}
    assert event["duration"] > 0


@pytest.mark.parametrize(("path", "code"), [("boom", 1), ("exit", 4), ("refuse", 1)])
def test_how_a_command_ends(recorded: Recorded, path: str, code: int) -> None:
    assert run(instrument(rig), "export", path).exit_code == code
    *before, event = recorded()
    assert event["attrs"]["exit_code"] == code
    assert [record["name"] for record in before] == (["ValueError"] if path == "boom" else [])
    if before:
        assert event["attrs"]["error"] == before[0]["attrs"]["id"]
        assert before[0]["attrs"]["command"] == "rig export"


def test_a_group_alone_is_one_command_and_wrong_usage_is_none(recorded: Recorded) -> None:
    assert run(instrument(rig)).exit_code == 0
    assert run(rig, "export").exit_code == 2
    assert [record["name"] for record in recorded()] == ["rig"]


def test_typer(recorded: Recorded) -> None:
    app = typer.Typer()

    @app.command()
    def load(path: str, fast: bool = False) -> None:
        if path == "boom":
            raise ValueError("no rig")
        if path == "exit":
            raise typer.Exit(3)

    @app.command()
    def other() -> None:
        pass

    command = instrument(typer.main.get_command(app))
    for words in (["load", "a", "--fast"], ["load", "exit"]):
        with pytest.raises(SystemExit):
            command(words, prog_name="rig")
    with pytest.raises(ValueError, match="no rig"):
        command(["load", "boom"], prog_name="rig", standalone_mode=False)
    first, second, error, third = recorded()
    assert (first["name"], first["attrs"]) == ("rig load", {"exit_code": 0, "options": ["fast", "path"]})
    assert (second["attrs"]["exit_code"], third["attrs"]["error"]) == (3, error["attrs"]["id"])
