from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from tellback.server.questions import filters
from tellback.server.questions.contract import Count, Question, Scope, Time
from tellback.server.questions.filters import Ranged

Status = Literal["", "seen", "not_observed"]

_NARROWING = ("name", "kind", "level", "q")
"""Filters of records that mean nothing here."""

_WHO = ("user", "host")
"""What chooses who used a function; what a release holds is the same for all."""


class Params(Ranged, frozen=True, kw_only=True):
    service: Annotated[list[str], msgspec.Meta(description="The program.")] = []
    release: Annotated[list[str], msgspec.Meta(description="The program's version.")] = []
    environment: Annotated[list[str], msgspec.Meta(description="production, test ...")] = []
    user: Annotated[list[str], msgspec.Meta(description="The person.")] = []
    team: Annotated[list[str], msgspec.Meta(description="The person's team in the directory of people.")] = []
    host: Annotated[list[str], msgspec.Meta(description="The machine.")] = []
    module: Annotated[list[str], msgspec.Meta(description="The module, as `rigtools.export`.")] = []
    status: Annotated[Status, msgspec.Meta(description="Only functions of that status.")] = ""


class Row(msgspec.Struct):
    module: str
    function: str
    release: str | None
    status: Literal["seen", "not observed"]
    watched: Literal["calls", "samples"] | None
    """How the release was watched in the range, at the weakest; null: not at all."""
    users: Count
    last_seen: Time | None


def prepare(params: Params, scope: Scope) -> Mapping[str, str]:
    # The inventory of a release is told once, most likely before the range, and by anybody.
    whole = msgspec.structs.replace(params, team=[])
    wanted = {"": "TRUE", "seen": "seen > 0", "not_observed": "seen = 0"}
    return {
        "seen": filters.where(params, scope, without=_NARROWING),
        "known": filters.where(whole, scope, without=(*_NARROWING, *_WHO), ever=True),
        "modules": scope.binder.either("module", params.module) if params.module else "TRUE",
        "status": wanted[params.status],
    }


QUESTION = Question(
    name="usage.functions",
    title="Which functions are called, and which were not observed",
    doc="The functions that a release has (its inventory, whenever it was told) and those that were seen in the range, "
    "by release; what nobody has used comes first. Watched by calls (Python 3.12 and newer), a function that was not "
    "observed was called in none of the processes that were watched. Watched by samples (Python 3.11), it may have "
    "been called all the same: a sampler never says unused. Users are those of the first call in each process and day.",
    params=Params,
    row=Row,
    sql="""
WITH said AS (
  SELECT release, name AS said, "user", time, each_line(message) AS place
  FROM records
  WHERE {seen} AND kind = 'usage' AND name IN ('called', 'sampled')
  UNION ALL
  SELECT release, name AS said, CAST(NULL AS VARCHAR) AS "user", CAST(NULL AS BIGINT) AS time,
    each_line(message) AS place
  FROM records
  WHERE {known} AND kind = 'usage' AND name = 'inventory'
),
places AS (
  SELECT release, place,
    count(CASE WHEN said <> 'inventory' THEN 1 END) AS seen,
    count(DISTINCT CASE WHEN "user" <> '' THEN "user" END) AS users,
    max(time) AS last_seen
  FROM said
  WHERE position(':' IN place) > 0
  GROUP BY release, place
),
watching AS (
  SELECT coalesce(release, '') AS watched_release, max(CASE WHEN said = 'sampled' THEN 1 ELSE 0 END) AS by_samples
  FROM said
  WHERE said <> 'inventory'
  GROUP BY coalesce(release, '')
),
functions AS (
  SELECT substring(place, 1, position(':' IN place) - 1) AS module,
    substring(place, position(':' IN place) + 1) AS function, release, seen, users, last_seen
  FROM places
)
SELECT module, function, release, CASE WHEN seen > 0 THEN 'seen' ELSE 'not observed' END AS status,
  CASE WHEN by_samples IS NULL THEN NULL WHEN by_samples = 1 THEN 'samples' ELSE 'calls' END AS watched,
  users, last_seen
FROM functions LEFT JOIN watching ON watched_release = coalesce(release, '')
WHERE {modules} AND {status}
ORDER BY seen > 0, users, module, function, release IS NULL, release""",
    prepare=prepare,
)
