"""Rows as a table for eyes and for `cut`: columns two spaces apart, numbers to the right."""

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")
"""A time with decimals. A table says them of a record's own time only."""

_CONTROL = dict.fromkeys((*range(32), 127, *range(128, 160)), " ")
"""A record's text must not move a terminal's cursor."""


MANY = 12
"""Columns beyond which those that hold nothing are left out, so that the rest fits a screen."""

LONGEST = 120
"""Characters of a cell; `--format json` has the whole."""

NOTHING = {"team": "no team"}
"""What stands for null where an empty cell would not say it."""


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> str:
    """With a heading line, ending in a newline. `columns` names them where there may be no rows."""
    names = list(columns or (rows[0] if rows else ()))
    if len(names) > MANY:
        names = [name for name in names if any(row.get(name) is not None for row in rows)]
    cells = [[_cell(name, row.get(name)) for name in names] for row in rows]
    right = [_is_number(name, rows) for name in names]
    widths = [max(map(width, column)) for column in zip(names, *cells, strict=True)]
    lines = [names, ["-" * wide for wide in widths], *cells]
    return "".join(_line(line, widths, right) for line in lines)


def _line(cells: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    parts = []
    for cell, wide, to_right in zip(cells, widths, right, strict=True):
        room = " " * (wide - width(cell))
        parts.append(room + cell if to_right else cell + room)
    return "  ".join(parts).rstrip() + "\n"


def _is_number(name: str, rows: Sequence[Mapping[str, Any]]) -> bool:
    values = [row.get(name) for row in rows if row.get(name) is not None]
    return bool(values) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)


def _cell(name: str, value: Any) -> str:
    if value is None:
        return NOTHING.get(name, "")
    if isinstance(value, float):  # no more digits than a share or a measurement bears
        return f"{value:.3g}" if abs(value) < 1 else f"{value:.6g}"
    if isinstance(value, str) and name != "time" and _MOMENT.fullmatch(value):
        value = f"{value[:19]}Z"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = text.translate(_CONTROL)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def width(text: str) -> int:
    """Columns on a terminal: East Asian wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )
