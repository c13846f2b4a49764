"""`tellback serve`: the server."""

import argparse
import os
import sys
from pathlib import Path

HELP = "run the server"

PORT = 8321


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--data",
        metavar="DIR",
        default=os.environ.get("TELLBACK_DATA", "tellback-data"),
        help="where everything lies; made if it is not there (TELLBACK_DATA, default: ./tellback-data)",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default: this machine only)")
    parser.add_argument("--port", type=int, default=PORT, help=f"0 takes a free one (default: {PORT})")
    parser.add_argument(
        "--listen",
        action="append",
        default=[],
        metavar="NAME[=HOST:PORT]",
        help="also listen for another protocol; repeatable or by commas",
    )
    parser.add_argument(
        "--zone", metavar="ZONE", help="reporting time zone, fixed by the first start (default: the machine's)"
    )


def run(args: argparse.Namespace) -> int:
    """0 after SIGTERM or SIGINT, 2 when it cannot begin."""
    import ipaddress
    import logging

    wanted = [name for given in args.listen for name in given.split(",") if name]
    if wanted:
        return _refuse(
            f"--listen {wanted[0]}: this version has no such listener; there are none yet. "
            f"Everything that speaks HTTP goes to --port ({args.port})"
        )
    if not 0 <= args.port <= 65535:
        return _refuse(f"--port {args.port}: a port is a number from 0 to 65535")
    try:
        from tellback.server.app import Settings
        from tellback.server.decisions.database import DatabaseError
        from tellback.server.folder import FolderError
        from tellback.server.serving import AddressError, serve
    except ModuleNotFoundError as error:
        return _refuse(f"{error.name} is missing: pip install 'tellback[server]'")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    # Its ten lines about plugins would bury the link and the token of the first start.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        loopback = args.host == "localhost" or ipaddress.ip_address(args.host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        print(
            f"warning: --host {args.host} lets other machines in, and what they send is not encrypted: "
            "put a proxy with TLS before it",
            file=sys.stderr,
        )
    try:
        serve(Settings(Path(args.data).absolute(), args.host, args.port, args.zone), _say)
    except (AddressError, DatabaseError, FolderError, ValueError) as error:
        return _refuse(str(error))
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


def _refuse(text: str) -> int:
    print(f"tellback serve: {text}", file=sys.stderr)
    return 2
