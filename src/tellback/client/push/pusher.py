"""The thread that pushes, each `period` seconds."""

import threading
from collections.abc import Callable, Iterable

from tellback.client import notice
from tellback.client.clean import type_name
from tellback.client.push.rules import Rules
from tellback.client.push.values import Value, values

Send = Callable[[Iterable[Value]], None]


class Pusher(Rules):
    """Runs from when it was made until `close`. Never raises into the host."""

    def __init__(self, where: str, send: Send, period: float) -> None:
        super().__init__()
        self._where = where
        self._send = send
        self._period = max(0.05, float(period))
        self._closed = threading.Event()
        self._pushing = threading.Lock()
        threading.Thread(target=self._run, name="tellback-push", daemon=True).start()

    def push(self) -> bool:
        """Push now, in this thread; False if it could not be delivered."""
        with self._pushing:
            try:
                self._send([value for value in values() if self.allows(value.path)])
            except Exception as error:
                notice.once(
                    f"push {self._where}",
                    f"Nothing can be pushed to {self._where} ({type_name(type(error))}: {error}); "
                    f"it is tried again each {self._period:g} s.",
                )
                return False
            notice.forget(f"push {self._where}")
            return True

    def close(self) -> None:
        """Push no more. May be called again."""
        self._closed.set()

    def _run(self) -> None:
        while not self._closed.wait(self._period):
            self.push()
