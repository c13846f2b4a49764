"""Who calls: a token in the Authorization header, or the session cookie of a browser."""

import base64
import binascii

from starlette.requests import Request

from tellback.server.access import Access
from tellback.server.api.context import SESSION_COOKIE
from tellback.server.api.errors import ApiError
from tellback.server.grant import Grant

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_HOW = "send `Authorization: Bearer TOKEN`; `tellback token new --read` makes one"


def caller(request: Request, access: Access, scope: str | None) -> Grant:
    """The grant of who calls. ApiError 401 without one, 403 when it does not cover `scope` (None: any will do)."""
    header = request.headers.get("authorization")
    if header is not None:
        grant = access.authenticate(_token(header))
        if grant is None:
            raise _unauthorized(f"the token is unknown or revoked; {_HOW}")
    elif cookie := request.cookies.get(SESSION_COOKIE):
        grant = access.session(cookie)
        if grant is None:
            raise _unauthorized("the session has ended; sign in again")
        if request.method not in _SAFE:
            _same_origin(request)
    else:
        raise _unauthorized(f"this needs a token; {_HOW}")
    if scope is not None and not grant.may(scope):
        has = ", ".join(sorted(grant.scopes))
        raise ApiError(403, "denied", f"this needs the scope {scope}; the token has {has}", "authorization")
    return grant


def token_of(request: Request) -> str | None:
    """The token in the Authorization header; None where the caller came with a session."""
    header = request.headers.get("authorization")
    return _token(header) if header is not None else None


def _unauthorized(message: str) -> ApiError:
    # Not Basic, which is taken too: it would make a browser ask for a name and a password.
    return ApiError(401, "unauthorized", message, "authorization", {"www-authenticate": "Bearer"})


def _token(header: str) -> str:
    """`Bearer TOKEN`, or Basic with the token as password."""
    scheme, _, rest = header.strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer" and rest:
        return rest
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(rest, validate=True).decode().partition(":")[2]
        except (binascii.Error, ValueError):
            pass
    raise _unauthorized("the Authorization header is neither `Bearer TOKEN` nor Basic with the token as password")


def _same_origin(request: Request) -> None:
    """A browser sends the cookie for whoever asks it to, and always says who that was."""
    origin = request.headers.get("origin", "")
    if origin.partition("://")[2] != request.headers.get("host", ""):
        raise ApiError(403, "denied", "a change with a session cookie must come from Tellback's own pages", "origin")
