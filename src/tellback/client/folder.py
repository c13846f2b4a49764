"""Where spools lie, and whose they are.

<spool>/                  0700; default: `tellback` in the user's cache folder
    <process>/            one for each process that writes
        lock              held by the process as long as it lives (flock)
        <segment>.ndjson
        <page>.metrics
    rejected/             slices that a server would not have, for a person to look at
"""

import contextlib
import errno
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tellback.client.segment import SUFFIX

REJECTED: Final = "rejected"
_NEW: Final = ".new-"
PAGES: Final = ".metrics"
"""Files of what a process counts; see `metrics.page`."""

_REMOTE: Final = frozenset(
    {
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "smbfs",
        "afs",
        "9p",
        "ceph",
        "glusterfs",
        "lustre",
        "beegfs",
        "gpfs",
        "davfs",
        "ncpfs",
    }
)


def default_folder() -> Path:
    """`tellback` in the folder where this platform keeps a user's caches. RuntimeError without a home."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "tellback" / "spool"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "tellback"
    base = os.environ.get("XDG_CACHE_HOME")
    # The XDG specification has a relative path ignored.
    return (Path(base) if base and Path(base).is_absolute() else Path.home() / ".cache") / "tellback"


def second_choice() -> Path:
    """Where a spool goes whose own place will not do: a folder of this user's in the temporary one."""
    import tempfile

    return Path(tempfile.gettempdir()) / f"tellback-{os.getuid() if hasattr(os, 'getuid') else 'spool'}"


def claim_second_choice() -> Path:
    """Make sure of it. OSError if it cannot be made, or is not ours: its name can be guessed, so another user may have
    put a folder or a link there."""
    path = second_choice()
    path.mkdir(mode=0o700, exist_ok=True)
    if hasattr(os, "getuid"):
        found = path.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
            raise PermissionError(errno.EPERM, "another user may write there", str(path))
    return path


def remote_filesystem(path: Path, mounts: str = "/proc/self/mounts") -> str | None:
    """The type of the network or FUSE file system that `path` lies on; None if it is local or cannot be told.

    Pages of such a file system can take seconds to write, or kill the process (SIGBUS) when the server of the files
    goes.
    """
    try:
        lines = Path(mounts).read_text(errors="replace").splitlines()
    except OSError:
        return None
    path = Path(os.path.realpath(path))
    best, kind = "", None
    for mount in lines:
        parts = mount.split(" ")
        if len(parts) < 3:
            continue
        point = parts[1].replace("\\040", " ")
        if len(point) >= len(best) and path.is_relative_to(point):  # the last mount on a point is the one that shows
            best, kind = point, parts[2]
    if kind is not None and (kind in _REMOTE or kind.startswith("fuse")):
        return kind
    return None


class ProcessFolder:
    """The folder of one process, and its lock. As long as the process lives nobody else touches what lies in it."""

    __slots__ = ("lock", "path")

    def __init__(self, path: Path, lock: int) -> None:
        self.path = path
        self.lock = lock

    @classmethod
    def create(cls, spool: Path, id_: str) -> "ProcessFolder":
        """Make the folder and hold its lock. OSError if there is no room or no right to.

        It gets its name when the lock is held: nobody can take a folder that is being made for an orphan.
        """
        spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        new = spool / (_NEW + id_)
        new.mkdir(mode=0o700)
        lock = _take(new / "lock")
        if lock is None:
            raise OSError(f"no lock on {new}: does the file system have flock?")
        try:
            return cls(new.rename(spool / id_), lock)
        except BaseException:
            os.close(lock)
            raise

    @classmethod
    def take(cls, path: Path) -> "ProcessFolder | None":
        """Another process's folder, if that process is gone and nobody else has taken it."""
        try:
            if hasattr(os, "geteuid") and path.stat().st_uid != os.geteuid():
                return None
            lock = _take(path / "lock")
        except OSError:
            return None
        if lock is None:
            return None
        if any(path.glob("*" + PAGES)):
            from tellback.client.metrics.takeover import settle

            # Here, because nobody may read or delete a dead process's segments before: they say what it has told.
            with contextlib.suppress(OSError):  # no room: the pages stay for the next one
                settle(path)
        return cls(path, lock)

    def segments(self) -> list[Path]:
        """Files of segments, the oldest first."""
        try:
            return sorted(self.path.glob("*" + SUFFIX))
        except OSError:
            return []

    def release(self) -> None:
        """Give the folder up, and remove it if nothing is left in it."""
        if self.lock < 0:
            return
        with contextlib.suppress(OSError):
            if [path.name for path in self.path.iterdir()] == ["lock"]:
                # While the lock is held: who opened the lock file meanwhile gets a file without a name.
                (self.path / "lock").unlink()
                self.path.rmdir()
        self.let_go()

    def let_go(self) -> None:
        """Close the lock without unlocking: what a fork does with what it inherited. The parent still holds it."""
        lock, self.lock = self.lock, -1
        if lock >= 0:
            with contextlib.suppress(OSError):
                os.close(lock)


def process_folders(spool: Path) -> Iterator[Path]:
    """Folders of processes, dead or alive, the oldest first."""
    try:
        found = sorted(spool.iterdir())
    except OSError:
        return
    for path in found:
        if path.name != REJECTED and not path.name.startswith("."):
            yield path


def _take(path: Path) -> int | None:
    """Open and lock a file; None if another process holds it. Untried on Windows."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(fd)
        return None
    return fd
