"""`init`, `flush`, `close`, and the end of the process."""

import atexit
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tellback.client import chores, folder, live, notice, settings
from tellback.client import hooks as uncaught
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
    hooks: bool = True,
    console: bool | None = None,
) -> None:
    """Start recording. Call it once, at the entry point of a program; libraries never do.

    What is not given is taken from the environment: TELLBACK_SERVICE, TELLBACK_RELEASE, TELLBACK_ENVIRONMENT,
    TELLBACK_USER, TELLBACK_URL, TELLBACK_TOKEN, TELLBACK_SPOOL, TELLBACK_INTERVAL (seconds), TELLBACK_DISABLE (1, or
    what to leave out: `kind:log,name:debug.*`; DO_NOT_TRACK is the same as 1), TELLBACK_CONFIG (a file of rules that
    is watched: `{"disable_all": true}` silences, live; docs/spec/control.md), TELLBACK_DEBUG (says what happens).
    TRACEPARENT and BAGGAGE, which `tellback.environ` makes for a subprocess, say which trace and run this program is
    a part of.

    Without a url records are kept in the spool, within its budget. `durable` syncs each record to the disk before its
    call returns: it then survives a power cut, too, and costs what the disk costs. `hooks` records the errors that
    nobody caught in the program, its threads, finalizers and asyncio tasks; what was to happen then happens as before.
    `console` writes each record as a line for people to standard error, too; also on with `debug`.

    Never raises: what is wrong is said by the logger `tellback`, with what holds instead. Called again, it starts anew.
    """
    global _threads, _registered
    try:
        _shut()
        given = {
            "service": service, "release": release, "environment": environment, "user": user, "url": url,
            "token": token, "spool": spool, "interval": interval, "disable": disable, "config": config,
            "debug": debug, "durable": durable, "console": console,
        }  # fmt: skip
        chosen, wrong = settings.read(given)
        if chosen.debug:
            notice.audible()
        else:
            notice.quiet()
        for sentence in wrong:
            notice.say(sentence)
        if chosen.disable:
            notice.detail("Nothing is recorded, for it is switched off (TELLBACK_DISABLE, DO_NOT_TRACK or disable=).")
            return
        switch = Switch(chosen.config, chosen.rules)
        threads = Threads(chosen, switch)
        made = threads.spool = _made(chosen, threads)
        if chosen.url and chosen.token:
            from tellback.client.orders import Orders  # what never ships needs none

            switch.orders = Orders(chosen.spool, chosen.url, chosen.token)
        _threads = threads
        live.identity = (chosen.service, chosen.release, chosen.url)
        live.base = EMPTY.extended({"user": chosen.user, **_inherited()})
        after_fork(_after_fork)
        if not _registered:
            atexit.register(_at_exit)
            _registered = True
        live.spool = made
        notice.detail(_words(chosen))
        switch.apply(made)
        if hooks:
            uncaught.install()
        for action in live.begun:
            action()
    except OSError as error:
        where = Path(str(error.filename)) if error.filename else "the spool"
        notice.say(
            f"Nothing is recorded: {where} cannot be used ({error.strerror or error}). "
            "Set TELLBACK_SPOOL to a folder on a local disk that this user may write to."
        )
    except Exception as error:
        notice.say(f"Nothing is recorded: {type(error).__name__}: {error}.")


def _kind(chosen: settings.Settings) -> type[Spool]:
    if chosen.console:
        from tellback.client.console import DurableEcho, Echo

        return DurableEcho if chosen.durable else Echo
    return DurableSpool if chosen.durable else Spool


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
        chores.run(hurry=True)
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


def _made(chosen: settings.Settings, threads: Threads) -> Spool:
    """The spool, in its own place or else in the second one. OSError if neither will do."""
    make = _kind(chosen)
    second = folder.second_choice()
    try:
        if chosen.spool == second:
            folder.claim_second_choice()
        return make(chosen.spool, lambda start: header(chosen, start), threads)
    except OSError as error:
        if chosen.spool == second:
            raise
        folder.claim_second_choice()
        made = make(second, lambda start: header(chosen, start), threads)
        notice.say(
            f"The spool {chosen.spool} cannot be used ({error.strerror or error}); {second} is used. "
            "Set TELLBACK_SPOOL to a folder on a local disk that this user may write to."
        )
        return made


def _inherited() -> dict[str, str]:
    if "TRACEPARENT" not in os.environ and "BAGGAGE" not in os.environ:
        return {}
    from tellback.client.propagation import from_environment  # a program that nobody started so need not load it

    return from_environment()


def _words(chosen: settings.Settings) -> str:
    what = " ".join(filter(None, (chosen.service, chosen.release))) or "this program (it names no service)"
    where = f"and to {chosen.url} every {chosen.interval:g} s" if chosen.url else "and stay there: no url is set"
    token = "" if chosen.token or not chosen.url else "; no token is set, so a server will refuse them"
    return f"Records of {what} go to {chosen.spool} {where}{token}. `tellback show` prints what lies there."


def _last_flush(timeout: float) -> None:
    threads = _threads
    if threads is None or threads.spool is None:
        return
    chores.run(hurry=True)
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
    chores.end()
    live.off()
    uncaught.remove()
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
    chores.end()
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
