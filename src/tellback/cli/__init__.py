"""The command `tellback`. One file per command, found by being here.

A command's file has `HELP: str` (one line), `configure(parser)` and `run(args) -> int`; what it needs of the server it
imports inside `run`, so that a command costs what it uses and the client alone is enough for those that need no more.
Files that begin with an underscore are no commands.

Exit codes: 0 fine, 1 a finding, 2 usage, 3 unreachable, 4 denied. Results go to standard output, all else to standard
error.
"""

import argparse
import importlib
import os
import pkgutil
import sys
from collections.abc import Sequence
from types import ModuleType

from tellback.cli._exit import FINDING, USAGE, CommandError
from tellback.version import __version__

_SERVER = frozenset(
    {"alembic", "duckdb", "httptools", "jinja2", "sqlalchemy", "starlette", "tzdata", "uvicorn", "zstandard"}
)
"""What `tellback[server]` brings."""

_INTERRUPTED = 130


def main(argv: Sequence[str] | None = None) -> int:
    words = list(sys.argv[1:] if argv is None else argv)
    name = words[0] if words and words[0] in commands() else None
    try:
        parser = _parser(name)
        args = parser.parse_args(words)
        if not hasattr(args, "run"):
            parser.print_help(sys.stderr)
            return USAGE
        code = int(args.run(args))
        sys.stdout.flush()
        return code
    except CommandError as error:
        print(f"tellback: {error}", file=sys.stderr)
        return error.code
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in _SERVER:
            raise
        print(f"tellback: this needs the server ({error.name}): pip install 'tellback[server]'", file=sys.stderr)
        return USAGE
    except BrokenPipeError:
        # Who reads has seen enough (`| head`); the interpreter's own flush at exit must not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FINDING
    except KeyboardInterrupt:
        return _INTERRUPTED


def commands() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.name.startswith("_"))


def _parser(only: str | None) -> argparse.ArgumentParser:
    """`only` is the command at hand: the others are then not even imported."""
    parser = argparse.ArgumentParser(prog="tellback", description="Telemetry in the hands of the people who use it.")
    parser.add_argument("--version", action="version", version=f"tellback {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name in [only] if only else commands():
        module: ModuleType = importlib.import_module(f"{__name__}.{name}")
        command = subparsers.add_parser(name, help=module.HELP, description=module.HELP)
        module.configure(command)
        command.set_defaults(run=module.run)
    return parser
