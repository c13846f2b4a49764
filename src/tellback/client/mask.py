"""Hides secrets in what is taken without being asked for: texts and values of errors, and log messages.

By name: a local, a key, the first of a pair whose name says so. By pattern: what looks like a secret wherever it
stands. Patterns are few and narrow: a masked text helps nobody, so each matches a form that hardly anything else has.
"""

import re
from functools import lru_cache
from typing import Final

HIDDEN: Final = "[masked]"

SECRETS: Final = frozenset(
    {
        "password",
        "passwd",
        "secret",
        "authorization",
        "api_key",
        "apikey",
        "token",
        "sentry_dsn",
        "cookie",
        "private_key",
    }
    | {"credential", "passphrase", "session_id", "sessionid"}
)
"""A name that holds one of these is that of a secret (`db_password`, `X-API-Key`)."""


@lru_cache(4_096)
def is_secret(name: str) -> bool:
    """Whether a name says that its value is a secret."""
    name = name.lower().replace("-", "_")
    return any(part in name for part in SECRETS)


def hides(name: str, value: object) -> bool:
    """Whether a value of this name is to be hidden. A number called token is a count of them."""
    return is_secret(name) and not (value is None or (type(value) in (int, float, bool) and "token" in name.lower()))


_URL: Final = r"(://[^\s/:@?#]*:)[^\s/@?#]+(?=@)"
"""`postgresql://me:hunter2@db`: the password of an address."""

_NAMED: Final = (
    r"""(?i)((?:password|passwd|passphrase|secret|token|api[_-]?key|authorization|cookie)["']?\s?[=:]\s?)"""
    r"""(?:(?:bearer|basic)\s)?(?:"[^"\s]*"|'[^'\s]*'|[^\s,;&'"(){}\[\]]{3,}(?![\w(]))"""
)
"""`password=hunter2`, `"token": "abc"`, `Authorization: Bearer abc`; not `token = make_token()`."""

_BEARER: Final = r"(\b[Bb]earer )[\w.~+/=-]{8,}"

_SHAPED: Final = (
    r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*"  # a JSON Web Token, RFC 7519
    r"|\bgh[pousr]_\w{20,}|\bgithub_pat_\w{20,}|\bglpat-[\w-]{16,}|\bxox[abeoprs]-[\w-]{10,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bAIza[\w-]{35}|\bpypi-[\w-]{40,}|\bsk[-_](?:[a-z]+[-_])?[A-Za-z0-9]{20,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*"
)
"""Tokens that their issuers gave a form to be found by."""

_CARD: Final = r"(?<![\w.-])[2-6]\d{3}(?:[ -]?\d){9,15}(?![\w-])"
"""Like the number of a payment card (ISO/IEC 7812): 13 to 19 digits; its check digit decides."""

# Asked first, since most texts hold no secret: finding a plain word costs a hundredth of trying a pattern everywhere.
_WORDS: Final = ("password", "passwd", "passphrase", "secret", "token", "api", "authorization", "cookie")
_MARKS: Final = ("eyJ", "gh", "glpat-", "xox", "AKIA", "ASIA", "AIza", "pypi-", "sk-", "sk_", "PRIVATE KEY")
_DIGITS: Final = re.compile("[0-9][0-9][0-9][0-9]")  # spelled out: twice as quick as {4}


@lru_cache(16)
def _compiled(pattern: str) -> "re.Pattern[str]":
    # When it is first needed: compiling them all would be a tenth of importing the client.
    return re.compile(pattern)


def masked(value: str) -> str:
    """The text without what looks like a secret."""
    if len(value) < 8:
        return value
    if "=" in value or ":" in value:
        if "@" in value:
            value = _compiled(_URL).sub(rf"\1{HIDDEN}", value)
        lower = value.lower()
        for word in _WORDS:
            if word in lower:
                value = _compiled(_NAMED).sub(rf"\1{HIDDEN}", value)
                break
    if "earer " in value:
        value = _compiled(_BEARER).sub(rf"\1{HIDDEN}", value)
    for mark in _MARKS:
        if mark in value:
            value = _compiled(_SHAPED).sub(HIDDEN, value)
            break
    if _DIGITS.search(value):
        value = _compiled(_CARD).sub(_card, value)
    return value


def is_card(number: int) -> bool:
    """Whether an int may be the number of a payment card."""
    return 10**12 <= number < 10**19 and _compiled(_CARD).fullmatch(str(number)) is not None and _luhn(str(number))


def _card(found: "re.Match[str]") -> str:
    return HIDDEN if _luhn(re.sub("[ -]", "", found[0])) else found[0]


def _luhn(digits: str) -> bool:
    total = sum(map(int, digits[-1::-2])) + sum(sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return total % 10 == 0
