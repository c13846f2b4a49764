"""Prometheus text (exposition format 0.0.4) of Tellback's own numbers.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metric(msgspec.Struct, frozen=True):
    kind: Literal["counter", "gauge"]
    help: str
    values: Mapping[tuple[tuple[str, str], ...], float]
    """By labels, `()` for none: `{(("reason", "accepted"),): 12}`."""


def text(metrics: Mapping[str, Metric]) -> str:
    lines = []
    for name, metric in sorted(metrics.items()):
        described = metric.help.replace("\\", "\\\\").replace("\n", "\\n")
        lines += [f"# HELP {name} {described}", f"# TYPE {name} {metric.kind}"]
        for labels, value in sorted(metric.values.items()):
            shown = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels)
            lines.append(f"{name}{{{shown}}} {value}" if shown else f"{name} {value}")
    return "\n".join(lines) + "\n"


def _escaped(label: str) -> str:
    return label.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
