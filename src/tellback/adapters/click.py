"""`instrument`: each command of a click or typer program that a person runs, as an event.

    tellback.adapters.click.instrument(cli)()                            # cli: a click command or group
    tellback.adapters.click.instrument(typer.main.get_command(app))()    # app: a typer.Typer

The event's name is the command as it was typed (`rig export`), its duration how long it ran. `attrs` has `exit_code`,
`options` (the names of the parameters given on the command line, never their values: those may be anything), and
`error`, the id of what it failed of. Needs nothing of click's or typer's.
"""

from collections.abc import Callable
from time import perf_counter_ns, time_ns
from typing import Any, Final, TypeVar

from tellback.client import errors
from tellback.client.events import emit

C = TypeVar("C")

_DONE: Final = "_tellback_instrumented"


def instrument(command: C) -> C:
    """Have a command, and the commands of a group, recorded when they are run; gives the same object back. Once for
    each program, at its entry point; a second time does nothing."""
    each: Any = command
    if each is None or getattr(each, _DONE, False):
        return command
    setattr(each, _DONE, True)
    each.invoke = _invoking(each.invoke)
    if hasattr(each, "get_command"):
        # Asked for each time, so that commands which are loaded when they are needed come along.
        find = each.get_command
        each.get_command = lambda *args, **kwargs: instrument(find(*args, **kwargs))
    return command


def _invoking(invoke: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def recorded(ctx: Any) -> Any:
        begin, time, error, code = perf_counter_ns(), time_ns(), "", 0
        try:
            return invoke(ctx)
        except Exception as failure:
            code = _exit_code(failure)
            if code is None:
                code, error = 1, errors.record(failure, attrs={"command": _path(ctx)})
            raise
        except SystemExit as end:
            code = end.code if type(end.code) is int else int(end.code is not None)
            raise
        except BaseException:
            code = 1
            raise
        finally:
            if getattr(ctx, "invoked_subcommand", None) is None:  # else it is the subcommand that was run
                _record(ctx, time, perf_counter_ns() - begin, code, error)

    return recorded


def _exit_code(failure: Exception) -> Any:
    """What click's own exceptions say of how the program ends; None for a failure of the program."""
    code = getattr(failure, "exit_code", None)
    if type(code) is int:
        return code
    return 1 if type(failure).__name__ == "Abort" else None


def _path(ctx: Any) -> str:
    return str(getattr(ctx, "command_path", "") or getattr(ctx, "info_name", "") or "command")


def _record(ctx: Any, time: int, duration: int, code: int, error: str) -> None:
    try:
        attrs: dict[str, Any] = {"exit_code": code, "options": _given(ctx)}
        if error:
            attrs["error"] = error
        level = "error" if error else "info"
        emit("event", _path(ctx), {"time": time, "duration": duration, "level": level}, attrs)
    except Exception:  # noqa: S110 -- Never in the way; a click that keeps its context otherwise loses its event
        pass


def _given(ctx: Any) -> list[str]:
    """Names of the parameters that were given on the command line, of the groups above as well."""
    names: list[str] = []
    while ctx is not None:
        for name in ctx.params:
            source = ctx.get_parameter_source(name)
            if getattr(source, "name", "") == "COMMANDLINE":
                names.append(name)
        ctx = ctx.parent
    return sorted(set(names))
