"""Errors that nobody caught: of the program, of a thread, of a finalizer, of an asyncio task.

Each hook records and then calls the one that was there before, so the host prints and does what it always did. What
`asyncio` says of a lost error goes through its logger, whatever the loop (uvloop's too): a filter there sees it and
lets it pass. That needs no loop at hand and changes none; a handler instead would silence Python's last-resort output.
"""

import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from tellback.client import errors
from tellback.client.clean import text

_UNDO: Final[list[Callable[[], None]]] = []


def install() -> None:
    """Have uncaught errors recorded until `remove`."""
    remove()
    import logging  # by `init`, not by the import of the client, which it would double

    _chain(sys, "excepthook", _program)
    _chain(threading, "excepthook", _thread)
    _chain(sys, "unraisablehook", _finalizer)
    logger = logging.getLogger("asyncio")
    logger.addFilter(_loop)
    _UNDO.append(lambda: logger.removeFilter(_loop))


def remove() -> None:
    """Take the hooks back. One that another hook was put over stays in the chain and only hands on."""
    while _UNDO:
        _UNDO.pop()()


def _chain(module: Any, name: str, tell: Callable[..., None]) -> None:
    previous = getattr(module, name)
    telling = True

    def hook(*args: Any) -> Any:
        if telling:
            with suppress(Exception):  # Never in the way; at the interpreter's end anything may be gone
                tell(*args)
        return previous(*args)

    def undo() -> None:
        nonlocal telling
        telling = False
        if getattr(module, name) is hook:
            setattr(module, name, previous)

    setattr(module, name, hook)
    _UNDO.append(undo)


def _record(error: BaseException | None, mechanism: str, **more: Any) -> None:
    if isinstance(error, Exception):  # KeyboardInterrupt, SystemExit and their like are no failures
        told = {"handled": False, "mechanism": mechanism} | {key: value for key, value in more.items() if value}
        # The program ends by what reaches the hook of the interpreter.
        errors.record(error, level="fatal" if mechanism == "sys.excepthook" else "error", attrs=told)


def _program(kind: object, error: BaseException, traceback: object) -> None:
    _record(error, "sys.excepthook")


def _thread(args: threading.ExceptHookArgs) -> None:
    name = None if args.thread is None else args.thread.name
    _record(args.exc_value, "threading.excepthook", **{"thread.name": name})


def _finalizer(unraisable: "sys.UnraisableHookArgs") -> None:
    # Its object is not looked at: it is half gone, and to keep it would bring it back.
    _record(unraisable.exc_value, "sys.unraisablehook", **{"mechanism.message": unraisable.err_msg})


def _loop(record: Any) -> bool:
    with suppress(Exception):  # Never in the way
        if record.exc_info:
            said = text(record.msg.split("\n", 1)[0], 1_024)[0] if type(record.msg) is str else None
            _record(record.exc_info[1], "asyncio", **{"mechanism.message": said})
    return True
