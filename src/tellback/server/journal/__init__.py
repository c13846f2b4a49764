"""Files of canonical lines, acknowledged when they are on the disk. The format is in `docs/spec/journal.md`."""

from tellback.server.journal.format import Closed, Mark
from tellback.server.journal.writer import Journal, JournalFailed

__all__ = ["Closed", "Journal", "JournalFailed", "Mark"]
