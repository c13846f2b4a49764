import msgspec

from tellback.server.questions._runs import RUNS, Params, prepare
from tellback.server.questions.contract import Count, Question, Time


class Row(msgspec.Struct):
    name: str | None
    records: Count
    ok: Count
    error: Count
    stopped: Count
    unfinished: Count
    median: int | None
    p95: int | None
    last_started: Time


QUESTION = Question(
    name="runs.classes",
    title="How the runs of each class end, and how long they take",
    doc="Runs that began in the range by their class, those with the most first; records counts the runs. Median and "
    "p95 are durations in ns of runs that have ended: the least that half of them, and 95 of 100, do not exceed.",
    params=Params,
    row=Row,
    sql=f"""
WITH {RUNS},
ranked AS (
  SELECT name, started, outcome, duration,
    CASE WHEN duration IS NOT NULL
      THEN row_number() OVER (PARTITION BY name, duration IS NULL ORDER BY duration) END AS place,
    count(duration) OVER (PARTITION BY name) AS finished
  FROM runs
)
SELECT name, count(*) AS records,
  count(CASE WHEN outcome = 'ok' THEN 1 END) AS ok,
  count(CASE WHEN outcome = 'error' THEN 1 END) AS error,
  count(CASE WHEN outcome = 'stopped' THEN 1 END) AS stopped,
  count(CASE WHEN outcome = 'unfinished' THEN 1 END) AS unfinished,
  min(CASE WHEN place * 2 >= finished THEN duration END) AS median,
  min(CASE WHEN place * 100 >= finished * 95 THEN duration END) AS p95,
  max(started) AS last_started
FROM ranked
GROUP BY name
ORDER BY records DESC, name IS NULL, name""",
    prepare=prepare,
)
