"""What the questions about runs share: which records of a run are which (docs/decisions/0085)."""

from collections.abc import Mapping
from typing import Annotated

import msgspec

from tellback.server.questions import filters
from tellback.server.questions.contract import Scope
from tellback.server.questions.filters import Filters

RUNS = """
began AS (
  SELECT project, run, span, min(time) AS started, min(name) AS name, min(service) AS service, min(release) AS release,
    min("user") AS "user"
  FROM records
  WHERE {where} AND {chosen} AND kind = 'span' AND run <> '' AND json_extract_string(attrs, '/tellback.phase') = 'start'
  GROUP BY project, run, span
),
ended AS (
  SELECT project, run, span, max(duration) AS duration, max(json_extract_string(attrs, '/status')) AS status
  FROM records
  WHERE {later} AND kind = 'span' AND run <> '' AND duration IS NOT NULL
  GROUP BY project, run, span
),
runs AS (
  SELECT b.project, b.run, b.span, b.started, b.name, b.service, b.release, b."user", e.duration,
    CASE WHEN e.duration IS NULL THEN 'unfinished' ELSE coalesce(e.status, 'ok') END AS outcome
  FROM began AS b
  LEFT JOIN ended AS e ON e.project = b.project AND e.run = b.run AND e.span = b.span
)"""


class Params(Filters, frozen=True, kw_only=True):
    run: Annotated[list[str], msgspec.Meta(description="Id of the run.")] = []


def prepare(params: Params, scope: Scope) -> Mapping[str, str]:
    return {
        "where": filters.where(params, scope),
        "chosen": scope.binder.either("run", params.run) if params.run else "TRUE",
        # A run that began in the range may end after it.
        "later": f"{filters.projects(params, scope)} AND time >= {scope.binder.bind(scope.since)}",
    }
