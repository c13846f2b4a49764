"""`tests/README.md` names a test for each of the blueprint's promises; each of them is there."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "tests" / "README.md").read_text()
NAMED = sorted(set(re.findall(r"`(\S+\.py)::(\w+)`", TABLE)))


@pytest.mark.parametrize(("path", "name"), NAMED, ids=[name for _, name in NAMED])
def test_a_named_test_is_there(path: str, name: str) -> None:
    source = ROOT / "tests" / path
    assert source.exists(), path
    assert re.search(rf"^(async )?def {name}\(", source.read_text(), re.MULTILINE), name


def test_every_promise_has_a_test() -> None:
    for number in range(1, 9):
        (row,) = [line for line in TABLE.splitlines() if line.startswith(f"| {number} |")]
        assert "::" in row or "later" in row, row
