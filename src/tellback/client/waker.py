"""Wakes a background thread from anywhere."""

from queue import Empty

from tellback.client.native import SimpleQueue


class Waker:
    """`SimpleQueue.put` is the one wake-up in the standard library that may be called from a signal handler or a
    finalizer that interrupted another call of it; `threading.Event.set` would wait for itself for ever."""

    __slots__ = ("_queue",)

    def __init__(self) -> None:
        self._queue: SimpleQueue[None] = SimpleQueue()

    def wake(self) -> None:
        self._queue.put(None)

    def wait(self, seconds: float) -> None:
        """Until woken, at most so long."""
        try:
            self._queue.get(timeout=seconds)
            while True:  # many wake-ups are one
                self._queue.get_nowait()
        except Empty:
            return
