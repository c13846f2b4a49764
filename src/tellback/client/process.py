"""What is constant for this process, and the first line of its segments."""

import os
import sys
from typing import Final

import msgspec

from tellback.client.settings import Settings
from tellback.record import MAX_TEXT, Process

_OS: Final = {"win32": "windows", "darwin": "darwin", "linux": "linux"}


FORMAT: Final = 1
"""Of segments. A greater one means that lines or headers are not what this version takes them for."""


class Header(Process, omit_defaults=True, kw_only=True):
    """A segment's first line: the process, and where the segment is to go."""

    kind: str = ""
    format: int = FORMAT
    """Of the segment, where it is not the first one."""
    url: str | None = None
    token_hash: str | None = None


def token_hash(token: str | None) -> str | None:
    """Tells tokens apart without telling them: who may read a spool does not thereby get a token."""
    if not token:
        return None
    import hashlib  # here, because it loads OpenSSL

    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()[:32]


def header(settings: Settings, start: int) -> bytes:
    """The line, with its newline, for the process that calls."""
    own = Header(
        service=_text(settings.service),
        release=_text(settings.release),
        environment=_text(settings.environment),
        host=_text(os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME")),
        os=_OS.get(sys.platform, sys.platform),
        python=".".join(map(str, sys.version_info[:3])),
        pid=os.getpid(),
        start=start,
        url=settings.url,
        token_hash=token_hash(settings.token),
    )
    # Its kind first: whoever walks a segment tells it from a record by its first bytes.
    return b'{"kind":"process",' + msgspec.json.encode(own)[1:] + b"\n"


def _text(value: str | None) -> str | None:
    return value[:MAX_TEXT].encode("utf-8", "replace").decode() if value else None
