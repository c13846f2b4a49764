"""Work of other rooms that must be done now and then: at each turn of the keeper, and before a flush ships."""

from typing import Protocol


class Chore(Protocol):
    """Something that gathers in memory what is to become records."""

    def turn(self, hurry: bool) -> None:
        """Do what is due; `hurry`: all of it. Two threads may call it at a time."""

    def end(self) -> None:
        """Recording ends, or begins anew."""


_chores: list[Chore] = []


def add(chore: Chore) -> None:
    """From now on, until `end`."""
    _chores.append(chore)


def remove(chore: Chore) -> None:
    if chore in _chores:
        _chores.remove(chore)


def run(hurry: bool = False) -> None:
    """One turn of each. Never raises."""
    for chore in tuple(_chores):
        try:
            chore.turn(hurry)
        except Exception:  # noqa: S112 - the others' turn comes all the same, and so does this one's next
            continue


def end() -> None:
    """Let go of all of them."""
    while _chores:
        chore = _chores.pop()
        try:
            chore.end()
        except Exception:  # noqa: S112 - the same
            continue
