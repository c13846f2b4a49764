"""A user's program over the whole public API, as `mypy --strict` must accept it. It is checked, never run."""

import logging
from pathlib import Path

import tellback

tellback.init(service="rigtools", release="1.4.2", environment="production")
logging.getLogger().addHandler(tellback.LogHandler())


@tellback.capture
def export(rows: int) -> str:
    with tellback.bound(user="guido", shot="sq10"):
        tellback.event("export_to_file_edit", rows=rows, duration=12_000_000)
    return "done"


def load(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        reference = tellback.capture(error)
        raise SystemExit(f"cannot read {path}; tell the pipeline team {reference}") from error


with tellback.capture():
    text: str = export(rows=3) + load(Path("shots.csv"))

exported: tellback.Emitter = tellback.schema(Path("export.json"), categories=["unrestricted"])
exported(rows=3)
exported.record({"rows": 3}, time=1.5)
exported.add_listener(lambda id_, data: print(id_, data["rows"]))

acknowledged: bool = tellback.flush(timeout=5)
tellback.close()
