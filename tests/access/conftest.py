from collections.abc import Iterator
from pathlib import Path

import pytest

from tellback.server.decisions import Decisions, open_decisions


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000 * 10**9

    def __call__(self) -> int:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += int(seconds * 10**9)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def decisions(tmp_path: Path) -> Iterator[Decisions]:
    made = open_decisions(tmp_path, "")
    yield made
    made.close()
