"""What there is to see, as a tree of plain values."""

import operator
import re
import time
from collections.abc import Callable
from typing import Any, Final

import msgspec

from tellback.client import lifecycle, live
from tellback.client.metrics.reading import Reading, read
from tellback.metric import RATES, middle, quantile
from tellback.version import __version__

QUANTILES: Final = {"p50": 0.5, "p75": 0.75, "p95": 0.95, "p98": 0.98, "p99": 0.99, "p999": 0.999}

Tree = dict[str, Any]


def tree() -> Tree:
    """`process`, `client` and `metrics`. Never raises."""
    return {"process": _process(), "client": _client(), "metrics": {title(r): shown(r) for r in read()}}


def title(reading: Reading) -> str:
    """The metric's name, with its labels as Prometheus writes them."""
    labels = ", ".join(f'{key}="{value}"' for key, value in sorted(reading.labels.items()))
    return f"{reading.name}{{{labels}}}" if labels else reading.name


def shown(reading: Reading) -> Any:
    """One value, or a tree of them for what has more than one."""
    if reading.type == "meter":
        named = (name.rpartition(".")[2] for name in RATES)
        return {"count": reading.value, **dict(zip(named, reading.rates, strict=False))}
    if reading.type != "histogram":
        return reading.value
    out: Tree = {"count": reading.count, "sum": reading.value}
    if reading.count:
        least, greatest = (0.0 if reading.zeros else middle(min(reading.buckets))), 0.0
        if reading.buckets:
            greatest = middle(max(reading.buckets))
        out |= {"mean": reading.value / reading.count, "min": least, "max": greatest}
        out |= {name: quantile(q, reading.buckets, reading.zeros) for name, q in QUANTILES.items()}
    if reading.unit:
        out["unit"] = reading.unit
    return out


_OPERATORS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">=": operator.ge, "<=": operator.le, "==": operator.eq, "!=": operator.ne,
    ">": operator.gt, "<": operator.lt, "=": operator.eq,
}  # fmt: skip
_QUERY: Final = re.compile(r"\s*([^<>=!]+?)\s*(?:(>=|<=|==|!=|>|<|=)\s*(.*?)\s*)?")


def asked(whole: Tree, query: str) -> Tree:
    """The part of a tree that has a key, `p99`, or has it with a value, `p99>=1000`. ValueError for what is neither."""
    match = _QUERY.fullmatch(query)
    if match is None:
        raise ValueError(f"query: expected a key, or a key, one of {' '.join(_OPERATORS)} and a value, got {query!r}")
    key, sign, wanted = match.groups()
    return _part(whole, key, _OPERATORS.get(sign or ""), wanted)


def _part(whole: Tree, key: str, holds: Callable[[Any, Any], bool] | None, wanted: str) -> Tree:
    out: Tree = {}
    for name, value in whole.items():
        if name == key and (holds is None or _compares(value, holds, wanted)):
            out[name] = value
        elif isinstance(value, dict) and (inside := _part(value, key, holds, wanted)):
            out[name] = inside
    return out


def _compares(value: Any, holds: Callable[[Any, Any], bool], wanted: str) -> bool:
    if isinstance(value, dict):
        return False
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return holds(value, float(wanted))
        except ValueError:
            return False
    return holds("" if value is None else str(value).lower() if isinstance(value, bool) else str(value), wanted)


def _process() -> Tree:
    spool = live.spool
    if spool is None:
        return {}
    header = msgspec.json.decode(spool.active.header)
    process = {key: header[key] for key in _PROCESS if key in header}
    begun = header.get("start")
    return process | ({"uptime": (time.time_ns() - begun) / 1e9} if begun else {})


_PROCESS: Final = ("service", "release", "environment", "host", "os", "python", "pid")


def _client() -> Tree:
    spool, delivery = live.spool, lifecycle.delivery()
    out: Tree = {"version": __version__, "recording": spool is not None}
    if spool is not None:
        header = msgspec.json.decode(spool.active.header)
        own = list(spool.own)
        held = sum(segment.position() - max(segment.head, segment.acknowledged) for segment in own)
        out |= {
            "url": header.get("url"),
            "held": max(0, held),
            "late": spool.late_rotations,
            "lost": spool.lost.total(),
        }
    if delivery is not None:
        out |= {"reached": delivery.reached, "records": delivery.records, "trouble": delivery.trouble}
    return out
