"""Prometheus' text format, version 0.0.4: what `prometheus.io/docs/instrumenting/exposition_formats` describes."""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tellback.client.metrics.reading import Reading
from tellback.metric import PER_OCTAVE

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

# Prometheus has base units, as suffixes; a factor makes them of ours.
_UNITS: Final = {
    "ns": ("seconds", 1e-9), "us": ("seconds", 1e-6), "ms": ("seconds", 1e-3), "s": ("seconds", 1.0),
    "By": ("bytes", 1.0), "KiBy": ("bytes", 1024.0), "MiBy": ("bytes", 1024.0**2),
}  # fmt: skip
_TYPES: Final = {"counter": "counter", "meter": "counter", "gauge": "gauge", "histogram": "histogram"}


def text(readings: Iterable[Reading]) -> str:
    """All series. Names are ours with `_` for what Prometheus has no place for, a base unit, and `_total` for counters.

    A histogram's bounds are powers of two, from the octave of its least value to that of its greatest: each is a bound
    of our buckets too, so that the counts are exact.
    """
    families: dict[str, tuple[str, str, list[str]]] = {}
    for reading in readings:
        suffix, factor = _UNITS.get(reading.unit or "", ("", 1.0))
        name = _name(reading.name, suffix, total=reading.type in ("counter", "meter"))
        type_ = _TYPES[reading.type]
        while name in families and families[name][0] != type_:  # a gauge and a histogram of one name
            name += "_" + type_
        lines = families.setdefault(name, (type_, reading.caveat or "", []))[2]
        lines += _samples(name, reading, factor)
    out: list[str] = []
    for name, (type_, caveat, lines) in families.items():
        if caveat:
            out.append(f"# HELP {name} {_escaped(caveat)}")
        out += [f"# TYPE {name} {type_}", *lines]
    return "".join(line + "\n" for line in out)


def _samples(name: str, reading: Reading, factor: float) -> Iterator[str]:
    if reading.type != "histogram":
        yield f"{name}{_labels(reading.labels)} {_number(reading.value * factor)}"
        return
    seen = reading.zeros
    octaves: dict[int, int] = {}
    for index, count in reading.buckets.items():
        # Bucket i ends at 2^((i + 1) / 64): the last of octave k is 64 k - 1.
        octaves[index // PER_OCTAVE + 1] = octaves.get(index // PER_OCTAVE + 1, 0) + count
    for octave in range(min(octaves), max(octaves) + 1) if octaves else ():
        seen += octaves.get(octave, 0)
        yield f"{name}_bucket{_labels(reading.labels, _number(2.0**octave * factor))} {seen}"
    yield f"{name}_bucket{_labels(reading.labels, '+Inf')} {reading.count}"
    yield f"{name}_sum{_labels(reading.labels)} {_number(reading.value * factor)}"
    yield f"{name}_count{_labels(reading.labels)} {reading.count}"


def _name(name: str, suffix: str, *, total: bool) -> str:
    name = re.sub(r"[^a-zA-Z0-9_:]", "_", name)
    if not name or name[0].isdigit():
        name = "_" + name
    if suffix and not name.endswith("_" + suffix):
        name += "_" + suffix
    return name if not total or name.endswith("_total") else name + "_total"


def _labels(labels: dict[str, str], le: str = "") -> str:
    named = {"le": le} if le else {}
    for key, value in labels.items():
        # Two underscores at the front, and `le`, are Prometheus' own.
        key = re.sub(r"^__+", "_", re.sub(r"[^a-zA-Z0-9_]", "_", key))
        key = key if key and not key[0].isdigit() and key != "le" else "_" + key
        while key in named:  # `a.b` and `a_b` are one to Prometheus
            key += "2"
        named[key] = value
    return (
        "{" + ",".join(f'{key}="{_escaped(value, quote=True)}"' for key, value in named.items()) + "}" if named else ""
    )


def _escaped(text: str, *, quote: bool = False) -> str:
    text = text.replace("\\", "\\\\").replace("\n", "\\n")
    return text.replace('"', '\\"') if quote else text


def _number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
