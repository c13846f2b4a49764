"""A meter's rates: how often a second, averaged over 1, 5 and 15 minutes with the weight falling off exponentially."""

from collections.abc import Callable
from math import exp
from typing import Final

TICK: Final = 5.0
MINUTES: Final = (1, 5, 15)
ALPHAS: Final = tuple(1 - exp(-TICK / 60 / minutes) for minutes in MINUTES)
"""The weight of the newest tick; as Unix load averages and scales' MeterStat have it."""

_IDLE: Final = 15 * 60 * 20
"""Seconds after which every rate is nil, whatever it was."""


class Rates:
    """Fed with a total that grows. The first tick is the first estimate: an average from 0 up would lie for minutes."""

    def __init__(self, total: Callable[[], float], now: float) -> None:
        self._total = total
        self._last = 0.0
        self._next = now + TICK
        self._begun = False
        self.values = [0.0, 0.0, 0.0]

    def tick(self, now: float) -> None:
        """Bring the rates up to now (monotonic seconds), by as many ticks as have passed."""
        if now < self._next:
            return
        ticks = int((now - self._next) // TICK) + 1
        self._next += ticks * TICK
        total = self._total()
        # After a sleep what came in it is spread evenly over its ticks.
        rate, self._last = (total - self._last) / (ticks * TICK), total
        if not self._begun:
            self._begun, self.values = True, [rate] * 3
            return
        ticks = min(ticks, int(_IDLE / TICK))
        self.values = [
            rate + (value - rate) * (1 - alpha) ** ticks for value, alpha in zip(self.values, ALPHAS, strict=True)
        ]
