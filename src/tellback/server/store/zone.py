"""The reporting time zone: fixed at the first start, in every answer."""

import os
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


def machine_zone() -> str:
    """This machine's zone as an IANA name, UTC where it cannot be told."""
    name = os.environ.get("TZ", "").removeprefix(":")
    if not name:
        for part, path in ((None, Path("/etc/timezone")), ("zoneinfo/", Path("/etc/localtime"))):
            try:
                name = path.read_text().strip() if part is None else str(path.resolve()).partition(part)[2]
            except (OSError, UnicodeDecodeError):
                continue
            if name:
                break
    return name if is_zone(name) else "UTC"


def is_zone(name: str) -> bool:
    """Whether `name` is an IANA zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
