"""`tellback ship`: sends what lies in a spool. For a sidecar, a preStop hook, a timer, or by hand."""

import argparse
import sys

HELP = "send what dead processes left in a spool"


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", help="of the server; default: TELLBACK_URL")
    parser.add_argument("--token", help="default: TELLBACK_TOKEN")
    parser.add_argument("--spool", help="folder; default: TELLBACK_SPOOL, or the user's cache folder")
    parser.add_argument("--any-token", action="store_true", help="also what was meant for this url with another token")
    parser.add_argument("--watch", action="store_true", help="stay, and look again every interval")
    parser.add_argument("--interval", type=float, default=15.0, metavar="SECONDS", help="of --watch; default 15")


def run(args: argparse.Namespace) -> int:
    from tellback.client import settings

    chosen, wrong = settings.read({"url": args.url, "token": args.token, "spool": args.spool})
    for sentence in wrong:
        print(sentence, file=sys.stderr)
    if not chosen.url:
        print("Where to? Give --url or set TELLBACK_URL, for example http://127.0.0.1:8321.", file=sys.stderr)
        return 2

    import time

    from tellback.client.delivery import Delivery
    from tellback.client.lost import Lost
    from tellback.client.process import Header, token_hash
    from tellback.client.shipper import Shipper
    from tellback.client.transport import Transport

    def mine(header: Header) -> bool:
        """What says it is for this server, and, because a person asks, what says nothing."""
        if header.url is None:
            return True
        return header.url == chosen.url and (args.any_token or header.token_hash == token_hash(chosen.token))

    delivery = Delivery(Transport(chosen.url, chosen.token), chosen.spool, Lost())
    shipper = Shipper(delivery, mine)
    while True:
        before = delivery.records
        complete = shipper.ship_orphans(chosen.spool)
        print(f"{delivery.records - before} records accepted by {chosen.url}.", file=sys.stderr)
        if not complete:
            print(f"The rest stays in {chosen.spool}: {delivery.trouble}.", file=sys.stderr)
        if not args.watch:
            break
        try:
            time.sleep(args.interval if complete else max(delivery.wait, 0.1))
        except KeyboardInterrupt:
            return 0
    if complete:
        return 0
    return 4 if delivery.status in (401, 403) else 3
