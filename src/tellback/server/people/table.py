"""Reads the directory of people from a CSV file, as it comes out of a spreadsheet or another system."""

import csv
import io
from dataclasses import dataclass, field

import msgspec

from tellback.record import MAX_TEXT


class Person(msgspec.Struct, frozen=True):
    user: str
    team: str | None
    name: str | None = None
    extra: dict[str, str] = {}
    """The other columns of the file that have a value."""


class BadLine(msgspec.Struct, frozen=True):
    line: int
    """The first line of the file is 1."""
    reason: str


MAX_BAD = 10_000
"""Bad lines that are named. A file with more of them is another kind of file."""


class FileError(Exception):
    """The file as a whole cannot be used; nothing may change."""


@dataclass
class Table:
    people: list[Person] = field(default_factory=list)
    bad: list[BadLine] = field(default_factory=list)


def read(raw: bytes) -> Table:
    """`user,team[,name,...]` with a header in any order and case; comma, semicolon or tab; UTF-8 (with or without BOM),
    UTF-16 with BOM, else Windows-1252. Bad lines are named and left out. FileError when there is no good line.
    """
    text = _decoded(raw)
    if "\0" in text:
        raise FileError("this is no text file: it has NUL characters")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    header: list[str] | None = None
    table = Table()
    seen: dict[str, int] = {}
    good: dict[str, Person] = {}
    before = 0
    while True:
        if len(table.bad) > MAX_BAD:
            raise FileError(f"more than {MAX_BAD} lines are bad; line {table.bad[0].line}: {table.bad[0].reason}")
        line, before = before + 1, before
        try:
            cells = [cell.strip() for cell in next(lines)]
        except StopIteration:
            break
        except csv.Error as error:
            before = max(lines.line_num, line)
            unread = f"; it goes on to line {before}, what lies between was not read" if before > line else ""
            table.bad.append(BadLine(line, f"not CSV ({error}){unread}"))
            continue
        before = lines.line_num
        if not any(cells):
            continue
        if header is None:
            header = _header(cells)
            continue
        reason, person = _person(header, cells)
        if person is None:
            table.bad.append(BadLine(line, reason))
            continue
        if person.user in seen:
            table.bad.append(
                BadLine(seen[person.user], f"user {person.user!r} is there again in line {line}, which counts")
            )
        seen[person.user] = line
        good[person.user] = person
    if header is None:
        raise FileError("the file is empty; expected a first line user,team and one line for each person")
    table.people = list(good.values())
    table.bad.sort(key=lambda bad: bad.line)
    if not table.people:
        raise FileError(_nobody(table))
    return table


def _nobody(table: Table) -> str:
    if not table.bad:
        return "the file has a first line and no people"
    return f"the file has no good line; line {table.bad[0].line}: {table.bad[0].reason}"


def _decoded(raw: bytes) -> str:
    encoding = "utf-16" if raw.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig"
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        if encoding == "utf-16":
            raise FileError("the file begins as UTF-16 and is not; save it as UTF-8") from None
    # What spreadsheets on Windows save as "CSV".
    return raw.decode("cp1252", errors="replace")


def _delimiter(text: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return max(",;\t", key=first.count)


def _header(cells: list[str]) -> list[str]:
    header = [cell.lower() for cell in cells]
    for name in ("user", "team"):
        if name not in header:
            raise FileError(
                f"the first line must name the columns user and team (others are kept); it names {', '.join(cells)}"
            )
    twice = [name for name in header if name and header.count(name) > 1]
    if twice:
        raise FileError(f"the first line names the column {twice[0]} twice")
    return header


def _person(header: list[str], cells: list[str]) -> tuple[str, Person | None]:
    if len(cells) > len(header) and any(cells[len(header) :]):
        return f"{len(cells)} fields where the first line has {len(header)}; quote a field that has the separator", None
    row = dict(zip(header, cells, strict=False))
    user = row.pop("user", "")
    if not user:
        return "no user", None
    if long := [name for name, value in (("user", user), *row.items()) if len(value) > MAX_TEXT]:
        return f"{long[0]}: longer than {MAX_TEXT} characters", None
    team, name = row.pop("team", ""), row.pop("name", "")
    extra = {key: value for key, value in row.items() if key and value}
    return "", Person(user, team or None, name or None, extra)
