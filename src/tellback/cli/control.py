"""`tellback control`: what the clients of a server may record, until when."""

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from tellback.cli._exit import FINDING, FINE, USAGE, CommandError
from tellback.cli._place import Place, add_options, place

HELP = "orders what clients may record: switches off, samples, limits"

_LAST = re.compile(r"(\d{1,7})\s*(s|min|m|h|d)")
_UNITS = {"s": 1, "min": 60, "m": 60, "h": 3600, "d": 86_400}


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    give = actions.add_parser("set", help="gives an order, which clients obey from the next answer on")
    give.add_argument("rules", help='a file of rules, - for standard input, or the rules: {"disable": ["kind:log"]}')
    give.add_argument("--for", dest="last", required=True, metavar="TIME", help="how long it holds: 30min, 12h, 7d")
    give.set_defaults(action=_set)
    show = actions.add_parser("show", help="prints the order that is in force, as JSON")
    show.set_defaults(action=_show)
    clear = actions.add_parser("clear", help="takes it back")
    clear.set_defaults(action=_clear)
    for action in (give, show, clear):
        action.add_argument("--project", default="1", help="whose clients; default 1")
        add_options(action)


def run(args: argparse.Namespace) -> int:
    return int(args.action(args))


def _set(args: argparse.Namespace) -> int:
    from tellback import rules

    match = _LAST.fullmatch(args.last)
    if match is None:
        raise CommandError(f"--for: expected a time such as 30min, 12h or 7d, got {args.last!r}", USAGE)
    seconds = int(match[1]) * _UNITS[match[2]]
    text = _text(args.rules)
    try:
        rules.parse(text)
    except rules.RulesError as error:
        raise CommandError(f"rules: {error}", USAGE) from None
    said = json.loads(text)
    where = place(args)
    if where.server:
        order = json.dumps({"rules": said, "seconds": seconds, "project": args.project}).encode()
        where.server.call("PUT", "/api/control", body=order)
    else:
        from tellback.cli._local import decisions
        from tellback.server.control import Control

        with decisions(where.data) as opened:
            try:
                Control(opened).give(args.project, said, seconds)
            except ValueError as error:
                raise CommandError(str(error), USAGE) from None
    print(f"it holds for {args.last}; `tellback control clear` takes it back", file=sys.stderr)
    return FINE


def _show(args: argparse.Namespace) -> int:
    print(json.dumps(_standing(place(args), args.project)))
    return FINE


def _standing(where: Place, project: str) -> dict[str, Any]:
    if where.server:
        found: dict[str, Any] = where.server.call("GET", "/api/control", [("project", project)]).json()
        return found
    from tellback.cli._local import decisions
    from tellback.server import times
    from tellback.server.control import Control

    with decisions(where.data) as opened:
        standing = Control(opened).standing(project)
    if standing is None:
        return {"rules": {}, "issued": None, "expires": None}
    return {"rules": standing.rules, "issued": times.text(standing.issued), "expires": times.text(standing.expires)}


def _clear(args: argparse.Namespace) -> int:
    where = place(args)
    if where.server:
        reply = where.server.send("DELETE", "/api/control", [("project", args.project)])
        if reply.status != 404 and reply.status >= 300:
            where.server.call("DELETE", "/api/control", [("project", args.project)])
        cleared = reply.status < 300
    else:
        from tellback.cli._local import decisions
        from tellback.server.control import Control

        with decisions(where.data) as opened:
            cleared = Control(opened).withdraw(args.project)
    if not cleared:
        print(f"no order is in force for project {args.project!r}", file=sys.stderr)
    return FINE if cleared else FINDING


def _text(given: str) -> str:
    if given == "-":
        return sys.stdin.read()
    if given.lstrip().startswith("{"):
        return given
    try:
        return Path(given).read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise CommandError(f"{given} cannot be read: {error}", USAGE) from None
