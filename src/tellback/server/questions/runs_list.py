import msgspec

from tellback.server.questions._runs import RUNS, Params, prepare
from tellback.server.questions.contract import Count, Question, Time


class Row(msgspec.Struct):
    started: Time
    name: str | None
    run: str
    outcome: str
    duration: int | None
    exports: Count
    errors: Count
    records: Count
    service: str | None
    release: str | None
    user: str | None


QUESTION = Question(
    name="runs.list",
    title="Which runs there were, and how each ended",
    doc="Runs that began in the range, the last first; the filters choose them by the record of their beginning, name "
    "is their class. Outcome is ok, error, stopped (left by what is no failure), or unfinished: it still runs, or was "
    "killed. Duration is in ns. Exports, errors and records are all that carry the run's id, its parts' too.",
    params=Params,
    row=Row,
    sql=f"""
WITH {RUNS},
told AS (
  SELECT project, run, count(*) AS records,
    count(CASE WHEN kind = 'error' THEN 1 END) AS errors,
    count(CASE WHEN kind = 'span' AND json_extract_string(attrs, '/tellback.phase') = 'export' THEN 1 END) AS exports
  FROM records
  WHERE {{later}} AND run <> ''
  GROUP BY project, run
)
SELECT r.started, r.name, r.run, r.outcome, r.duration, t.exports, t.errors, t.records, r.service, r.release, r."user"
FROM runs AS r
JOIN told AS t ON t.project = r.project AND t.run = r.run
ORDER BY r.started DESC, r.run, r.project, r.span""",
    prepare=prepare,
    limit=100,
)
