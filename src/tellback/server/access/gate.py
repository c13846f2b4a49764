"""The gate: who comes with a token, a sign-in code or a session cookie, and what they may.

What another process revokes counts here within a quarter second. Tokens are checked from memory, because every request
of every client carries one; sessions are few and are read from the database each time.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import msgspec
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session as Transaction

from tellback.server import times
from tellback.server.access import secrets
from tellback.server.decisions import Decisions
from tellback.server.decisions.tables import Session, SignInCode, Token
from tellback.server.grant import ADMIN, DEFAULT_PROJECT, READ, SCOPES, Grant

SECOND = 1_000_000_000
CODE_LIFE = 24 * 3600 * SECOND
CODE_REUSE = 60 * SECOND
"""A browser's prefetch or a chat's preview may open a link first; the person's own click comes soon after."""
SESSION_LIFE = 30 * 24 * 3600 * SECOND

USE_KEPT_EVERY = 10 * SECOND

LOCAL = "local"
"""`token_id` of the token in server.json."""


class TokenInfo(msgspec.Struct, frozen=True):
    """A token without its secret. Times are RFC 3339 text; None means never."""

    id: str
    scopes: frozenset[str]
    project: str
    """Empty when none was named: records go to the default project, questions see every one."""
    created: str
    revoked: str | None
    last_used: str | None
    """Some seconds late where another process asks."""


@dataclass(frozen=True)
class NewToken:
    id: str
    token: str
    """Shown once: only its hash is kept."""


class Access:
    def __init__(self, decisions: Decisions, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._decisions = decisions
        self._clock = clock
        self._lock = threading.Lock()
        self._version: int | None = None
        self._grants: dict[str, Grant] = {}
        self._used: dict[str, int] = {}
        """When, by the token's id; what is not yet written."""
        self._kept = 0
        self.local_token = secrets.make()
        """An admin token for whoever may read server.json; it lives as long as the process."""
        self._local = secrets.digest(self.local_token)

    # Tokens

    def authenticate(self, token: str, user: str | None = None) -> Grant | None:
        """What `token` may; None when it is unknown or revoked. What `user` a wire names changes nothing."""
        key = secrets.digest(token)
        if key == self._local:
            return Grant(DEFAULT_PROJECT, LOCAL, SCOPES)
        # A token that is not known may be a moment old: a client that is refused once does not ask again for minutes.
        for now in (False, True):
            version = self._decisions.version(now=now)
            if version != self._version:
                self._reload(version)
            grant = self._grants.get(key)
            if grant is not None:
                break
        if grant is not None:
            self._used[grant.token_id] = self._clock()
        return grant

    def keep_uses(self) -> None:
        """Writes down when tokens were last used, at most every ten seconds. Call it now and then, off the event loop:
        it waits for the disk, which `authenticate` must not do."""
        now = self._clock()
        if not self._used or now - self._kept < USE_KEPT_EVERY:
            return
        used, self._used, self._kept = self._used, {}, now
        with self._decisions.begin() as session:
            for token_id, when in list(used.items()):  # a request under way may still write to it
                session.execute(update(Token).where(Token.id == int(token_id)).values(used=when))

    def _reload(self, version: int) -> None:
        with self._lock, self._decisions.read() as session:
            tokens = session.scalars(select(Token).where(Token.revoked.is_(None)))
            self._grants = {token.hash: _grant(str(token.id), token.scopes, token.project) for token in tokens}
            # Read before the rows: a commit in between is seen at the next look.
            self._version = version

    def new_token(self, scopes: Iterable[str], project: str | None = None) -> NewToken:
        """ValueError for a scope that there is not, none at all, or a project without a name."""
        wanted = frozenset(scopes)
        if not wanted or not wanted <= SCOPES:
            raise ValueError(f"scopes: expected some of {', '.join(sorted(SCOPES))}, got {sorted(wanted)}")
        if project is not None and not 0 < len(project) <= 200:
            raise ValueError("project: expected a name of 1 to 200 characters")
        secret = secrets.make()
        with self._decisions.begin() as session:
            token = Token(
                hash=secrets.digest(secret), scopes=" ".join(sorted(wanted)), project=project, created=self._clock()
            )
            session.add(token)
            session.flush()
            made = NewToken(str(token.id), secret)
        self._version = None
        return made

    def list_tokens(self) -> list[TokenInfo]:
        with self._decisions.read() as session:
            return [
                TokenInfo(
                    str(token.id),
                    frozenset(token.scopes.split()),
                    token.project or "",
                    times.text(token.created),
                    times.text(token.revoked) if token.revoked is not None else None,
                    times.text(used) if (used := self._used.get(str(token.id), token.used)) is not None else None,
                )
                for token in session.scalars(select(Token).order_by(Token.id))
            ]

    def revoke(self, token_id: str) -> bool:
        """False when there is no such token or it was revoked before. Ends the sessions opened with it."""
        if not (token_id.isascii() and token_id.isdigit()) or len(token_id) > 18:
            return False
        with self._decisions.begin() as session:
            token = session.get(Token, int(token_id))
            if token is None or token.revoked is not None:
                return False
            token.revoked = self._clock()
            session.execute(delete(Session).where(Session.token == token.id))
        self._version = None
        return True

    # People

    def create_code(self, scopes: Iterable[str] = (ADMIN, READ)) -> str:
        """A code for a link `/sign-in/<code>`: works once, for 24 hours."""
        code = secrets.make()
        with self._decisions.begin() as session:
            now = self._clock()
            session.execute(delete(SignInCode).where(SignInCode.expires < now))
            session.add(SignInCode(hash=secrets.digest(code), scopes=" ".join(sorted(scopes)), expires=now + CODE_LIFE))
        return code

    def redeem(self, code: str) -> str | None:
        """A new session's cookie value; None when the code is unknown, used or too old."""
        with self._decisions.begin() as session:
            row = session.get(SignInCode, secrets.digest(code))
            now = self._clock()
            if row is None or now >= row.expires or (row.used is not None and now >= row.used + CODE_REUSE):
                return None
            row.used = now if row.used is None else row.used
            return self._open(session, row.scopes, None, None, now)

    def sign_in(self, token: str) -> str | None:
        """A new session's cookie value for a read or admin token; None for any other."""
        with self._decisions.begin() as session:
            row = session.scalar(
                select(Token).where(Token.hash == secrets.digest(token.strip()), Token.revoked.is_(None))
            )
            scopes = {ADMIN, READ} & set(row.scopes.split()) if row else None
            if not row or not scopes:
                return None
            return self._open(session, " ".join(sorted(scopes)), row.project, row.id, self._clock())

    def session(self, cookie: str) -> Grant | None:
        with self._decisions.read() as session:
            row = session.get(Session, secrets.digest(cookie))
            if row is None or self._clock() >= row.expires:
                return None
            return _grant(str(row.token) if row.token is not None else "session", row.scopes, row.project)

    def sign_out(self, cookie: str) -> None:
        with self._decisions.begin() as session:
            session.execute(delete(Session).where(Session.hash == secrets.digest(cookie)))

    def _open(self, session: Transaction, scopes: str, project: str | None, token: int | None, now: int) -> str:

        session.execute(delete(Session).where(Session.expires < now))
        cookie = secrets.make()
        session.add(
            Session(
                hash=secrets.digest(cookie), scopes=scopes, project=project, token=token, expires=now + SESSION_LIFE
            )
        )
        return cookie


def _grant(token_id: str, scopes: str, project: str | None) -> Grant:
    may = frozenset(scopes.split())
    return Grant(project or DEFAULT_PROJECT, token_id, may, None if ADMIN in may else project)
