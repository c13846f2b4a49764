"""The pins: every version, every hash, no address; and what builds the wheel is the same in both places."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PINS = sorted((ROOT / "requirements").rglob("*.txt"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def pinned(path: Path) -> set[str]:
    return set(re.findall(r"^([A-Za-z0-9._-]+)==", path.read_text(), re.MULTILINE))


@pytest.mark.parametrize("path", PINS, ids=lambda path: path.stem)
def test_every_requirement_has_a_version_and_a_hash_and_no_address(path: Path) -> None:
    text = path.read_text()
    assert "://" not in text
    requirements = re.split(r"\n(?=\S)", text.strip())
    for requirement in requirements:
        assert re.match(r"[A-Za-z0-9._-]+==\S+", requirement), requirement
        assert "--hash=sha256:" in requirement, requirement


def test_what_builds_the_wheel_is_pinned() -> None:
    required = set(PROJECT["build-system"]["requires"])
    listed = {line for line in (ROOT / "requirements/build.in").read_text().splitlines() if line[:1] not in ("", "#")}
    assert listed - required == {"editables"}
    assert required <= listed


def test_what_the_other_extras_need_is_pinned_for_the_tests() -> None:
    wanted = PROJECT["project"]["optional-dependencies"]["schemas"]
    assert {re.split(r"[>=<;\s\[]", line)[0] for line in wanted} <= pinned(ROOT / "requirements/test.txt")


def test_what_the_server_needs_is_pinned() -> None:
    wanted = PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["server"]
    names = {re.split(r"[>=<;\s\[]", line)[0] for line in wanted}
    assert names <= pinned(ROOT / "requirements/server.txt")
    assert pinned(ROOT / "requirements/server.txt") <= pinned(ROOT / "requirements/test.txt")
