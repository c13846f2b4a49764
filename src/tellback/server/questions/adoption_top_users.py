import msgspec

from tellback.server.questions.contract import Count, Question, Time
from tellback.server.questions.filters import Filters


class Row(msgspec.Struct):
    rank: Count
    user: str
    team: str | None
    records: Count
    days_active: Count
    last_seen: Time


QUESTION = Question(
    name="adoption.top_users",
    title="Who uses it most",
    doc="People by their records of kind event in the range; who has as many is ordered by name. Days are those of the "
    "reporting zone. The team is null for a person whom the directory puts in none.",
    params=Filters,
    row=Row,
    sql="""
SELECT row_number() OVER (ORDER BY a.records DESC, a."user") AS rank,
  a."user" AS "user", p.team AS team, a.records AS records, a.days_active AS days_active, a.last_seen AS last_seen
FROM (
  SELECT "user", count(*) AS records, count(DISTINCT day) AS days_active, max(time) AS last_seen
  FROM records
  WHERE {where} AND kind = 'event' AND "user" <> ''
  GROUP BY "user"
) AS a
LEFT JOIN people AS p ON p."user" = a."user"
ORDER BY rank""",
    limit=100,
)
