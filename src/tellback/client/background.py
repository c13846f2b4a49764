"""The two threads of a process, from its first record on; a fork starts its own."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tellback.client import native
from tellback.client.process import Header, token_hash
from tellback.client.settings import Settings

if TYPE_CHECKING:
    from tellback.client.delivery import Delivery
    from tellback.client.keeper import Keeper
    from tellback.client.sender import Sender
    from tellback.client.spool import Spool
    from tellback.client.switch import Switch


class Threads:
    """Starts, wakes and stops keeper and sender."""

    def __init__(self, settings: Settings, switch: "Switch") -> None:
        self._settings = settings
        self._switch = switch
        self.spool: Spool | None = None
        self.keeper: Keeper | None = None
        self.sender: Sender | None = None

    def start(self) -> bool:
        """Start what is not yet running. Called at the first record, so that a process that has none has no threads.

        False in a uWSGI master, which is about to fork without telling Python: whatever a thread holds at that moment
        (the interpreter's lock, the lock of an import) the worker would wait for, for ever. Its workers have threads.
        """
        if self.spool is None or self.keeper is not None:
            return True
        if _about_to_fork():
            return False
        # Imported here: http.client and ssl cost tens of milliseconds, which a program that never records need not pay.
        from tellback.client.keeper import Keeper

        settings = self._settings
        self.keeper = Keeper(self.spool, self._switch, mine(settings))
        native.start(self.keeper.run)
        if settings.url:
            self._start_sender(self.spool, settings.url)
        return True

    def _start_sender(self, spool: "Spool", url: str) -> None:
        from tellback.client.delivery import Delivery
        from tellback.client.sender import Sender
        from tellback.client.shipper import Shipper
        from tellback.client.transport import Transport

        settings = self._settings
        delivery = Delivery(Transport(url, settings.token), settings.spool, spool.lost, self._switch.orders)
        shipper = Shipper(delivery, mine(settings))
        sender = Sender(spool, settings.spool, shipper, settings.interval)
        self.sender = sender
        native.start(sender.run)

    def rotated(self) -> None:
        if self.keeper is not None:
            self.keeper.waker.wake()
        if self.sender is not None:
            self.sender.waker.wake()

    def forked(self) -> None:
        """The parent's threads are not here; what they held is left alone."""
        self.keeper = self.sender = None

    @property
    def delivery(self) -> "Delivery | None":
        """How the server took the last slices, once there is a sender."""
        return None if self.sender is None else self.sender.delivery

    def stop(self) -> None:
        for worker in (self.keeper, self.sender):
            if worker is not None:
                worker.stopped = True
                worker.waker.wake()


def _about_to_fork() -> bool:
    uwsgi: Any = sys.modules.get("uwsgi")  # the module that the server makes; nobody else has one of this name
    try:
        return uwsgi is not None and not (uwsgi.worker_id() or uwsgi.mule_id() or uwsgi.i_am_the_spooler())
    except Exception:
        return False


def mine(settings: Settings) -> Callable[[Header], bool]:
    """Whether a segment is for the server that these settings name.

    One that was written before anybody had said where to goes along if it is the same service's.
    """
    destination = (settings.url, token_hash(settings.token))

    def test(header: Header) -> bool:
        if header.url is None:
            return header.service == settings.service
        return (header.url, header.token_hash) == destination

    return test
