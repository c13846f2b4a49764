"""What the pages need from the other rooms, and nothing more: `app.py` hands it in as one `Web`.

The pages know no store, no SQL and no table of tokens. They ask questions by name and get the contract's JSON, and
they show in words whatever was refused.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Params = Mapping[str, Sequence[str]]
"""A question's parameters as they stand in an address: each name with all its values."""

Answer = Mapping[str, Any]
"""`{"question", "range": {"from", "to", "zone"}, "complete": {"through", "missing", "dropped"}, "rows", "next"}`."""

SESSION_COOKIE = "tellback_session"


class Grant(Protocol):
    """Who is asking."""

    @property
    def project(self) -> str: ...
    @property
    def token_id(self) -> str: ...
    @property
    def scopes(self) -> frozenset[str]: ...


class Refused(Exception):  # noqa: N818  # a refusal is an answer; the contract calls its shape an error already
    """A question or an order that was not carried out, in the contract's words.

    `code` is for programs (`unknown_parameter`), `message` says what is wrong and what to do, `where` names the place
    (a parameter, a line) or is None. `status` is the HTTP status that a page answers with.
    """

    def __init__(self, code: str, message: str, where: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.where, self.status = code, message, where, status


class Token(Protocol):
    """One token as Settings lists it. Times are RFC 3339 text; None means never."""

    @property
    def id(self) -> str: ...
    @property
    def project(self) -> str: ...
    @property
    def scopes(self) -> frozenset[str]: ...
    @property
    def created(self) -> str: ...
    @property
    def last_used(self) -> str | None: ...
    @property
    def revoked(self) -> str | None: ...


class Imported(Protocol):
    """What an import of people did: rows taken, and the bad lines as (line number, reason)."""

    @property
    def imported(self) -> int: ...
    @property
    def bad(self) -> Sequence[tuple[int, str]]: ...


class Ask(Protocol):
    """Answers a question for somebody: a grant sees its own project only. Raises `Refused`.

    Cancelling the call cancels the query: the pages do so when the browser has left.
    """

    def __call__(self, grant: Grant, name: str, params: Params, /) -> Awaitable[Answer]: ...


@dataclass(frozen=True)
class Access:
    """Sign-in and tokens. All of these may do I/O; the pages call them on a worker thread."""

    redeem: Callable[[str], str | None]
    """A sign-in link's code -> the session's cookie; None when the code is unknown, used or too old."""
    sign_in: Callable[[str], str | None]
    """A read or admin token -> the session's cookie; None when it may not see pages."""
    session: Callable[[str], Grant | None]
    sign_out: Callable[[str], None]
    list_tokens: Callable[[], Sequence[Token]]
    new_token: Callable[[frozenset[str], str], str]
    """(scopes, project) -> the token's text, which is shown once. Raises `Refused`."""
    revoke: Callable[[str], None]
    import_people: Callable[[bytes], Imported]
    """CSV with a heading `user,team[,name,...]`; replaces the whole directory. Raises `Refused`."""


@dataclass(frozen=True)
class Web:
    """All that the pages are built from."""

    ask: Ask
    access: Access
    zone: Callable[[], str]
    """The installation's reporting time zone (IANA name); days begin in it."""
    version: str = ""
    patience: float = 0.2
    """Seconds a page waits for its panels. A panel that is later comes by itself, into the room kept for it."""
