import msgspec

from tellback.server.questions.contract import Question
from tellback.server.questions.filters import Projects


class Row(msgspec.Struct):
    reason: str
    records: int


QUESTION = Question(
    name="store.ledger",
    title="Where every record went",
    doc="All since the installation began. Received is what came in: accepted, duplicate and quarantined. Dropped is "
    "what clients say they gave up, by reason. Visible is what questions can see now; difference is accepted less "
    "visible and is 0 when nothing waits to be loaded.",
    params=Projects,
    row=Row,
    sql="""
WITH counted AS (
  SELECT reason, CAST(least(sum(records), 9223372036854775807) AS BIGINT) AS records
  FROM ledger WHERE {projects} GROUP BY reason
),
took AS (
  SELECT
    CAST(coalesce(sum(CASE WHEN reason = 'accepted' THEN records END), 0) AS BIGINT) AS accepted,
    CAST(coalesce(sum(CASE WHEN reason = 'duplicate' THEN records END), 0) AS BIGINT) AS duplicate,
    CAST(coalesce(sum(CASE WHEN reason = 'quarantined' THEN records END), 0) AS BIGINT) AS quarantined
  FROM counted
),
saw AS (SELECT count(*) AS visible FROM records WHERE {projects}),
lines AS (
  SELECT 1 AS place, 'received' AS reason, accepted + duplicate + quarantined AS records FROM took
  UNION ALL SELECT 2, 'accepted', accepted FROM took
  UNION ALL SELECT 3, 'duplicate', duplicate FROM took
  UNION ALL SELECT 4, 'quarantined', quarantined FROM took
  UNION ALL SELECT 5, reason, records FROM counted WHERE reason LIKE 'dropped:%'
  UNION ALL SELECT 6, 'visible', visible FROM saw
  UNION ALL SELECT 7, 'difference', accepted - visible FROM took CROSS JOIN saw
)
SELECT reason, records FROM lines ORDER BY place, reason""",
)
