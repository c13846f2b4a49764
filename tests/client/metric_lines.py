"""Adds metric records up as a reader of docs/spec/metrics.md would, without the client's own code."""

from collections import Counter
from pathlib import Path
from typing import Any

from spool_files import lines

Key = tuple[str, tuple[tuple[str, Any], ...]]


def metrics(records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [record for record in records if record["kind"] == "metric"]


def labels(record: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((key, value) for key, value in record["attrs"].items() if not key.startswith("tellback.")))


def totals(records: list[dict[str, Any]]) -> dict[Key, float]:
    """The sum of what counters and histograms were given, by name and labels."""
    out: Counter[Key] = Counter()
    for record in metrics(records):
        if record["attrs"]["tellback.metric"] != "gauge":
            out[record["name"], labels(record)] += record["value"]
    return dict(out)


def buckets(records: list[dict[str, Any]], name: str) -> dict[int, int]:
    """A histogram's merged buckets."""
    out: Counter[int] = Counter()
    for record in metrics(records):
        if record["name"] == name:
            out.update(dict(record["attrs"].get("tellback.buckets", [])))
    return dict(out)


def said_twice(records: list[dict[str, Any]]) -> list[str]:
    reports = Counter(record["attrs"]["tellback.report"] for record in metrics(records))
    return [report for report, times in reports.items() if times > 1]


def left(spool: Path) -> list[dict[str, Any]]:
    return metrics(lines(spool))
