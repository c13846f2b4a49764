"""The command as a whole: exit codes, what goes where, what is imported."""

import ast
import subprocess
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from tellback import cli
from tellback.version import __version__

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Start = Callable[..., "subprocess.Popen[str]"]


@pytest.mark.parametrize("name", cli.commands())
def test_every_command_has_the_contract(name: str) -> None:
    module = import_module(f"tellback.cli.{name}")
    assert module.HELP
    assert "\n" not in module.HELP
    assert callable(module.configure)
    assert callable(module.run)


@pytest.mark.parametrize("path", sorted(Path(cli.__file__).parent.glob("[!_]*.py")), ids=lambda path: path.stem)
def test_a_command_imports_the_server_only_when_it_runs(path: Path) -> None:
    top = [node for node in ast.parse(path.read_text()).body if isinstance(node, ast.Import | ast.ImportFrom)]
    names = [node.module or "" if isinstance(node, ast.ImportFrom) else node.names[0].name for node in top]
    assert not [name for name in names if name.startswith("tellback.server")]


def test_the_version_is_the_one_there_is(tellback: Run) -> None:
    run = tellback("--version")
    assert (run.returncode, run.stdout, run.stderr) == (0, f"tellback {__version__}\n", "")


def test_no_command_or_a_wrong_one_is_usage(tellback: Run) -> None:
    for words in ((), ("nope",), ("token",), ("token", "new"), ("people",), ("ask", "x", "--param", "y"),
                  ("ask", "--param", "a=b"), ("ask", "x", "--url", "ftp://x"), ("ask", "--data", "nowhere"),
                  ("ask", "--data", ".", "--url", "http://x")):  # fmt: skip
        run = tellback(*words)
        assert run.returncode == 2, words
        assert run.stdout == ""
        assert run.stderr


def test_help_names_every_command(tellback: Run) -> None:
    run = tellback("--help")
    assert run.returncode == 0
    assert all(name in run.stdout for name in cli.commands())


def test_what_the_server_brings_is_named_when_it_is_missing(in_process: Start, tmp_path: Path) -> None:
    hidden = tmp_path / "hide"
    hidden.mkdir()
    (hidden / "sqlalchemy.py").write_text("raise ModuleNotFoundError('gone', name='sqlalchemy')")
    process = in_process(
        "import sys; from tellback.cli import main; sys.exit(main(['token', 'list', '--data', '.']))", hidden
    )
    _, error = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "pip install 'tellback[server]'" in error


def test_asking_a_server_needs_nothing_but_the_client(in_process: Start) -> None:
    process = in_process(
        "import sys; from tellback.cli import main; code = main(['ask', 'x', '--url', 'http://127.0.0.1:9']);"
        "print(code, [n for n in sys.modules if n in ('duckdb', 'sqlalchemy', 'starlette', 'msgspec')])"
    )
    out, error = process.communicate(timeout=60)
    assert out == "3 []\n", error


def test_a_reader_that_has_seen_enough_is_no_error(in_process: Start) -> None:
    process = in_process("import sys; from tellback.cli import main; sys.exit(main(['ask', '--data', '.']))")
    assert process.stdout
    process.stdout.close()
    assert process.stderr
    error = process.stderr.read()
    process.stderr.close()
    assert (process.wait(60), error) == (1, "")
