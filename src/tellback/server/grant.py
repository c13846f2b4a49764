"""What a caller may do: the answer of `access` to a token, a sign-in link or a session cookie.

It stands apart from `access` because intake and questions need to know it and neither needs the database behind it.
"""

from typing import Final

import msgspec

WRITE: Final = "write"
READ: Final = "read"
ADMIN: Final = "admin"
SCOPES = frozenset({WRITE, READ, ADMIN})

DEFAULT_PROJECT: Final = "1"


class Grant(msgspec.Struct, frozen=True):
    """`admin` may all that `read` may; neither may write records unless it says so."""

    project: str
    """Where records go that come with it."""
    token_id: str
    scopes: frozenset[str]
    reads: str | None = None
    """The one project it may ask about; None is every project. Set when a read token was made for a project."""

    def may(self, scope: str) -> bool:
        return scope in self.scopes or (scope == READ and ADMIN in self.scopes)
