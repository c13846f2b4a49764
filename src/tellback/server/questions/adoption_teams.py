from collections.abc import Mapping

import msgspec

from tellback.server.questions import filters
from tellback.server.questions.contract import Count, Question, Scope, Share, Time
from tellback.server.questions.filters import Filters


class Row(msgspec.Struct):
    team: str | None
    people: Count
    active: Count
    adopted: Share | None
    last_seen: Time | None


def prepare(params: Filters, scope: Scope) -> Mapping[str, str]:
    return {"teams": filters.teams(params.team, scope.binder)}


QUESTION = Question(
    name="adoption.teams",
    title="Which teams have adopted it, and which have not",
    doc="Every team of the directory of people, the least adopted first, also where nobody was active. Adopted is "
    "active people over people in the directory. The last row, without a team, has the people in no team and the users "
    "who are not in the directory; nothing says how many those could be, so its share is null.",
    params=Filters,
    row=Row,
    sql="""
WITH active AS (
  SELECT "user", max(time) AS last_seen
  FROM records
  WHERE {where} AND kind = 'event' AND "user" <> ''
  GROUP BY "user"
)
SELECT team, count(listed) AS people, count(last_seen) AS active,
  CASE WHEN team IS NULL THEN NULL ELSE CAST(count(last_seen) AS DOUBLE) / count(listed) END AS adopted,
  max(last_seen) AS last_seen
FROM (
  SELECT p.team AS team, p."user" AS listed, a.last_seen AS last_seen
  FROM (SELECT "user", team FROM people WHERE {teams}) AS p
  FULL JOIN active AS a ON a."user" = p."user"
) AS members
GROUP BY team
ORDER BY team IS NULL, adopted, team""",
    prepare=prepare,
)
