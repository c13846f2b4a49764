"""The tree as a page: one table for each branch, no script, nothing fetched from anywhere."""

from html import escape
from typing import Any, Final

from tellback.client.status.tree import Tree

_HEAD: Final = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 14px/1.45 system-ui, sans-serif }}
body {{ margin: 2rem auto; max-width: 72rem; padding: 0 1rem }}
h1 {{ font-size: 1.3rem }} h2 {{ font-size: 1.05rem; margin-top: 1.6rem }}
table {{ border-collapse: collapse }}
th, td {{ text-align: left; padding: .15rem 1.2rem .15rem 0; border-bottom: 1px solid #8884; vertical-align: top }}
td {{ font-variant-numeric: tabular-nums; overflow-wrap: anywhere }}
td td, td th {{ border: 0; padding-right: .8rem }}
.n {{ text-align: right }}
</style></head><body><h1>{title}</h1>
<p><a href="?format=json">JSON</a> · <a href="?format=prometheus">Prometheus</a></p>
<form><label>Keep what has <input name="query" value="{query}" placeholder="p99&gt;=1000000" size="24"></label></form>
"""


def page(tree: Tree, query: str) -> str:
    """The whole page."""
    service = str(tree.get("process", {}).get("service") or "Status")
    out = [_HEAD.format(title=escape(service), query=escape(query))]
    for name, branch in tree.items():
        out.append(f"<h2>{escape(name.capitalize())}</h2>")
        out.append(_table(branch) if branch else "<p>Nothing yet.</p>")
    if not tree:
        out.append("<p>Nothing has that key.</p>")
    return "".join(out) + "</body></html>\n"


def _table(branch: Tree) -> str:
    return "<table>" + "".join(map(_row, branch.items())) + "</table>"


def _row(item: tuple[str, Any]) -> str:
    name, value = item
    if isinstance(value, dict):
        return f'<tr><th scope="row">{escape(name)}</th><td>{_table(value) if value else "none"}</td></tr>'
    side = ' class="n"' if isinstance(value, int | float) and not isinstance(value, bool) else ""
    return f'<tr><th scope="row">{escape(name)}</th><td{side}>{escape(_text(value))}</td></tr>'


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.4g}"
    return "" if value is None else str(value)
