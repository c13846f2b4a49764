"""Applies rules to records on their way into the spool. In the way only while there are rules (see `switch`)."""

import random
import re
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import msgspec

from tellback.client.lost import Lost
from tellback.record import MAX_LINE
from tellback.rules import Rate, Rules, Verdict, strictest

SAMPLED: Final = "tellback.sample"
"""Attribute of a record that was kept of several: the share that is kept, so that counts can be weighted."""

_HEAD: Final = re.compile(rb'\{"time":-?\d+,("kind":"[a-z]+","name":"(?:[^"\\]|\\.)*")')
"""How this package begins every line: kind and name need not be decoded to be told apart."""

_NAMES: Final = 10_000
"""Kinds and names whose verdict is remembered; a name built from data shall not fill the memory."""


class Sink(Protocol):
    """The part of a spool that is needed here."""

    @property
    def lost(self) -> Lost:
        """Counts what does not pass. A fork gets another one."""

    def take(self, line: bytes, /) -> None: ...
    def awake(self) -> None: ...


class Bucket:
    """Lets `count` records pass in `seconds`, all at once or spread.

    Without a lock, for a signal handler cannot wait for itself: threads that meet in it may let one more pass.
    """

    __slots__ = ("_each", "_full", "_left", "_seen")

    def __init__(self, rate: Rate, now: float) -> None:
        self._full = float(rate.count)
        self._each = rate.count / rate.seconds
        self._left = self._full
        self._seen = now

    def take(self, now: float) -> bool:
        """Whether one more may pass at `now` (s, monotonic)."""
        left = min(self._full, self._left + max(0.0, now - self._seen) * self._each)
        self._seen = now
        if left < 1.0:
            self._left = left
            return False
        self._left = left - 1.0
        return True


class Ruling(msgspec.Struct):
    """What becomes of the records of one kind and name, and how much of their rate is left."""

    verdict: Verdict
    bucket: Bucket | None
    mark: bytes
    """Added to what is kept of a sample."""


class Governor:
    """Takes the place of `Spool.append`."""

    def __init__(
        self,
        sink: Sink,
        sources: Sequence[Rules],
        *,
        clock: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._sink = sink
        self._take = sink.take
        self.sources = tuple(sources)
        self._clock = clock
        self._chance = chance
        self._rulings: dict[bytes, Ruling] = {}

    def append(self, line: bytes) -> None:
        """Let a line pass, or count it by the reason why not. Never raises."""
        try:
            head = _HEAD.match(line)
            key = head[1] if head is not None else _key(line)
            ruling = self._rulings.get(key) or self._rule(key)
            verdict = ruling.verdict
            if verdict.disabled:
                self.drop("disabled")
                return
            if ruling.mark:
                if self._chance() >= verdict.sample:
                    self.drop("sampled")
                    return
                line = marked(line, ruling.mark)
            if ruling.bucket is not None and not ruling.bucket.take(self._clock()):
                self.drop("rate")
                return
        except Exception:
            # A line that cannot be read cannot be judged; a record too many is better than one that is gone.
            self._sink.lost.add("error", 0)
        self._take(line)

    def drop(self, reason: str) -> None:
        """Count a record that does not pass."""
        self._sink.awake()  # the first record starts the thread that watches the rules, also if they forbid it
        self._sink.lost.add(reason)

    def disables(self, kind: str, name: str) -> bool:
        """Whether records of this kind and name are left out."""
        return strictest(rules.verdict(kind, name) for rules in self.sources).disabled

    def _rule(self, key: bytes) -> Ruling:
        said: dict[str, Any] = msgspec.json.decode(b"{" + key + b"}")
        verdict = strictest(
            rules.verdict(str(said.get("kind", "event")), str(said.get("name", ""))) for rules in self.sources
        )
        mark = b'"%b":%b' % (SAMPLED.encode(), msgspec.json.encode(verdict.sample)) if verdict.sample < 1 else b""
        ruling = Ruling(verdict, Bucket(verdict.rate, self._clock()) if verdict.rate else None, mark)
        if len(self._rulings) < _NAMES:
            self._rulings[key] = ruling
        return ruling


def marked(line: bytes, mark: bytes) -> bytes:
    """A line with one more attribute. `attrs` is the last key of every line that has it, and never empty."""
    has_attrs = line.endswith(b"}}\n")
    longer = b"%b,%b}}\n" % (line[:-3], mark) if has_attrs else b'%b,"attrs":{%b}}\n' % (line[:-2], mark)
    return longer if len(longer) <= MAX_LINE else line


def _key(line: bytes) -> bytes:
    """The same as `_HEAD` finds, of a line that begins otherwise."""
    said = msgspec.json.decode(line)
    kept = {name: said[name] for name in ("kind", "name") if name in said}
    return msgspec.json.encode(kept)[1:-1]
