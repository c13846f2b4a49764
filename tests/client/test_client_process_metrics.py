"""What a process costs, by the names of OpenTelemetry."""

import gc
import os
import sys
import threading
from pathlib import Path

import pytest
from metric_lines import labels, left, totals

import tellback
from tellback.client import live
from tellback.client.metrics import current

pytestmark = [pytest.mark.linux, pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")]


def measured(spool: Path) -> dict[str, float]:
    """One turn of the keeper's."""
    assert live.spool is not None
    assert live.spool.book is not None
    for task in current.asked:
        task()
    live.spool.book.report()
    return {record["name"]: record["value"] for record in left(spool)}


def test_a_process_says_what_it_costs(spool: Path) -> None:
    tellback.process_metrics()
    tellback.process_metrics()  # once, however often
    assert len(current.asked) == 1
    tellback.init("s", spool=spool)
    found = measured(spool)
    assert 1 << 20 < found["process.memory.usage"] < found["process.memory.virtual"]
    assert found["process.thread.count"] > threading.active_count()  # the keeper is not threading's, nor are others'
    assert found["process.unix.file_descriptor.count"] >= 3
    assert 0 < found["process.startup.duration"] <= found["process.uptime"]
    units = {record["name"]: record["attrs"].get("tellback.unit") for record in left(spool)}
    assert (units["process.memory.usage"], units["process.startup.duration"]) == ("By", "s")
    user, system = (totals(left(spool))["process.cpu.time", (("cpu.mode", mode),)] for mode in ("user", "system"))
    assert 0 < user + system <= os.times().user + os.times().system
    generations = {value for r in left(spool) for key, value in labels(r) if key == "cpython.gc.generation"}
    assert generations <= {str(n) for n in range(len(gc.get_stats()))}


def test_totals_of_the_system_are_told_as_what_they_grew_by(spool: Path) -> None:
    tellback.init("s", spool=spool)
    tellback.process_metrics()
    measured(spool)
    gc.collect()
    measured(spool)
    oldest = str(len(gc.get_stats()) - 1)
    counted = totals(left(spool))["cpython.gc.collections", (("cpython.gc.generation", oldest),)]
    assert counted == gc.get_stats()[-1]["collections"]
