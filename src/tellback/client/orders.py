"""The server's orders about what may be recorded: checked, obeyed while they last, and kept for the next process."""

import os
import time
from pathlib import Path

from tellback import order
from tellback.client import notice
from tellback.client.process import token_hash
from tellback.rules import NONE, Rules, RulesError


class Orders:
    """Of the one server that this process sends to. The sender's thread brings them, the keeper's asks for rules."""

    def __init__(self, root: Path, url: str, token: str) -> None:
        """Takes up what an earlier process was told, if it still holds."""
        self._token = token
        self._path = root / f".control-{token_hash(f'{url} {token}')}"
        self._order: order.Order | None = None
        self._rules = NONE
        self._until = 0.0
        self._recall()

    @property
    def in_force(self) -> bool:
        """Whether the last order still holds, also one that allows everything."""
        return self._order is not None and time.monotonic() < self._until

    def rules(self) -> Rules:
        """Those in force now."""
        return self._rules if self.in_force else NONE

    def obey(self, text: str) -> None:
        """An order came with an answer. One that is not the server's own, or older than the last, changes nothing."""
        try:
            said = order.read(text, self._token)
            if self._order is not None and said.now <= self._order.now:
                return
            # The server's clock is asked alone, lest a wrong one here let an order last for ever or not at all.
            fresh = self._order is None or said.issued != self._order.issued
            self._take(said, (said.expires - said.now) / 1e9)
            notice.forget("control")
            if fresh:
                notice.detail(
                    f"The server orders: {_words(self._rules)}, for {(said.expires - said.now) / 1e9:,.0f} s."
                )
                self._keep(text)
        except (order.OrderError, RulesError) as error:
            notice.once("control", f"An order of the server about what may be recorded is not obeyed: {error}.")

    def _take(self, said: order.Order, seconds: float) -> None:
        self._rules = said.parsed()
        self._order, self._until = said, time.monotonic() + seconds

    def _keep(self, text: str) -> None:
        """A process that ends before its first answer obeys, too."""
        new = self._path.with_name(f"{self._path.name}-{os.getpid()}")
        try:
            fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(fd, "w") as file:
                file.write(text)
            new.replace(self._path)
        except OSError:  # then the next process obeys after its first answer
            new.unlink(missing_ok=True)

    def _recall(self) -> None:
        try:
            said = order.read(self._path.read_text(), self._token)
            left = (said.expires - time.time_ns()) / 1e9
            if left > 0:
                self._take(said, min(left, (said.expires - said.now) / 1e9))
        except FileNotFoundError:
            return
        except (OSError, UnicodeError, order.OrderError, RulesError):
            self._order = None


def _words(rules: Rules) -> str:
    if rules.empty:
        return "everything may be recorded"
    if rules.disable_all:
        return "nothing is recorded"
    count = len(rules.disable) + len(rules.sample) + len(rules.rate)
    return f"{count} rule{'s' if count != 1 else ''} about what is recorded"
