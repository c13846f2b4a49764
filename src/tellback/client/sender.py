"""The thread that ships: when, and how long to wait after a failure."""

import time
from pathlib import Path
from typing import Final

from tellback.client import native, notice
from tellback.client.shipper import Shipper
from tellback.client.spool import Spool
from tellback.client.waker import Waker

ORPHANS: Final = 15.0
"""Seconds between looks for segments that dead processes left."""

_POLL: Final = 0.002
CONTROL: Final = 30.0
"""Seconds between questions about an order of the server's that is in force."""


class Sender:
    """Calls never wait for it; `flush` does, and for as long as it was told to."""

    def __init__(self, spool: Spool, root: Path, shipper: Shipper, interval: float) -> None:
        self._spool = spool
        self._root = root
        self._shipper = shipper
        self.delivery = shipper.delivery
        self._interval = interval
        self._asked = 0
        self._done = 0
        self._asking = native.rlock()
        self._not_before = 0.0
        self._orphans_at = 0.0
        self._control_at = time.monotonic() + CONTROL
        self.waker = Waker()
        self.stopped = False
        self.failed = False
        """The last try did not get through."""

    def run(self) -> None:
        while not self.stopped:
            wait = self._interval
            try:
                wait = self._turn()
            except Exception as error:  # the disk, most likely: the records are still where they are
                notice.once("sender", f"Shipping failed ({type(error).__name__}: {error}); it is tried again.")
                self._not_before, self.failed = time.monotonic() + self._interval, True
            if not self.stopped:
                self.waker.wait(wait)
        self.delivery.close()

    def _turn(self) -> float:
        """One look at everything, unless it is too early; gives the seconds to wait for the next."""
        now = time.monotonic()
        asked = self._asked
        hurry = asked > self._done
        delivery = self.delivery
        if now < self._not_before and (delivery.binding or not hurry):
            return self._not_before - now
        if self._ship(orphans=hurry or now >= self._orphans_at):
            self.failed = False
            self._done = asked
            if now >= self._control_at:
                # While an order keeps this process quiet, no answer could bring the next one.
                self._control_at = now + CONTROL
                delivery.ask_control()
            return self._interval if self._asked == asked else 0.0
        self.failed = True
        self._not_before = time.monotonic() + delivery.wait
        notice.detail(f"The server did not take a slice ({delivery.trouble}); next try in {delivery.wait:.1f} s.")
        return delivery.wait

    def _ship(self, *, orphans: bool) -> bool:
        if not self._shipper.ship_own(self._spool):
            return False
        if orphans:
            if not self._shipper.ship_orphans(self._root, self._spool.folder.path):
                return False
            self._orphans_at = time.monotonic() + ORPHANS
        return True

    def flush(self, timeout: float) -> bool:
        """Have all that lies in the spool by now shipped; True when the server has acknowledged it."""
        deadline = time.monotonic() + timeout
        with self._asking:
            self._asked = mine = self._asked + 1
        self.waker.wake()
        # Sleeps, and waits on no lock: under gevent a sleep lets the other greenlets run, and a signal handler may call
        # this while its own thread does.
        while self._done < mine:
            left = deadline - time.monotonic()
            if left <= 0 or self.stopped:
                return False
            time.sleep(min(left, _POLL))
        return True
