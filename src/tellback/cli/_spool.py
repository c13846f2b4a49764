"""What `tellback doctor` finds out about a client's spool, without touching what lies in it."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tellback.cli._check import Check
from tellback.client import folder as spool_folder

ENOUGH = 64 << 20
"""Bytes free below which a spool has no room worth the name: it takes a tenth of what is free."""


def checks(path: str | None) -> Iterator[Check]:
    try:
        spool = Path(path).expanduser() if path else spool_folder.default_folder()
    except RuntimeError:
        yield Check("spool", False, "this user has no home folder; set TELLBACK_SPOOL to a folder on a local disk")
        return
    there = spool if spool.exists() else next((parent for parent in spool.parents if parent.exists()), Path("/"))
    yield _writable(spool, there)
    if kind := spool_folder.remote_filesystem(spool):
        words = f"{spool} lies on {kind}, where a write can hang; set TELLBACK_SPOOL to a folder on a local disk"
        yield Check("spool disk", False, words)
    else:
        yield Check("spool disk", True, "local")
    free = shutil.disk_usage(there).free
    advice = "" if free >= ENOUGH else "; make room, or set TELLBACK_SPOOL to another disk"
    yield Check("spool space", free >= ENOUGH, f"{free >> 20:,} MiB free{advice}")
    yield _waiting(spool)


def _writable(spool: Path, there: Path) -> Check:
    """A file that is made and goes away at once: `os.access` does not know of read-only mounts and quotas."""
    advice = f"let this user ({_user()}) write there, or set TELLBACK_SPOOL"
    if not there.is_dir():
        return Check("spool", False, f"{there} is no folder; set TELLBACK_SPOOL to one")
    try:
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return Check("spool", False, f"{there} is full; make room, or set TELLBACK_SPOOL")
        return Check("spool", False, f"{there} cannot be written: {error.strerror}; {advice}")
    return Check("spool", True, f"{spool} can be written" if there == spool else f"{spool} can be made")


def _waiting(spool: Path) -> Check:
    orphans = size = 0
    for path in spool_folder.process_folders(spool):
        if lives(path / "lock"):
            continue
        found = [segment.stat().st_size for segment in path.glob("*.ndjson")]
        orphans += len(found)
        size += sum(found)
    if not orphans:
        return Check("spool orphans", True, "nothing waits that a process left behind")
    words = (
        f"{orphans} files ({size >> 10:,} KiB) of processes that have ended wait to be sent; "
        "the next program of this user that uses the same server sends them, or now: tellback ship"
    )
    return Check("spool orphans", False, words)


def lives(lock: Path) -> bool:
    """Whether a process holds it. Asked with a shared lock for an instant: who wants to take it over tries again."""
    try:
        import fcntl
    except ImportError:  # Windows: cannot be told without taking it
        return False
    try:
        with lock.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False


def _user() -> str:
    try:
        import getpass

        return getpass.getuser()
    except (KeyError, OSError):
        return str(os.getuid()) if hasattr(os, "getuid") else "?"
