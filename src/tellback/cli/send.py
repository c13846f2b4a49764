"""`tellback send NAME key=value ...`: one event from a shell."""

import argparse
import re
import sys
from typing import Any

HELP = "send one event: tellback send NAME key=value ..."

_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
_WORDS = {"true": True, "false": False, "null": None}
_OWN = ("user", "session", "run", "trace", "span", "parent", "level", "message")


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="what happened")
    parser.add_argument(
        "attributes",
        metavar="key=value",
        nargs="*",
        help="3, 1.5, true, null are taken as such, '\"3\"' is text",
    )
    for name in _OWN:
        parser.add_argument(f"--{name}", help=f"the record's {name}")
    parser.add_argument("--time", type=int, help="ns since epoch; default now")
    parser.add_argument("--duration", type=float, metavar="SECONDS")
    parser.add_argument("--value", type=float)
    for name in ("service", "release", "environment"):
        parser.add_argument(f"--{name}", help=f"default: TELLBACK_{name.upper()}")
    parser.add_argument("--url", help="of the server; default: TELLBACK_URL")
    parser.add_argument("--token", help="default: TELLBACK_TOKEN")
    parser.add_argument("--spool", help="folder; default: TELLBACK_SPOOL, or the user's cache folder")
    parser.add_argument("--timeout", type=float, default=5.0, metavar="SECONDS", help="to wait for it; default 5")


def run(args: argparse.Namespace) -> int:
    import tellback
    from tellback.client import lifecycle, live

    attrs: dict[str, Any] = {}
    for pair in args.attributes:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            print(f"{pair!r} is no key=value.", file=sys.stderr)
            return 2
        attrs[key] = value_of(text)
    clash = sorted(set(attrs) & {*_OWN, "time", "duration", "value"})
    if clash:
        print(f"{clash[0]} is the record's own: write --{clash[0]}.", file=sys.stderr)
        return 2
    tellback.init(
        service=args.service,
        release=args.release,
        environment=args.environment,
        url=args.url,
        token=args.token,
        spool=args.spool,
    )
    if not live.takes("event", args.name):
        print("Nothing was sent: recording is off (TELLBACK_DISABLE, DO_NOT_TRACK, TELLBACK_CONFIG).", file=sys.stderr)
        return 1
    own = {name: getattr(args, name) for name in (*_OWN, "time", "value")}
    duration = None if args.duration is None else round(args.duration * 1e9)
    tellback.event(args.name, **own, duration=duration, **attrs)
    if tellback.flush(args.timeout):
        tellback.close(0)
        return 0
    delivery = lifecycle.delivery()
    why = "no url is set" if delivery is None else delivery.trouble or f"no answer within {args.timeout:g} s"
    print(f"The event lies in the spool, not yet with the server: {why}. `tellback ship` tries again.", file=sys.stderr)
    denied = delivery is not None and delivery.status in (401, 403)
    tellback.close(0)
    return 4 if denied else 3


def value_of(text: str) -> Any:
    """A shell's word as the value it means."""
    import msgspec

    if text in _WORDS:
        return _WORDS[text]
    if _NUMBER.fullmatch(text) or (len(text) > 1 and text[0] == text[-1] == '"'):
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
    return text
