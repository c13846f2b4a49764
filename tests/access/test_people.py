import csv
import io
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellback.record import MAX_TEXT
from tellback.server.decisions import Decisions
from tellback.server.people import directory, table
from tellback.server.people.table import BadLine, FileError, Person


def test_a_file_is_read_with_its_extra_columns() -> None:
    read = table.read(b"Team, USER ,name,site\nrig,ann,Ann A.,Rome\n,bob,,\n")
    assert read.people == [Person("ann", "rig", "Ann A.", {"site": "Rome"}), Person("bob", None, None, {})]
    assert read.bad == []


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_what_spreadsheets_save_is_read(separator: str, encoding: str, newline: str) -> None:
    text = newline.join([f"user{separator}team", f'jürgen{separator}"Büro, {separator} 1"', ""])
    assert table.read(text.encode(encoding)).people == [Person("jürgen", f"Büro, {separator} 1")]


def test_bad_lines_are_named_by_their_own_number() -> None:
    raw = f'user,team\n\nann,"two\nlines"\n,fx\na,b,c\nbob,"x"y\ncid,fx,,\n{"u" * (MAX_TEXT + 1)},fx\nann,new\n'
    read = table.read(raw.encode())
    assert [person.user for person in read.people] == ["ann", "cid"]
    assert read.people[0].team == "new"
    assert [(bad.line, bad.reason.split(" ")[0]) for bad in read.bad] == [
        (3, "user"), (5, "no"), (6, "3"), (7, "not"), (9, "user:"),
    ]  # fmt: skip
    assert "line 10" in read.bad[0].reason


def test_a_quote_that_is_never_closed_says_what_was_not_read() -> None:
    read = table.read(b'user,team\nann,rig\nbob,"fx\ncid,fx\ndot,fx\n')
    assert [person.user for person in read.people] == ["ann"]
    assert [bad.line for bad in read.bad] == [3]
    assert "line 5" in read.bad[0].reason


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"", "empty"), (b"\n \n", "empty"), (b"user,team\n", "no people"), (b"user,team\n,x\n", "no good line"),
        (b"name,team\nann,x\n", "columns user and team"), (b"ann,rig\nbob,rig\n", "columns user and team"),
        (b"user,team,team\nann,x,y\n", "twice"), (b"PK\x03\x04\x00\x00", "no text file"), (b"\xff\xfeu", "UTF-16"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_changes_nothing(decisions: Decisions, raw: bytes, words: str) -> None:
    directory.import_csv(decisions, b"user,team\nann,rig\n")
    with pytest.raises(FileError, match=words):
        directory.import_csv(decisions, raw)
    assert [person.user for person in directory.people(decisions)] == ["ann"]


def test_an_import_replaces_all(decisions: Decisions) -> None:
    directory.import_csv(decisions, b"user,team\nann,rig\nbob,rig\n")
    report = directory.import_csv(decisions, b"user,team,site\nbob,fx,Rome\ncid,\n,x\n")
    assert report.imported == 2
    assert report.bad == [BadLine(4, "no user")]
    assert directory.people(decisions) == [Person("bob", "fx", None, {"site": "Rome"}), Person("cid", None)]


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=8))
def test_what_a_csv_writer_writes_is_read_as_it_was(rows: list[list[str]]) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["user", "team", "name"])
    writer.writerows(rows)
    wanted = {}
    for cells in rows:
        user, team, name = (cell.strip() for cell in cells)
        if user:
            wanted[user] = Person(user, team or None, name or None)
    if not wanted:
        return
    assert table.read(out.getvalue().encode()).people == list(wanted.values())


@given(st.binary(max_size=200))
def test_any_bytes_are_people_or_a_clear_no(raw: bytes) -> None:
    for whole in (raw, b"user,team\n" + raw, b"user;team;name\nann;rig;x\n" + raw):
        try:
            read = table.read(whole)
        except FileError:
            continue
        assert read.people
        assert all(person.user for person in read.people)
        assert all(bad.line >= 1 for bad in read.bad)


class Kept:
    def __init__(self) -> None:
        self.writes: list[list[tuple[str, str | None, str | None, str]]] = []

    def replace_people(self, rows: list[tuple[str, str | None, str | None, str]]) -> None:
        self.writes.append(rows)


def test_the_store_follows_the_directory(decisions: Decisions) -> None:
    store = Kept()
    sync = directory.Sync(decisions, store)
    assert sync()
    assert not sync()
    directory.import_csv(decisions, b"user,team,site\nann,rig,Rome\n")
    while not sync():
        pass
    assert [(*row[:3], json.loads(row[3])) for row in store.writes[-1]] == [("ann", "rig", None, {"site": "Rome"})]
    assert len(store.writes) == 2


def test_a_store_that_fails_is_tried_again(decisions: Decisions) -> None:
    class Failing(Kept):
        def replace_people(self, rows: list[tuple[str, str | None, str | None, str]]) -> None:
            super().replace_people(rows)
            if len(self.writes) == 1:
                raise OSError("full")

    store = Failing()
    sync = directory.Sync(decisions, store)
    with pytest.raises(OSError, match="full"):
        sync()
    assert sync()


def test_a_file_of_bad_lines_alone_is_refused_before_all_of_them_are_named() -> None:
    """Eight million of them, which fit the largest body, took minutes and gigabytes."""
    with pytest.raises(FileError, match="more than 10000 lines are bad; line 2: user 'x' is there again"):
        table.read(b"user,team\n" + b"x\n" * 1_000_000)
