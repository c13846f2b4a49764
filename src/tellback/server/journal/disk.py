"""The few things the journal asks of a disk, apart, so that a test can make each of them fail."""

import os
from pathlib import Path

_sync = getattr(os, "fdatasync", os.fsync)  # macOS and Windows have no fdatasync


class Disk:
    """Raises OSError."""

    def create(self, path: Path) -> int:
        """A descriptor of a new file, its name durable in its folder."""
        descriptor = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | getattr(os, "O_CLOEXEC", 0), 0o600
        )
        try:
            self.sync_folder(path.parent)
        except BaseException:
            os.close(descriptor)
            path.unlink(missing_ok=True)
            raise
        return descriptor

    def write(self, descriptor: int, data: bytes) -> None:
        """All of `data`; a disk that fills up may take a part of it first."""
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]

    def sync(self, descriptor: int) -> None:
        _sync(descriptor)

    def cut(self, path: Path, size: int) -> None:
        """Make `path` durably `size` bytes long, by a descriptor of its own: after a failed sync the old one lies."""
        descriptor = os.open(path, os.O_WRONLY)
        try:
            os.ftruncate(descriptor, size)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def sync_folder(self, folder: Path) -> None:
        if os.name == "nt":  # folders cannot be opened there, and need not be
            return
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
