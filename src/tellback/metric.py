"""What a record of kind `metric` is, beyond a name and a value. Client and server both import it; it imports nothing.

A metric record says what one process added since its last report (counter, histogram, meter) or what held when it
reported (gauge), so records add up: over time, over hosts, in any order. Its labels are plain attributes; what
describes it stands beside them under names that start with `tellback.`. `docs/spec/metrics.md` has the format.

Histograms are OpenTelemetry's base-2 exponential ones at scale 6: bucket `i` holds the values in (base^i, base^(i+1)]
with base = 2^(1/64). Two of them merge by adding bucket to bucket, and any quantile is known to a relative error of
(base - 1) / (base + 1).
"""

from math import ceil, log2
from typing import Final

TYPES: Final = ("counter", "gauge", "histogram", "meter")

TYPE: Final = "tellback.metric"
"""One of TYPES. A metric record without it is a sample: one value, measured once."""
UNIT: Final = "tellback.unit"
"""In UCUM's case-sensitive form, as OpenTelemetry has it: ns, s, By, {request}."""
CAVEAT: Final = "tellback.caveat"
"""Why this metric is an intermediate one, for investigation and not for alarms. Without it the metric is a leaf."""
COUNT: Final = "tellback.count"
ZERO: Final = "tellback.zero"
BUCKETS: Final = "tellback.buckets"
"""Of a histogram, whose `value` is the sum of its values: how many there were, how many of them were 0, and the others
as [[bucket, count], ...]. A list and not an object: DuckDB reads it eight times as fast."""
RATES: Final = ("tellback.m1", "tellback.m5", "tellback.m15")
"""Of a meter: events a second, averaged over 1, 5 and 15 minutes."""
REPORT: Final = "tellback.report"
"""`<page>.<report>.<series>`: which report of which page said this; what a takeover needs to say nothing twice."""
OVERFLOW: Final = "otel.metric.overflow"
"""The label of what came after a metric had as many label sets as it may have."""

PER_OCTAVE: Final = 64
ERROR: Final = (2 ** (1 / PER_OCTAVE) - 1) / (2 ** (1 / PER_OCTAVE) + 1)
"""The largest relative error of a quantile: 0.54 %."""


def bucket(value: float) -> int:
    """The bucket of a positive number."""
    return ceil(log2(value) * PER_OCTAVE) - 1


def quantile(q: float, buckets: dict[int, int], zeros: int = 0) -> float | None:
    """The value of nearest rank at `q` (0 to 1) of a histogram; None if it is empty."""
    whole = zeros + sum(buckets.values())
    rank, seen = max(1, ceil(q * whole)), zeros
    if not whole or rank <= zeros:
        return 0.0 if whole else None
    for index in sorted(buckets):
        seen += buckets[index]
        if seen >= rank:
            break
    return middle(index)


def middle(index: int) -> float:
    """What stands for the values of a bucket: no value in it is further away than ERROR."""
    # Its bounds' harmonic mean: the one point that is equally far, relatively, from both.
    return float(2 ** (index / PER_OCTAVE) * (1 + ERROR))
