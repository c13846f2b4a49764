from collections.abc import Mapping
from datetime import date

import msgspec

from tellback.server import times
from tellback.server.questions import filters
from tellback.server.questions.contract import Count, Day, Question, QuestionError, Scope, Share
from tellback.server.questions.periods import OF_DAY, ByWeek

MAX_PERIODS = 370
"""The grid grows with their square; a year of days is 68,000 cells."""


class Row(msgspec.Struct):
    cohort: Day
    period: Count
    users: Count
    share: Share


def periods(params: ByWeek, scope: Scope) -> list[date]:
    """First days of all periods that the range touches, none later than today: nobody can have stayed until then."""
    last_ns = min(scope.until - 1, scope.now)
    if last_ns < scope.since:
        return []
    last = times.day_of(last_ns, scope.zone)
    found = [times.period_start(times.day_of(scope.since, scope.zone), params.period)]
    while (following := times.next_period(found[-1], params.period)) <= last:
        found.append(following)
        if len(found) > MAX_PERIODS:
            raise QuestionError(
                "bad_parameter",
                f"period: the range has more than {MAX_PERIODS} periods of a {params.period}; "
                "ask for a shorter range or a longer period",
                "period",
            )
    return found


def prepare(params: ByWeek, scope: Scope) -> Mapping[str, str]:
    bind = scope.binder.bind
    # With no period at all one that no cohort has stands in: a VALUES needs a row.
    grid = periods(params, scope) or [date(1, 1, 1)]
    return {
        "periods": ", ".join(f"(CAST({bind(day.isoformat())} AS DATE), {number})" for number, day in enumerate(grid)),
        "ever": filters.where(params, scope, ever=True),
        "arrived": filters.span(scope, "min(time)"),
        "cohort": OF_DAY[params.period],
        "period": OF_DAY[params.period],
    }


QUESTION = Question(
    name="adoption.retention",
    title="Who comes back",
    doc="People whose first event ever, under the same filters, lies in the range, by the period of that event (the "
    "cohort, its first day). Period 0 is that period itself, 1 the next; users are those of the cohort with an event "
    "in it, share is users over the cohort's people. Every period from the cohort's to the last of the range that has "
    "begun has its row, also with 0. Only events in the range count.",
    params=ByWeek,
    row=Row,
    sql="""
WITH arrivals AS (
  SELECT "user", {cohort} AS cohort
  FROM (
    SELECT "user", min(day) AS day
    FROM records
    WHERE {ever} AND kind = 'event' AND "user" <> ''
    GROUP BY "user"
    HAVING {arrived}
  ) AS first_events
),
cohorts AS (SELECT cohort, count(*) AS people FROM arrivals GROUP BY cohort),
seen AS (
  SELECT DISTINCT "user", {period} AS start
  FROM records
  WHERE {where} AND kind = 'event' AND "user" <> ''
),
returned AS (
  SELECT arrivals.cohort AS cohort, seen.start AS start, count(*) AS users
  FROM seen JOIN arrivals ON arrivals."user" = seen."user"
  GROUP BY arrivals.cohort, seen.start
),
periods(start, number) AS (VALUES {periods})
SELECT c.cohort AS cohort, p.number - b.number AS period, coalesce(r.users, 0) AS users,
  CAST(coalesce(r.users, 0) AS DOUBLE) / c.people AS share
FROM cohorts AS c
JOIN periods AS b ON b.start = c.cohort
JOIN periods AS p ON p.number >= b.number
LEFT JOIN returned AS r ON r.cohort = c.cohort AND r.start = p.start
ORDER BY cohort, period""",
    prepare=prepare,
    limit=filters.MAX_LIMIT,
)
