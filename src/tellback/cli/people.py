"""`tellback people`: the directory of people, who is in which team."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tellback.cli._exit import FINDING, FINE, CommandError
from tellback.cli._place import Place, add_options, place
from tellback.cli._table import table

HELP = "imports and lists the directory of people and their teams"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    importing = actions.add_parser(
        "import",
        help="replaces the whole directory by a CSV file",
        description="Replaces the whole directory by a CSV file whose first line names the columns: user and team, and "
        "name or others if you like. Bad lines are named and left out (exit code 1); a file without a good line "
        "changes nothing.",
    )
    importing.add_argument("file", help="the file; - is standard input")
    importing.set_defaults(action=_import)
    listing = actions.add_parser("list", help="lists the directory")
    listing.add_argument("--format", choices=("table", "json"), default="table")
    listing.set_defaults(action=_list)
    for action in (importing, listing):
        add_options(action)


def run(args: argparse.Namespace) -> int:
    return int(args.action(args))


def _import(args: argparse.Namespace) -> int:
    where = place(args)
    try:
        raw = sys.stdin.buffer.read() if args.file == "-" else Path(args.file).read_bytes()
    except OSError as error:
        raise CommandError(f"{args.file}: {error.strerror}; nothing has changed") from None
    report = _replace(where, raw, args.file)
    for line in report["bad"]:
        print(f"{args.file}:{line['line']}: {line['reason']}", file=sys.stderr)
    bad = len(report["bad"])
    left_out = f", {bad} bad {'line' if bad == 1 else 'lines'}" if bad else ""
    print(f"{report['imported']} people imported{left_out}", file=sys.stderr)
    return FINDING if report["bad"] else FINE


def _replace(where: Place, raw: bytes, name: str) -> dict[str, Any]:
    if where.server:
        report: dict[str, Any] = where.server.call(
            "PUT", "/api/people", body=raw, headers={"Content-Type": "text/csv"}
        ).json()
        return report
    import msgspec

    from tellback.cli._local import decisions
    from tellback.server.people import directory
    from tellback.server.people.table import FileError

    with decisions(where.data) as opened:
        try:
            built: dict[str, Any] = msgspec.to_builtins(directory.import_csv(opened, raw))
        except FileError as error:
            raise CommandError(f"{name}: {error}; nothing has changed") from None
        return built


def _list(args: argparse.Namespace) -> int:
    where = place(args)
    if where.server:
        people = where.server.call("GET", "/api/people").json()["people"]
    else:
        import msgspec

        from tellback.cli._local import decisions
        from tellback.server.people import directory

        with decisions(where.data) as opened:
            people = msgspec.to_builtins(directory.people(opened))
    if args.format == "json":
        print(json.dumps(people, ensure_ascii=False))
    elif people:
        extra = any(person["extra"] for person in people)
        sys.stdout.write(table(people, ["user", "team", "name", *(["extra"] if extra else [])]))
    else:
        print("nobody; `tellback people import FILE.csv` fills the directory", file=sys.stderr)
    return FINE
