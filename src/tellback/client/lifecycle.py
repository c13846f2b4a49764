"""`init`, `flush`, `close`, and the end of the process."""

import atexit
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tellback.client import live, notice, settings
from tellback.client.background import Threads
from tellback.client.context import EMPTY
from tellback.client.fork import after_fork
from tellback.client.process import header
from tellback.client.spool import DurableSpool, Spool
from tellback.client.switch import Switch

if TYPE_CHECKING:
    from tellback.client.delivery import Delivery

AT_EXIT: Final = 0.5
"""Seconds that the end of a process waits for the server at most; none at all if it did not answer the last time."""

_threads: Threads | None = None
_registered = False


def init(
    service: str | None = None,
    release: str | None = None,
    environment: str | None = None,
    user: str | None = None,
    *,
    url: str | None = None,
    token: str | None = None,
    spool: str | os.PathLike[str] | None = None,
    interval: float | None = None,
    disable: bool | None = None,
    config: str | os.PathLike[str] | None = None,
    debug: bool | None = None,
    durable: bool = False,
) -> None:
    """Start recording. Call it once, at the entry point of a program; libraries never do.

    What is not given is taken from the environment: TELLBACK_SERVICE, TELLBACK_RELEASE, TELLBACK_ENVIRONMENT,
    TELLBACK_USER, TELLBACK_URL, TELLBACK_TOKEN, TELLBACK_SPOOL, TELLBACK_INTERVAL (seconds), TELLBACK_DISABLE (or
    DO_NOT_TRACK), TELLBACK_CONFIG (a file: `{"disable_all": true}` silences, live), TELLBACK_DEBUG.

    Without a url records are kept in the spool, within its budget. `durable` syncs each record to the disk before its
    call returns: it then survives a power cut, too, and costs what the disk costs.

    Never raises: what is wrong is said by the logger `tellback`, with what holds instead. Called again, it starts anew.
    """
    global _threads, _registered
    try:
        _shut()
        given = {
            "service": service, "release": release, "environment": environment, "user": user, "url": url,
            "token": token, "spool": spool, "interval": interval, "disable": disable, "config": config,
            "debug": debug, "durable": durable,
        }  # fmt: skip
        chosen, wrong = settings.read(given)
        if chosen.debug:
            notice.audible()
        for sentence in wrong:
            notice.say(sentence)
        if chosen.disable:
            return
        switch = Switch(chosen.config)
        threads = Threads(chosen, switch)
        make = DurableSpool if chosen.durable else Spool
        made = make(chosen.spool, lambda start: header(chosen, start), threads)
        threads.spool = made
        _threads = threads
        live.base = EMPTY.extended({"user": chosen.user} if chosen.user else {})
        after_fork(_after_fork)
        if not _registered:
            atexit.register(_at_exit)
            _registered = True
        live.spool = made
        switch.apply(made)
    except OSError as error:
        where = Path(str(error.filename)) if error.filename else "the spool"
        notice.say(
            f"Nothing is recorded: {where} cannot be used ({error.strerror or error}). "
            "Set TELLBACK_SPOOL to a folder on a local disk that this user may write to."
        )
    except Exception as error:
        notice.say(f"Nothing is recorded: {type(error).__name__}: {error}.")


def flush(timeout: float = 5.0) -> bool:
    """Ship all that lies in the spool, this process's records up to now and what dead processes left.

    True when the server has acknowledged it; False after `timeout` seconds, before `init`, without a url. Never raises.
    """
    threads = _threads
    if threads is None or threads.spool is None:
        return False
    try:
        if threads.spool.pid != os.getpid():
            return True  # a fork that has recorded nothing; the parent ships its own
        threads.spool.begin()
        if threads.keeper is not None:
            threads.keeper.tell_lost()
        return threads.sender is not None and threads.sender.flush(timeout)
    except Exception:
        return False


def close(timeout: float = 1.0) -> None:
    """Stop recording: give the server `timeout` seconds to take what is there, and leave the rest to the next process.

    Calls are quiet no-ops afterwards, until the next `init`. Never raises.
    """
    if _threads is not None and _threads.spool is not None and _threads.spool.pid == os.getpid():
        _last_flush(timeout)
    _shut()


def started() -> bool:
    """Whether `init` was called and not switched off; the red button does not count. For adapters that call it."""
    return _threads is not None


def delivery() -> "Delivery | None":
    """How the server took the last slices; None before anything was shipped. For the command line."""
    return None if _threads is None else _threads.delivery


def _last_flush(timeout: float) -> None:
    threads = _threads
    if threads is None or threads.spool is None:
        return
    if threads.keeper is not None:
        with suppress(Exception):  # what was dropped is told with the next process's lines, or not at all
            threads.keeper.tell_lost(patience=0.1)
    if not threads.spool.holds_lines():
        return
    sender = threads.sender
    if sender is not None and not sender.failed:
        flush(timeout)


def _shut() -> None:
    global _threads
    threads, _threads = _threads, None
    live.off()
    if threads is not None:
        threads.stop()
        if threads.spool is not None:
            with suppress(Exception):  # what is left lies in the spool for the next process
                threads.spool.close()


def _at_exit() -> None:
    """Not `close`: exit handlers that were registered before `init`, and finalizers, come after this one, and what they
    record is as little lost as any other. The sender goes on for as long as there is an interpreter."""
    threads = _threads
    if threads is None or threads.spool is None or threads.spool.pid != os.getpid():
        return
    _last_flush(AT_EXIT)
    if threads.keeper is not None:
        threads.keeper.stopped = True
        threads.keeper.waker.wake()
    with suppress(Exception):  # what is left lies in the spool for the next process
        threads.spool.rest()


def _after_fork() -> None:
    """In a child that Python forked: do not hold the parent's lock, even if this process never records."""
    threads = _threads
    if threads is not None and threads.spool is not None:
        threads.spool.inherited()
