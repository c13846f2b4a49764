from collections.abc import Mapping

import msgspec

from tellback.server.questions import filters
from tellback.server.questions.contract import Count, Question, Scope, Share
from tellback.server.questions.filters import Filters


class Row(msgspec.Struct):
    name: str | None
    records: Count
    users: Count
    share: Share


def prepare(params: Filters, scope: Scope) -> Mapping[str, str]:
    # A share of those who used the one feature that was asked for would always be 1.
    return {"anyone": filters.where(params, scope, without=("name", "level", "q"))}


QUESTION = Question(
    name="adoption.features",
    title="Which features are used, and by how many",
    doc="Records of kind event by their name, those with the most people first. Share is the feature's users over all "
    "users active in the range; the filters name, level and q choose features and leave that whole as it is. Records "
    "without a user are records, not users.",
    params=Filters,
    row=Row,
    sql="""
WITH used AS (
  SELECT name, count(*) AS records, count(DISTINCT CASE WHEN "user" <> '' THEN "user" END) AS users
  FROM records
  WHERE {where} AND kind = 'event'
  GROUP BY name
),
active AS (
  SELECT count(DISTINCT "user") AS people
  FROM records
  WHERE {anyone} AND kind = 'event' AND "user" <> ''
)
SELECT name, records, users,
  CASE WHEN people = 0 THEN 0.0 ELSE CAST(users AS DOUBLE) / people END AS share
FROM used CROSS JOIN active
ORDER BY users DESC, records DESC, name IS NULL, name""",
    prepare=prepare,
)
