"""`tellback ask`: a question's answer as a table, JSON or CSV."""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from tellback.cli._exit import FINE, USAGE, CommandError
from tellback.cli._place import add_options, place, running
from tellback.cli._table import table

HELP = "answers a question; without a name, lists the questions there are"

_ACCEPT = {"table": "application/json", "json": "application/json", "csv": "text/csv"}


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="such as adoption.active_users")
    parser.add_argument(
        "--param", action="append", default=[], metavar="KEY=VALUE", help="repeatable, such as --param period=week"
    )
    parser.add_argument("--format", choices=tuple(_ACCEPT), default="table")
    add_options(parser)


def run(args: argparse.Namespace) -> int:
    params = [_param(text) for text in args.param]
    where = place(args)
    server = where.server or (running(where.data) if where.data else None)
    if args.name is None:
        if params:
            raise CommandError("--param needs the name of a question before it", USAGE)
        said = server.call("GET", "/api/questions").json()["questions"] if server else _local_catalogue()
        return _show_catalogue(said, args.format)
    if server:
        path = f"/api/questions/{_segment(args.name)}"
        body = server.call("GET", path, params, headers={"Accept": _ACCEPT[args.format]}).body
    else:
        assert where.data is not None
        body = _local_answer(where.data, args.name, params, args.format)
    return _show(body, args.format)


def _param(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise CommandError(f"--param: expected KEY=VALUE, got {text!r}", USAGE)
    return key, value


def _segment(name: str) -> str:
    from urllib.parse import quote

    return quote(name, safe="")


def _show(body: bytes, form: str) -> int:
    if form != "table":
        sys.stdout.buffer.write(body if body.endswith(b"\n") else body + b"\n")
        return FINE
    answer = json.loads(body)
    if answer["rows"]:
        sys.stdout.write(table(answer["rows"]))
    print(about(answer), file=sys.stderr)
    return FINE


def about(answer: dict[str, Any]) -> str:
    """What a reader must know besides the rows: the range, how complete it is, whether there is more."""
    span, complete = answer["range"], answer["complete"]
    parts = [f"{span['from']} to {span['to']} ({span['zone']})"] if span["from"] else []
    parts.append(f"complete through {complete['through']}")
    parts += [f"{complete[name]} {name}" for name in ("missing", "dropped") if complete[name]]
    count = len(answer["rows"])
    text = f"{count} {'row' if count == 1 else 'rows'}: {', '.join(parts)}"
    if answer["next"]:
        text += f"\nmore: --param cursor={answer['next']}"
    return text


def _show_catalogue(questions: list[dict[str, Any]], form: str) -> int:
    if form == "json":
        print(json.dumps({"questions": questions}, ensure_ascii=False))
        return FINE
    rows = [{"question": question["name"], "what it answers": question["title"]} for question in questions]
    if form == "csv":
        import csv

        writer = csv.DictWriter(sys.stdout, ["question", "what it answers"])
        writer.writeheader()
        writer.writerows(rows)
    else:
        sys.stdout.write(table(rows))
    return FINE


def _local_catalogue() -> list[dict[str, Any]]:
    from tellback.server.questions import forms
    from tellback.server.questions.catalogue import catalogue

    return [forms.declaration(question) for question in catalogue().values()]


def _local_answer(data: Path, name: str, params: list[tuple[str, str]], form: str) -> bytes:
    """Opens the data directory itself: no server has it."""
    from tellback.cli._local import opened
    from tellback.server.questions import forms
    from tellback.server.questions.asking import ask
    from tellback.server.questions.catalogue import find
    from tellback.server.questions.contract import QuestionError

    given: dict[str, list[str]] = {}
    for key, value in params:
        given.setdefault(key, []).append(value)
    try:
        question = find(name)
        with opened(data) as store:
            answer = ask(store, name, given)
    except QuestionError as error:
        raise CommandError(error.message, USAGE) from None
    return forms.csv_text(question, answer).encode() if form == "csv" else forms.json_text(answer)
