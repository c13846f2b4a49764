"""What may be recorded, live: the red button and the rules of a watched file, of the environment, and of the server.

With the button pressed no call records anything. With rules `Spool.append` is changed for one that applies them;
without any nothing stands in a record's way.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from tellback.client import live, notice
from tellback.client.spool import Spool
from tellback.rules import NONE, Rules, RulesError, parse

if TYPE_CHECKING:
    from tellback.client.orders import Orders


class Switch:
    """Asked by the keeper each second."""

    def __init__(self, path: Path | None, fixed: Rules = NONE) -> None:
        """`path` is the file that TELLBACK_CONFIG names; `fixed` is what the environment says."""
        self._path = path
        self._fixed = fixed
        self._seen: tuple[int, int, int] | None = None
        self._file = NONE
        self._complaint = ""  # the last one, until the file can be used again: each is said once
        self.orders: Orders | None = None

    def look(self) -> tuple[Rules, ...]:
        """The rules of all sources that have any."""
        self._read()
        ordered = self.orders.rules() if self.orders is not None else NONE
        return tuple(rules for rules in (self._fixed, self._file, ordered) if not rules.empty)

    def _read(self) -> None:
        """What cannot be read leaves the rules as they are, with a word about it. No file, no rules."""
        if self._path is None:
            return
        try:
            stat = self._path.stat()
            seen = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
            if seen != self._seen:
                self._file = parse(self._path.read_bytes())
                self._seen = seen
                self._complaint = ""
        except FileNotFoundError:
            self._file, self._seen = NONE, None
        except (OSError, RulesError) as error:
            if str(error) == self._complaint:
                return
            self._complaint = str(error)
            notice.say(
                f"{self._path} cannot be used: {error}. What it said before still holds: recording stays "
                f'{"off" if self._file.disable_all else "on"}. {{"disable_all": true}} switches it off.',
            )

    def apply(self, spool: Spool) -> None:
        """Open, shut or narrow the way of all calls."""
        sources = self.look()
        if any(rules.disable_all for rules in sources):
            if live.spool is spool:
                live.muted, live.spool = spool.mute, None
                notice.detail("Recording is off.")
            return
        self._govern(spool, sources)
        if live.spool is None and live.muted == spool.mute:
            live.spool = spool
            notice.detail("Recording is on.")

    def _govern(self, spool: Spool, sources: tuple[Rules, ...]) -> None:
        if not sources:
            if live.governor is not None:
                notice.detail("No rules are in force any more.")
            spool.append, live.governor = spool.take, None
        elif live.governor is None or live.governor.sources != sources:
            from tellback.client.governor import Governor  # with `random`, which would double the time of import

            live.governor = Governor(spool, sources)
            spool.append = live.governor.append
            notice.detail(f"Rules are in force: {', '.join(_words(rules) for rules in sources)}.")


def _words(rules: Rules) -> str:
    parts = [f"without {one.text}" for one in rules.disable]
    parts += [f"{share:g} of {one.text}" for one, share in rules.sample]
    parts += [f"{rate.count} in {rate.seconds:g} s of {one.text}" for one, rate in rules.rate]
    return ", ".join(parts[:10]) + (", ..." if len(parts) > 10 else "")
