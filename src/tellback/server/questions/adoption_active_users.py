import msgspec

from tellback.server.questions.contract import Count, Day, Question
from tellback.server.questions.periods import OF_DAY, ByMonth


class Row(msgspec.Struct):
    period: Day
    users: Count


QUESTION = Question(
    name="adoption.active_users",
    title="How many people are active in each period",
    doc="People with at least one record of kind event in the period. A period that the range covers in part counts "
    "only what lies in the range. Periods in which nobody was active have no row.",
    params=ByMonth,
    row=Row,
    sql="""
SELECT {period} AS period, count(DISTINCT "user") AS users
FROM records
WHERE {where} AND kind = 'event' AND "user" <> ''
GROUP BY {period}
ORDER BY period""",
    prepare=lambda params, scope: {"period": OF_DAY[params.period]},
)
