"""`tellback code`: which functions of a package are called, and which were not observed."""

import argparse
import sys

from tellback.cli._exit import DENIED, FINDING, FINE, UNREACHABLE, USAGE, CommandError
from tellback.cli._place import add_options

HELP = "lists functions that were not observed to be called; tells which ones a package has"

_STATUS = ("not_observed", "seen", "any")


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    listing = actions.add_parser("list", help="lists functions, those first that nobody was seen to use")
    for name in ("service", "release", "module"):
        listing.add_argument(f"--{name}", action="append", default=[], help=f"only of this {name}; may be repeated")
    listing.add_argument("--status", choices=_STATUS, default=_STATUS[0], help=f"default {_STATUS[0]}")
    listing.add_argument("--since", metavar="TIME", help="seen since; a date or RFC 3339; default 30 days ago")
    listing.add_argument("--format", choices=("table", "json", "csv"), default="table")
    add_options(listing)
    listing.set_defaults(action=_list)
    tell = actions.add_parser(
        "tell",
        help="tells the server which functions packages have: when deploying what lives too briefly",
    )
    tell.add_argument("packages", nargs="+", metavar="PACKAGE", help="as it is imported; it is read, not run")
    for name in ("service", "release", "environment"):
        tell.add_argument(f"--{name}", help=f"default: TELLBACK_{name.upper()}")
    tell.add_argument("--url", help="of the server; default: TELLBACK_URL")
    tell.add_argument("--token", help="a write token; default: TELLBACK_TOKEN")
    tell.add_argument("--spool", help="folder; default: TELLBACK_SPOOL, or the user's cache folder")
    tell.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS", help="to wait for it; default 30")
    tell.set_defaults(action=_tell)


def run(args: argparse.Namespace) -> int:
    return int(args.action(args))


def _list(args: argparse.Namespace) -> int:
    from tellback.cli import ask

    args.name = "usage.functions"
    args.param = [f"{name}={value}" for name in ("service", "release", "module") for value in getattr(args, name)]
    if args.status != "any":
        args.param.append(f"status={args.status}")
    if args.since:
        args.param.append(f"from={args.since}")
    return ask.run(args)


def _tell(args: argparse.Namespace) -> int:
    import tellback
    from tellback.client import lifecycle, live
    from tellback.client.usage.inventory import read
    from tellback.client.usage.packages import Packages
    from tellback.client.usage.watch import tell

    sys.path.insert(0, "")  # the folder one is in, as for `python -c`
    try:
        packages = Packages(args.packages)
    finally:
        sys.path.remove("")
    if packages.missing:
        raise CommandError(
            f"no package {', '.join(packages.missing)} is found; run it with the Python that has it "
            "(python -m tellback.cli code tell ...)",
            USAGE,
        )
    places, unread = read(sorted(packages.files()))
    for module in unread:
        print(f"{module} cannot be read; its functions are left out", file=sys.stderr)
    tellback.init(args.service, args.release, args.environment, url=args.url, token=args.token, spool=args.spool)
    if not live.takes("usage", "inventory"):
        print("Nothing was told: recording is off (TELLBACK_DISABLE, DO_NOT_TRACK, TELLBACK_CONFIG).", file=sys.stderr)
        return FINDING
    tell(packages.names, places, unread)
    taken = tellback.flush(args.timeout)
    delivery = lifecycle.delivery()
    tellback.close(0)
    if taken:
        print(f"{len(places):,} functions of {', '.join(packages.names)} are told.", file=sys.stderr)
        return FINE
    why = "no url is set" if delivery is None else delivery.trouble or f"no answer within {args.timeout:g} s"
    print(f"They lie in the spool, not yet with the server: {why}. `tellback ship` tries again.", file=sys.stderr)
    return DENIED if delivery is not None and delivery.status in (401, 403) else UNREACHABLE
