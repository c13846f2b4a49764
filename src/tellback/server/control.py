"""The order of an installation about what its clients may record: kept per project, signed for each who asks."""

import threading
import time
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import select

from tellback import order, rules
from tellback.server.decisions import Decisions
from tellback.server.decisions.tables import Setting

SECOND = 1_000_000_000
LONGEST = 90 * 86_400
"""Seconds that an order may last: what nobody renews shall not keep programs quiet for ever."""

_KEY = "control:"


class Standing(msgspec.Struct, frozen=True):
    """An order as it is kept. Times are ns since epoch."""

    rules: dict[str, Any]
    issued: int
    expires: int


class Control:
    """Read from memory; what another process orders counts here within a quarter second."""

    def __init__(self, decisions: Decisions, *, clock: Callable[[], int] = time.time_ns) -> None:
        self._decisions = decisions
        self._clock = clock
        self._lock = threading.Lock()
        self._version: int | None = None
        self._standing: dict[str, Standing] = {}

    def standing(self, project: str) -> Standing | None:
        """The order that is in force for a project's clients; one without rules takes an earlier one back."""
        version = self._decisions.version()
        if version != self._version:
            self._reload(version)
        found = self._standing.get(project)
        return found if found is not None and self._clock() < found.expires else None

    def signed(self, project: str, token: str) -> str | None:
        """The order in force, for a client that holds `token`; None without one."""
        found = self.standing(project)
        if found is None:
            return None
        return order.sign(order.Order(found.rules, found.issued, self._clock(), found.expires), token)

    def give(self, project: str, said: Any, seconds: int) -> Standing:
        """Order `said` (rules as JSON has them) for `seconds`. ValueError with what is wrong, and where."""
        rules.of(said)
        if len(msgspec.json.encode(said)) > order.MAX_BYTES:
            raise ValueError(f"rules: more than {order.MAX_BYTES} bytes, which no header holds")
        if not 0 < seconds <= LONGEST:
            raise ValueError(f"seconds: expected 1 to {LONGEST} (90 days), got {seconds}")
        now = self._clock()
        return self._keep(project, Standing(said, now, now + seconds * SECOND))

    def withdraw(self, project: str) -> bool:
        """Take the order back; False if none is in force. Until it would have ended, clients are told so."""
        found = self.standing(project)
        if found is None or not found.rules:
            return False
        self._keep(project, Standing({}, self._clock(), found.expires))
        return True

    def _keep(self, project: str, standing: Standing) -> Standing:
        with self._decisions.begin() as session:
            session.merge(Setting(key=_KEY + project, value=msgspec.json.encode(standing).decode()))
        self._version = None
        return standing

    def _reload(self, version: int) -> None:
        with self._lock, self._decisions.read() as session:
            found = session.scalars(select(Setting).where(Setting.key.startswith(_KEY, autoescape=True)))
            self._standing = {
                setting.key.removeprefix(_KEY): msgspec.json.decode(setting.value, type=Standing) for setting in found
            }
            # Read before the rows: a commit in between is seen at the next look.
            self._version = version
