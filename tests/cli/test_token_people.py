import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tellback.server.people import directory

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(params=["data", "url"])
def where(request: pytest.FixtureRequest, server: Any) -> tuple[str, ...]:
    """Both ways to a server, which must do the same."""
    if request.param == "data":
        return ("--data", str(server.data))
    return ("--url", server.url, "--token", server.access.local_token)


def test_a_new_token_is_all_that_is_printed(tellback: Run, where: tuple[str, ...], server: Any) -> None:
    run = tellback("token", "new", "--write", "--read", "--project", "rigs", *where)
    assert (run.returncode, run.stderr) == (0, "")
    assert re.fullmatch(r"[A-Za-z0-9]{34}\n", run.stdout)
    server.access._version = None
    grant = server.access.authenticate(run.stdout.strip())
    assert (grant.project, grant.scopes) == ("rigs", {"read", "write"})


def test_tokens_are_listed_and_revoked(tellback: Run, where: tuple[str, ...], server: Any) -> None:
    made = server.access.new_token(["read"], "rigs")
    listed = tellback("token", "list", *where)
    assert made.token not in listed.stdout
    assert re.search(rf"^{made.id}\s+read\s+rigs\s", listed.stdout, re.MULTILINE)
    revoked = tellback("token", "revoke", made.id, *where)
    assert (revoked.returncode, revoked.stdout) == (0, "")
    again = tellback("token", "revoke", made.id, *where)
    assert (again.returncode, again.stdout) == (1, "")
    assert json.loads(tellback("token", "list", "--format", "json", *where).stdout)[0]["revoked"]


def test_people_are_imported_and_bad_lines_named(
    tellback: Run, where: tuple[str, ...], server: Any, tmp_path: Path
) -> None:
    (tmp_path / "people.csv").write_bytes("\ufeffuser;team;site\r\nann;rig;Köln\r\n;fx\r\n".encode())
    run = tellback("people", "import", "people.csv", *where)
    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == "people.csv:3: no user\n1 people imported, 1 bad line\n"
    assert [person.extra for person in directory.people(server.decisions)] == [{"site": "Köln"}]
    good = tellback("people", "import", "-", *where, stdin="user,team\nbob,rig\n")
    assert (good.returncode, good.stderr) == (0, "1 people imported\n")
    listed = tellback("people", "list", *where)
    assert listed.stdout == "user  team  name\n----  ----  ----\nbob   rig\n"
    assert json.loads(tellback("people", "list", "--format", "json", *where).stdout)[0]["user"] == "bob"


def test_a_file_that_cannot_be_used_changes_nothing(tellback: Run, where: tuple[str, ...], server: Any) -> None:
    directory.import_csv(server.decisions, b"user,team\nann,rig\n")
    for name, text in (("-", ""), ("-", "a,b\n"), ("nowhere.csv", "")):
        run = tellback("people", "import", name, *where, stdin=text)
        assert run.returncode in (1, 2)
        assert run.stderr.startswith("tellback: ")
    assert [person.user for person in directory.people(server.decisions)] == ["ann"]


def test_the_folder_that_serve_makes_by_itself_is_found_by_itself(tellback: Run, tmp_path: Path) -> None:
    (tmp_path / "tellback-data").mkdir()
    assert tellback("token", "new", "--write").returncode == 0
    assert len(tellback("token", "list").stdout.splitlines()) == 3
