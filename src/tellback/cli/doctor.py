"""`tellback doctor`: says in words a person can act on whether server, token, clock and spool are well."""

import argparse
import os
import time
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from tellback.cli._check import Check
from tellback.cli._exit import FINDING, FINE, CommandError
from tellback.cli._http import Reply, Server
from tellback.cli._place import DEFAULT_URL, add_options, place, running
from tellback.version import __version__

HELP = "checks server, token, clock and spool, and says what to do"

SKEW = 5.0
"""Seconds. The Date header is whole seconds and a request takes a while; less cannot be told apart from none."""

TIMEOUT = 10.0


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--spool", metavar="DIR", help="the client's spool (TELLBACK_SPOOL; the user's cache folder)")
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    from tellback.cli import _spool

    checks = [*_server(args), *_spool.checks(args.spool or os.environ.get("TELLBACK_SPOOL"))]
    for check in checks:
        print(f"{'ok  ' if check.good else 'BAD '} {check.what}: {check.words}")
    findings = sum(not check.good for check in checks)
    print("all is well" if not findings else f"{findings} to look at", flush=True)
    return FINDING if findings else FINE


def _server(args: argparse.Namespace) -> Iterator[Check]:
    try:
        where = place(args)
        server = where.server or (running(where.data) if where.data else None)
    except CommandError as error:
        yield Check("server", False, str(error))
        return
    if server is None:
        yield Check("server", False, f"none runs on {where.data}; start it: tellback serve --data {where.data}")
        return
    has_token = bool(where.data or args.token or os.environ.get("TELLBACK_TOKEN"))
    try:
        before = time.time()
        reply = server.send("GET", "/healthz", timeout=TIMEOUT)
        after = time.time()
    except CommandError as error:
        yield Check("server", False, str(error))
        return
    yield from _health(server, reply)
    if reply.status == 200:
        yield _ready(server)
        yield _clock(reply, before, after)
        yield _token(server, has_token)


def _health(server: Server, reply: Reply) -> Iterator[Check]:
    try:
        version = str(reply.json()["version"])
    except (CommandError, KeyError, TypeError):
        words = f"{server.url} answers {reply.status}, but not as a Tellback server does"
        yield Check("server", False, f"{words}; check --url (default {DEFAULT_URL})")
        return
    yield Check("server", reply.status == 200, f"{server.url} answers {reply.status}")
    same = version == __version__
    advice = "" if same else f", this command {__version__}: install the same version on both sides"
    yield Check("version", same, f"the server has {version}{advice}")


def _ready(server: Server) -> Check:
    try:
        reply = server.send("GET", "/readyz", timeout=TIMEOUT)
    except CommandError as error:
        return Check("ready", False, str(error))
    if reply.status == 200:
        return Check("ready", True, "it takes records and answers questions")
    said = reply.body.decode(errors="replace").strip()[:300]
    return Check("ready", False, f"it does not take records now ({reply.status}): {said}; see the server's log")


def _clock(reply: Reply, before: float, after: float) -> Check:
    try:
        there = parsedate_to_datetime(reply.headers["Date"]).timestamp()
    except (TypeError, ValueError):
        return Check("clock", True, "the server does not tell its time; not compared")
    # The header is cut to whole seconds, so the server's time lies somewhere in [there, there + 1).
    skew = max(before - (there + 1), there - after, 0.0)
    if skew <= SKEW:
        return Check("clock", True, "this machine's and the server's agree")
    ahead = "ahead of" if before > there else "behind"
    return Check(
        "clock",
        False,
        f"this machine is {skew:.0f} s {ahead} the server; set both by NTP, else records get wrong times",
    )


def _token(server: Server, has_token: bool) -> Check:
    if not has_token:
        return Check(
            "token", False, "none given; use --token or TELLBACK_TOKEN (`tellback token new --write` makes one)"
        )
    try:
        reply = server.send("GET", "/api/me", timeout=TIMEOUT)
        if reply.status == 401:
            return Check("token", False, "unknown or revoked; make another: tellback token new --write")
        me = reply.json()
        scopes = ", ".join(me["scopes"])
        return Check("token", True, f"accepted; it may {scopes}, its records go to project {me['project']}")
    except (CommandError, KeyError, TypeError) as error:
        return Check("token", False, f"could not be checked: {error}")
