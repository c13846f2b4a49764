from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from tellback.metric import ERROR, PER_OCTAVE
from tellback.server.questions import filters
from tellback.server.questions.contract import Count, Question, Scope, Time
from tellback.server.questions.filters import Filters

_MINUTE, _HOUR = 60_000_000_000, 3_600_000_000_000

STEPS = {
    "10s": f"step_of(time, {_MINUTE // 6})",
    "minute": f"step_of(time, {_MINUTE})",
    "10m": f"step_of(time, {10 * _MINUTE})",
    "hour": f"step_of(time, {_HOUR})",
    "day": "day",
}


class Params(Filters, frozen=True, kw_only=True):
    step: Annotated[
        Literal["10s", "minute", "10m", "hour", "day"],
        msgspec.Meta(description="Width of a bucket. Days are those of the reporting zone, others whole in UTC."),
    ] = "hour"
    by: Annotated[
        Literal["none", "service", "release", "environment", "host", "user"],
        msgspec.Meta(description="A column; each of its values is a series of its own."),
    ] = "none"
    label: Annotated[str, msgspec.Meta(description="A label of the metric, in the place of `by`.")] = ""


class Row(msgspec.Struct):
    bucket: Time
    """RFC 3339, a date for days."""
    name: str | None
    type: str
    part: str | None
    """The value of `by` or `label`."""
    count: Count | None
    """Of values; null for counters and meters, which say how much and not how often."""
    sum: float
    min: float | None
    max: float | None
    p50: float | None
    p95: float | None
    p99: float | None


def prepare(params: Params, scope: Scope) -> Mapping[str, str]:
    if params.label:
        pointer = "/" + params.label.replace("~", "~0").replace("/", "~1")
        part = f"json_extract_string(attrs, {scope.binder.bind(pointer)})"
    else:
        part = "CAST(NULL AS VARCHAR)" if params.by == "none" else filters.quoted(params.by)
    return {
        "bucket": STEPS[params.step],
        "part": part,
        "middle": f"pow(2.0, place / {PER_OCTAVE}.0) * {1 + ERROR!r}",
    }


# A histogram's record is many points with a weight, a gauge's or a sample's is one; quantiles ask no further.
# The bounds keep a bucket that nobody's client made from becoming an infinite number.
QUESTION = Question(
    name="metrics.series",
    title="How a metric goes over time",
    doc="Metric records in buckets of time, those of all processes together. For counters and meters `sum` is how much "
    "was added; for gauges and samples `sum` over `count` is the mean of what was reported; for histograms `count` and "
    "`sum` are exact and the quantiles, least and greatest come from the merged histograms, right to 0.54 %. Quantiles "
    "are of the nearest rank. Buckets without records have no row.",
    params=Params,
    row=Row,
    sql="""
WITH chosen AS (
  SELECT {bucket} AS bucket, name, metric_type(attrs) AS type, {part} AS part, value, attrs
  FROM records
  WHERE {where} AND kind = 'metric' AND value IS NOT NULL
),
totals AS (
  SELECT bucket, name, type, part, sum(value) AS total
  FROM chosen
  GROUP BY bucket, name, type, part
),
counted AS (
  SELECT bucket, name, type, part, pair[1] AS place, CAST(sum(pair[2]) AS BIGINT) AS weight
  FROM (
    SELECT bucket, name, type, part, unnest(buckets_of(attrs)) AS pair
    FROM chosen
    WHERE type = 'histogram'
  ) AS histograms
  WHERE pair[1] BETWEEN -68000 AND 65000 AND pair[2] > 0
  GROUP BY bucket, name, type, part, place
),
points AS (
  SELECT bucket, name, type, part, value AS point, CAST(1 AS BIGINT) AS weight
  FROM chosen
  WHERE type = 'gauge' OR type = 'sample'
  UNION ALL
  SELECT bucket, name, type, part, 0.0 AS point, zeros_of(attrs) AS weight
  FROM chosen
  WHERE type = 'histogram' AND zeros_of(attrs) > 0
  UNION ALL
  SELECT bucket, name, type, part, {middle} AS point, weight
  FROM counted
),
merged AS (
  SELECT bucket, name, type, part, point, CAST(sum(weight) AS BIGINT) AS weight
  FROM points
  GROUP BY bucket, name, type, part, point
),
ranked AS (
  SELECT bucket, name, type, part, point,
    CAST(sum(weight) OVER (PARTITION BY bucket, name, type, part ORDER BY point) AS BIGINT) AS upto,
    CAST(sum(weight) OVER (PARTITION BY bucket, name, type, part) AS BIGINT) AS whole
  FROM merged
),
spread AS (
  SELECT bucket, name, type, part, max(whole) AS whole, min(point) AS least, max(point) AS greatest,
    min(CASE WHEN upto * 2 >= whole THEN point END) AS p50,
    min(CASE WHEN upto * 20 >= whole * 19 THEN point END) AS p95,
    min(CASE WHEN upto * 100 >= whole * 99 THEN point END) AS p99
  FROM ranked
  GROUP BY bucket, name, type, part
)
SELECT t.bucket AS bucket, t.name AS name, t.type AS type, t.part AS part, whole AS count, total AS sum,
  least AS min, greatest AS max, p50, p95, p99
FROM totals AS t LEFT JOIN spread AS s ON s.bucket = t.bucket AND s.type = t.type
  AND s.name IS NOT DISTINCT FROM t.name AND s.part IS NOT DISTINCT FROM t.part
ORDER BY t.bucket, t.name IS NULL, t.name, t.type, t.part IS NULL, t.part""",
    prepare=prepare,
    limit=10_000,
)
