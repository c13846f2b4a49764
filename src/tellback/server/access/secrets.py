"""Secrets: letters and digits only, so that they fit a DSN, a path and a header; kept as their SHA-256."""

import hashlib
import re
import secrets
import string

_ALPHABET = string.ascii_letters + string.digits
LENGTH = 34  # 202 bits

_IN_PATH = re.compile(rf"(?<=/)[A-Za-z0-9]{{{LENGTH}}}(?=[/?]|$)")


def make() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(LENGTH))


def digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogateescape")).hexdigest()


def redact(path: str) -> str:
    """A path for a log, with what could be a token or a sign-in code in it taken out."""
    return _IN_PATH.sub("[redacted]", path)
