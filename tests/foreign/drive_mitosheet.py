"""A person's short session in the real mitosheet, without a notebook. Runs in mitosheet's own environment.

It prints one JSON object with what it did, `{"events": [names], "failed": name}`, then waits for standard input to
close: mitosheet posts from a thread every interval and loses what it holds when the process ends before that.
"""

import json
import sys
from pathlib import Path

import pandas as pd
from mitosheet.tests.test_utils import create_mito_wrapper


def session(folder: Path) -> tuple[list[str], str]:
    shots = pd.DataFrame(
        {
            "shot": ["sq10_010", "sq10_020", "sq10_030", "sq20_010"],
            "team": ["Lighting", "Effects", "Lighting", "Layout"],
            "frames": [96, 120, 48, 200],
        }
    )
    sheet = create_mito_wrapper(shots)
    done = []

    def did(event: str, succeeded: bool) -> None:
        if not succeeded:
            raise SystemExit(f"mitosheet refused {event}")
        done.append(event)

    did("add_column_edit", sheet.add_column(0, "seconds"))
    did("set_column_formula_edit", sheet.set_formula("=frames / 24", 0, "seconds"))
    did("sort_edit", sheet.sort(0, "frames", "descending"))
    did("filter_column_edit", sheet.filter(0, "frames", "And", "greater", 50))
    did("rename_column_edit", sheet.rename_column(0, "team", "department"))
    did("pivot_edit", sheet.pivot_sheet(0, ["department"], [], {"frames": ["sum"]}))
    did("export_to_file_edit", sheet.export_to_file("csv", [0], str(folder / "shots.csv")))
    if sheet.set_formula("=no_such_column * 2", 0, "seconds"):
        raise SystemExit("mitosheet accepted a formula over a column that does not exist")
    return done, "set_column_formula_edit_failed"


if __name__ == "__main__":
    events, failed = session(Path(sys.argv[1]))
    print(json.dumps({"events": events, "failed": failed}), flush=True)
    sys.stdin.read()
