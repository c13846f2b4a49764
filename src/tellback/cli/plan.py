"""`tellback plan check FILE...`: are these good schemas of events, and do their versions go together?"""

import argparse
import sys
from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tellback.client.schemas.document import Document

HELP = "check the schemas of events and what their new versions break"


def configure(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(title="actions", metavar="ACTION", dest="action", required=True)
    check = actions.add_parser(
        "check",
        help="check schemas, and each version of an event against the one before it",
        description="Prints one line per finding, `file: where: what`, and ends with 1 if there is any.",
    )
    check.add_argument("files", metavar="FILE", nargs="+", help="a schema as JSON or YAML")


def run(args: argparse.Namespace) -> int:
    loaded: list[tuple[str, Document]] = []
    findings = 0
    for line in _alone(args.files, loaded):
        print(line)
        findings += 1
    for line in _together(loaded):
        print(line)
        findings += 1
    events = len({document.id for _, document in loaded})
    print(
        f"{_count(len(args.files), 'file')}, {_count(events, 'event')}, {_count(findings, 'finding')}.", file=sys.stderr
    )
    return 1 if findings else 0


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _alone(files: list[str], loaded: "list[tuple[str, Document]]") -> Iterator[str]:
    """What is wrong with each file by itself; those that can be compared go into `loaded`."""
    from tellback.client.schemas import checks, fallback
    from tellback.client.schemas.document import SchemaError
    from tellback.client.schemas.load import load

    for file in files:
        try:
            document = load(file)
            wrong = fallback.metaschema_error(document)
            if wrong is not None:
                yield f"{file}: {wrong}"
                continue
            try:
                checks.compiled(document)
            except checks.UncompilableError as error:
                fallback.checker(document, str(error))
                print(f"{file}: checked by jsonschema-rs, more slowly: {error} cannot be compiled.", file=sys.stderr)
            loaded.append((file, document))
        except SchemaError as error:
            yield f"{file}: {str(error).removeprefix(f'{file} ')}"


def _together(loaded: "list[tuple[str, Document]]") -> Iterator[str]:
    """What each version of an event breaks against the one before it."""
    from tellback.client.schemas.compatibility import breaks, in_order

    names = {id(document): file for file, document in loaded}
    for event in dict.fromkeys(document.id for _, document in loaded):
        versions = in_order([document for _, document in loaded if document.id == event])
        for old, new in pairwise(versions):
            if old.version == new.version:
                if old.body != new.body:
                    yield f"{names[id(new)]}: /version: {names[id(old)]} says {old.version} too, and differs"
                continue
            for found in breaks(old, new):
                yield f"{names[id(new)]}: {found.where}: {found.what} (version {old.version} -> {new.version})"
