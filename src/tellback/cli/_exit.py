"""How a command ends."""

from typing import Final

FINE: Final = 0
FINDING: Final = 1
USAGE: Final = 2
UNREACHABLE: Final = 3
DENIED: Final = 4


class CommandError(Exception):
    """Ends the command: the message says what broke and what to do about it."""

    def __init__(self, message: str, code: int = FINDING) -> None:
        super().__init__(message)
        self.code = code
