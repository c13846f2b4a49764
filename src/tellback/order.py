"""A server's order about what may be recorded: rules with an expiry, signed with the client's own write token.

    base64url(JSON) "." hex(HMAC-SHA256(token, base64url text))

The JSON holds `rules` (as `tellback.rules`), and `issued`, `now` and `expires` in ns since epoch by the server's clock.
It travels in the header `Tellback-Control` of every answer to a client, and of `GET /v1/control`. The server keeps no
token, only its hash; it signs while it has the token of the request in hand. `docs/spec/control.md`.
"""

import base64
import binascii
from typing import Any, Final

import msgspec

from tellback.rules import Rules, of

HEADER: Final = "Tellback-Control"
PATH: Final = "/v1/control"

MAX_BYTES: Final = 16_384
"""Of the rules as JSON: the whole must fit a header."""


class OrderError(ValueError):
    """Why a text is no order."""


class Order(msgspec.Struct, frozen=True):
    """What a server orders."""

    rules: dict[str, Any]
    issued: int
    """When a person gave it."""
    now: int
    """When the server said it."""
    expires: int

    def parsed(self) -> Rules:
        """RulesError, where the server knows rules that this client does not."""
        return of(self.rules)


def sign(order: Order, token: str) -> str:
    """The order as it travels to who holds `token`."""
    payload = base64.urlsafe_b64encode(msgspec.json.encode(order)).decode().rstrip("=")
    return f"{payload}.{_code(payload, token)}"


def read(text: str, token: str) -> Order:
    """The order in a text. OrderError where it is none, or was not signed with `token`."""
    import hmac

    payload, _, code = text.partition(".")
    if not code.isascii() or not hmac.compare_digest(_code(payload, token), code):
        raise OrderError("it is not signed with this client's token")
    try:
        raw = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))
        return msgspec.json.decode(raw, type=Order)
    except (binascii.Error, msgspec.DecodeError, UnicodeError, ValueError) as error:
        raise OrderError(f"it cannot be read ({error})") from None


def _code(payload: str, token: str) -> str:
    import hmac  # here, because it loads OpenSSL, which most programs that import this never need

    return hmac.new(token.encode(), payload.encode("utf-8", "replace"), "sha256").hexdigest()
