import msgspec

from tellback.server.questions.contract import Count, Question, Time
from tellback.server.questions.filters import Filters


class Row(msgspec.Struct):
    title: str
    records: Count
    users: Count
    first_seen: Time
    last_seen: Time


# A message that already begins with its type (the last line of a traceback, as some wires send it) is the title itself.
QUESTION = Question(
    name="errors.top",
    title="Which errors happen most, and to how many",
    doc="Records of kind error by their title, `Type: message`. First and last seen are those in the range.",
    params=Filters,
    row=Row,
    sql="""
SELECT title, count(*) AS records, count(DISTINCT CASE WHEN "user" <> '' THEN "user" END) AS users,
  min(time) AS first_seen, max(time) AS last_seen
FROM (
  SELECT CASE
      WHEN coalesce(name, '') = '' THEN coalesce(message, '')
      WHEN coalesce(message, '') = '' THEN name
      WHEN substring(message, 1, length(name) + 2) = concat(name, ': ') THEN message
      ELSE concat(name, ': ', message)
    END AS title, "user", time
  FROM records
  WHERE {where} AND kind = 'error'
) AS errors
GROUP BY title
ORDER BY records DESC, users DESC, title""",
    limit=100,
)
