"""Cells in a real IPython shell."""

import atexit
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import tellback

IPython = pytest.importorskip("IPython", reason="IPython is not installed")
from IPython.core.interactiveshell import InteractiveShell  # noqa: E402

Recorded = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def shell(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    made = InteractiveShell()
    made.history_manager.enabled = False
    yield made
    made.run_line_magic("unload_ext", "tellback.adapters.ipython")
    made.history_manager.end_session()
    atexit.unregister(made.atexit_operations)
    InteractiveShell.clear_instance()


def test_cells_errors_and_the_session(recorded: Recorded, shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    shell.run_line_magic("load_ext", "tellback.adapters.ipython")
    shell.run_cell("password = 'hunter2'\nimport tellback")
    shell.run_cell("tellback.event('opened')")
    shell.run_cell("1 / 0")
    shell.run_cell("this is no python")
    loaded, first, opened, second, error, third, *rest = recorded()
    assert (loaded["name"], loaded["attrs"]) == ("ipython.session", {"shell": "InteractiveShell"})
    assert (first["name"], first["attrs"]["success"], first["attrs"]["lines"]) == ("ipython.cell_run", True, 2)
    assert first["duration"] > 0
    assert (opened["name"], second["attrs"]["success"]) == ("opened", True)
    assert (error["kind"], error["name"]) == ("error", "ZeroDivisionError")
    assert (third["attrs"]["success"], third["attrs"]["error"]) == (False, error["attrs"]["id"])
    assert rest[-1]["attrs"]["success"] is False
    sessions = {record["session"] for record in (loaded, first, opened, error, third, *rest)}
    assert len(sessions) == 1
    assert not [record for record in recorded() if record["kind"] == "event" and "hunter2" in str(record)]
    assert "hunter2" not in capsys.readouterr().err


def test_unloaded_it_is_quiet(recorded: Recorded, shell: Any) -> None:
    shell.run_line_magic("load_ext", "tellback.adapters.ipython")
    shell.run_line_magic("unload_ext", "tellback.adapters.ipython")
    shell.run_cell("1")
    assert [record["name"] for record in recorded()] == ["ipython.session"]
    assert tellback.flush(0) is False
