"""The forms of an answer (JSON, CSV) and of a question's declaration (catalogue, Markdown)."""

import csv
import io
from typing import Any

import msgspec

from tellback.server.questions.catalogue import catalogue
from tellback.server.questions.contract import Answer, Question

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""https://owasp.org/www-community/attacks/CSV_Injection"""


def json_text(answer: Answer) -> bytes:
    return msgspec.json.encode(answer)


def csv_text(question: Question, answer: Answer) -> str:
    """A header and the rows (RFC 4180, CRLF). Null is an empty field, an object is JSON.

    A text that a spreadsheet would take for a formula gets an apostrophe before it: names and messages are whatever a
    program with a write token sent, and `=HYPERLINK(...)` would run on the desk of who opens the file.
    """
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow([field.encode_name for field in msgspec.structs.fields(question.row)])
    writer.writerows([cell(value) for value in row.values()] for row in answer.rows)
    return out.getvalue()


def cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return msgspec.json.encode(value).decode()


def declaration(question: Question) -> dict[str, Any]:
    """What the catalogue says of a question: its words and the JSON Schemas of its parameters and rows."""
    (params, row), parts = msgspec.json.schema_components(
        [question.params, question.row], ref_template="#/$defs/{name}"
    )
    return {
        "name": question.name,
        "title": question.title,
        "doc": question.doc,
        "params": _resolved(params, parts),
        "row": _resolved(row, parts),
    }


def _resolved(schema: dict[str, Any], parts: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in parts[schema["$ref"].rpartition("/")[2]].items() if key != "title"}


def markdown(question: Question) -> str:
    """A question's chapter in `docs/questions.md`."""
    said = declaration(question)
    lines = [f"## {question.name}", "", f"{question.title}. {question.doc}", "", "| parameter | default | what it is |"]
    lines.append("|---|---|---|")
    for name, schema in said["params"]["properties"].items():
        default = question.limit if name == "limit" else schema.get("default", "")
        shown = "" if default in ("", []) else f"`{default}`"
        words = schema.get("description", "")
        if choices := schema.get("enum"):
            words = f"{' '.join(f'`{choice}`' for choice in choices)}. {words}"
        lines.append(f"| `{name}`{' …' if schema.get('type') == 'array' else ''} | {shown} | {words} |")
    lines += ["", f"Rows: {', '.join(f'`{name}`' for name in said['row']['properties'])}.", ""]
    return "\n".join(lines)


PREFACE = """# Questions

Made from the declarations: `python -m tellback.server.questions.forms > docs/questions.md`.

`GET /api/questions/<name>?...` and `tellback ask <name> --param k=v` answer alike. A parameter marked with … may be
given several times and means either; an empty value asks for records that have none. `from` is inclusive, `to`
exclusive. An unknown parameter is an error. `next` of an answer is the `cursor` of its next page, which keeps the first
page's range. In CSV a text that begins as a formula does has an apostrophe before it.

## The SQL of a question

One text for every engine. No `//`, `hash`, `md5`, unaliased SEMI JOIN; sums of integers are cast; quantiles are
discrete; `"user"` and `"offset"` are quoted; lower case only by `filters.lower`; the outermost ORDER BY is a total
order. Text in braces is filled with constant text and bound parameters. `week_of(day)`, `month_of(day)`,
`hour_of(time)` and `step_of(time, ns)` are the store's; `each_line(text)`, in a SELECT list, makes a row of each line.
Of metric records: `metric_type(attrs)`, `zeros_of(attrs)`, `buckets_of(attrs)`.
"""


if __name__ == "__main__":
    print(PREFACE)
    print("\n".join(markdown(question) for question in catalogue().values()), end="")
