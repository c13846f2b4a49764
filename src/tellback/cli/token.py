"""`tellback token`: makes, lists and revokes tokens."""

import argparse
import json
import sys
from typing import Any

from tellback.cli._exit import FINDING, FINE, USAGE, CommandError
from tellback.cli._place import Place, add_options, place
from tellback.cli._table import table

HELP = "makes, lists and revokes tokens"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    new = actions.add_parser("new", help="makes a token and prints it, this once")
    for scope, what in (("write", "may send records"), ("read", "may ask questions"), ("admin", "may do all else")):
        new.add_argument(f"--{scope}", dest="scopes", action="append_const", const=scope, help=what)
    new.add_argument(
        "--project",
        help="where its records go (default 1); the only project that it reads (default: every one)",
    )
    new.set_defaults(action=_new)
    listing = actions.add_parser("list", help="lists all tokens, without their secrets")
    listing.add_argument("--format", choices=("table", "json"), default="table")
    listing.set_defaults(action=_list)
    revoke = actions.add_parser("revoke", help="makes a token useless, within a second")
    revoke.add_argument("id", help="as `tellback token list` shows it")
    revoke.set_defaults(action=_revoke)
    for action in (new, listing, revoke):
        add_options(action)


def run(args: argparse.Namespace) -> int:
    return int(args.action(args))


def _new(args: argparse.Namespace) -> int:
    if not args.scopes:
        raise CommandError("say what it may: --write, --read or --admin (several go together)", USAGE)
    where = place(args)
    if where.server:
        order = json.dumps({"scopes": args.scopes, "project": args.project}).encode()
        print(where.server.call("POST", "/api/tokens", body=order).json()["token"])
        return FINE
    from tellback.cli._local import access

    with access(where.data) as gate:
        try:
            print(gate.new_token(args.scopes, args.project).token)
        except ValueError as error:
            raise CommandError(str(error), USAGE) from None
    return FINE


def _list(args: argparse.Namespace) -> int:
    rows = _tokens(place(args))
    if args.format == "json":
        print(json.dumps(rows))
    elif rows:
        sys.stdout.write(table([{**row, "scopes": " ".join(row["scopes"])} for row in rows]))
    else:
        print("no tokens; `tellback token new --write` makes one", file=sys.stderr)
    return FINE


def _tokens(where: Place) -> list[dict[str, Any]]:
    if where.server:
        found: list[dict[str, Any]] = where.server.call("GET", "/api/tokens").json()["tokens"]
        return found
    import msgspec

    from tellback.cli._local import access

    with access(where.data) as gate:
        built: list[dict[str, Any]] = msgspec.to_builtins(gate.list_tokens(), order="deterministic")
        return built


def _revoke(args: argparse.Namespace) -> int:
    where = place(args)
    if where.server:
        from urllib.parse import quote

        reply = where.server.send("DELETE", f"/api/tokens/{quote(args.id, safe='')}")
        if reply.status == 404:
            return _not_there(args.id)
        if reply.status >= 300:
            where.server.call("DELETE", f"/api/tokens/{quote(args.id, safe='')}")
    else:
        from tellback.cli._local import access

        with access(where.data) as gate:
            if not gate.revoke(args.id):
                return _not_there(args.id)
    print(f"token {args.id} is revoked", file=sys.stderr)
    return FINE


def _not_there(token_id: str) -> int:
    print(f"tellback: no token {token_id} that is not revoked; see `tellback token list`", file=sys.stderr)
    return FINDING
