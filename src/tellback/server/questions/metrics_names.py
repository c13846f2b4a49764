from typing import Literal

import msgspec

from tellback.server.questions.contract import Count, Question, Time
from tellback.server.questions.filters import Filters


class Row(msgspec.Struct):
    name: str | None
    type: Literal["counter", "gauge", "histogram", "meter", "sample"]
    """A sample is a metric record that says no type: one measured value."""
    unit: str | None
    role: Literal["leaf", "intermediate"]
    """A leaf is good for alarms; an intermediate metric is for investigation, and its caveat says why."""
    caveat: str | None
    services: Count
    records: Count
    first_seen: Time
    last_seen: Time


QUESTION = Question(
    name="metrics.names",
    title="Which metrics there are",
    doc="Metrics by name, type and unit, with how many services report them. An intermediate metric (one with a "
    "caveat) is for investigation and not for alarms.",
    params=Filters,
    row=Row,
    sql="""
SELECT name, type, unit, CASE WHEN max(caveat) IS NULL THEN 'leaf' ELSE 'intermediate' END AS role,
  max(caveat) AS caveat, count(DISTINCT service) AS services, count(*) AS records,
  min(time) AS first_seen, max(time) AS last_seen
FROM (
  SELECT name, service, time, metric_type(attrs) AS type,
    json_extract_string(attrs, '/tellback.unit') AS unit, json_extract_string(attrs, '/tellback.caveat') AS caveat
  FROM records
  WHERE {where} AND kind = 'metric'
) AS metrics
GROUP BY name, type, unit
ORDER BY name IS NULL, name, type, unit IS NULL, unit""",
)
