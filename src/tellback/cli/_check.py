"""One finding of `tellback doctor`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    what: str
    good: bool
    words: str
    """What is found, and if it is not good what to do."""
