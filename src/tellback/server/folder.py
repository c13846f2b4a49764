"""The data directory: made, locked, described. What stands in it is listed in `docs/architecture.md`."""

import contextlib
import json
import os
import secrets
import sys
from pathlib import Path
from typing import Any


def for_this_user_only() -> None:
    """Whatever this process makes from here on is its own user's. For the programs that open a data directory: it may
    have been there before, open to all, and DuckDB makes its files with whatever the umask lets through."""
    os.umask(0o077)


class FolderError(Exception):
    """The directory cannot be used; the text says why and what to do."""


class DataFolder:
    """An open data directory; one server at a time has it."""

    def __init__(self, path: Path) -> None:
        """Makes the directory (mode 0700) where there is none. Raises `FolderError`."""
        self.path = path
        try:
            if not path.exists():
                path.mkdir(parents=True, mode=0o700)
            self.journal.mkdir(mode=0o700, exist_ok=True)
            for made in path.glob(f"{self.store.name}*"):  # by whoever had another umask
                with contextlib.suppress(PermissionError):
                    made.chmod(0o600)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        except OSError as error:
            raise FolderError(
                f"cannot use {path} as data directory: {error.strerror}; name another with --data"
            ) from None
        if not _locked(self._lock):
            os.close(self._lock)
            raise FolderError(f"another server is running on {path}; stop it, or name another directory with --data")
        _sync(path)

    @property
    def journal(self) -> Path:
        return self.path / "journal"

    @property
    def store(self) -> Path:
        return self.path / "store.duckdb"

    @property
    def attempts(self) -> Path:
        return self.path / "loading.json"

    @property
    def server(self) -> Path:
        """Where commands with `--data` find the running server."""
        return self.path / "server.json"

    def announce(self, about: dict[str, Any]) -> None:
        """Write `server.json`, readable by this user alone, whole or not at all."""
        temporary = self.path / f"server.json.{secrets.token_hex(4)}"
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(about, file)
        temporary.replace(self.server)

    def close(self) -> None:
        self.server.unlink(missing_ok=True)
        os.close(self._lock)


def _locked(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sync(folder: Path) -> None:
    """The journal's folder must itself be in its folder after a power cut."""
    if sys.platform != "win32":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
