"""The red button: a file that silences every process that watches it, and lets them speak again."""

from pathlib import Path

import msgspec

from tellback.client import live, notice
from tellback.client.spool import Spool


class Button(msgspec.Struct):
    """What the file holds: `{"disable_all": true}`."""

    disable_all: bool = False


class Switch:
    """Watches the file that TELLBACK_CONFIG names. No file, no button pressed."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None
        self.pressed = False

    def look(self) -> bool:
        """Whether the button is pressed now. What cannot be read leaves it as it is, with a word about it."""
        if self._path is None:
            return False
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen != self._seen:
                self.pressed = msgspec.json.decode(self._path.read_bytes(), type=Button).disable_all
                self._seen = seen
                notice.forget("button")
        except FileNotFoundError:
            self.pressed, self._seen = False, None
        except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
            notice.once(
                "button",
                f"{self._path} cannot be read ({error}), so recording stays {'off' if self.pressed else 'on'}. "
                'It must hold {"disable_all": true} or {"disable_all": false}.',
            )
        return self.pressed

    def apply(self, spool: Spool) -> None:
        """Open or shut the way of all calls, as the button says."""
        if self.look():
            if live.spool is spool:
                live.muted, live.spool = spool.mute, None
        elif live.spool is None and live.muted == spool.mute:
            live.spool = spool
