import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(params=["data", "url"])
def where(request: pytest.FixtureRequest, server: Any) -> tuple[str, ...]:
    """Both ways to a server, which must do the same."""
    if request.param == "data":
        return ("--data", str(server.data))
    return ("--url", server.url, "--token", server.access.local_token)


def test_an_order_is_given_shown_and_taken_back(tellback: Run, where: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_text('{"disable": ["kind:log"]}')
    given = tellback("control", "set", "rules.json", "--for", "12h", *where)
    assert (given.returncode, given.stdout) == (0, "")
    shown = json.loads(tellback("control", "show", *where).stdout)
    assert shown["rules"] == {"disable": ["kind:log"]}
    assert shown["expires"] > shown["issued"]
    assert json.loads(tellback("control", "show", "--project", "other", *where).stdout)["rules"] == {}
    assert tellback("control", "clear", *where).returncode == 0
    assert json.loads(tellback("control", "show", *where).stdout)["rules"] == {}
    again = tellback("control", "clear", *where)
    assert (again.returncode, again.stdout) == (1, "")
    assert "no order" in again.stderr


def test_rules_come_as_text_and_by_standard_input(tellback: Run, where: tuple[str, ...]) -> None:
    assert tellback("control", "set", '{"disable_all": true}', "--for", "30min", *where).returncode == 0
    assert json.loads(tellback("control", "show", *where).stdout)["rules"] == {"disable_all": True}
    run = tellback("control", "set", "-", "--for", "7d", *where, stdin='{"rate": {"a": "1/s"}}')
    assert run.returncode == 0
    assert json.loads(tellback("control", "show", *where).stdout)["rules"] == {"rate": {"a": "1/s"}}


@pytest.mark.parametrize(
    ("rules", "last", "words"),
    [
        ('{"disabel": []}', "1h", "disabel: no such rule"),
        ("{", "1h", "not JSON"),
        ("no-such-file", "1h", "cannot be read"),
        ("{}", "soon", "--for: expected a time such as 30min"),
        ("{}", "91d", "90 days"),
    ],
)
def test_what_is_wrong_is_said(tellback: Run, where: tuple[str, ...], rules: str, last: str, words: str) -> None:
    run = tellback("control", "set", rules, "--for", last, *where)
    assert (run.returncode, run.stdout) == (2, "")
    assert words in run.stderr
