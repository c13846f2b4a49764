"""What stands in the store's file, and the few helpers that questions may call in SQL."""

from tellback.server.schema import COLUMNS

VERSION = "1"

QUOTED = ", ".join(f'"{name}"' for name in COLUMNS)

_RECORDS = ", ".join(f'"{name}" {type_}' for name, type_ in COLUMNS.items())

TABLES = f"""
CREATE TABLE IF NOT EXISTS records ({_RECORDS});
CREATE TABLE IF NOT EXISTS loaded (name VARCHAR, "at" BIGINT);
CREATE TABLE IF NOT EXISTS segments (project VARCHAR, segment VARCHAR, "first" BIGINT, "last" BIGINT);
CREATE TABLE IF NOT EXISTS digests (project VARCHAR, digest VARCHAR, received BIGINT);
CREATE TABLE IF NOT EXISTS ledger (project VARCHAR, reason VARCHAR, records BIGINT, PRIMARY KEY (project, reason));
CREATE TABLE IF NOT EXISTS quarantine (
  received BIGINT, project VARCHAR, wire VARCHAR, line BIGINT, reason VARCHAR, sample VARCHAR
);
CREATE TABLE IF NOT EXISTS people ("user" VARCHAR, team VARCHAR, name VARCHAR, extra JSON);
CREATE TABLE IF NOT EXISTS meta (key VARCHAR PRIMARY KEY, value VARCHAR);
"""
"""`segments` is added to by each load and merged now and then; rows may touch and overlap."""

_HOUR = 3_600_000_000_000

MACROS = f"""
CREATE OR REPLACE MACRO week_of(day) AS CAST(date_trunc('week', CAST(day AS DATE)) AS DATE);
CREATE OR REPLACE MACRO month_of(day) AS CAST(date_trunc('month', CAST(day AS DATE)) AS DATE);
CREATE OR REPLACE MACRO hour_of("time") AS CASE
  WHEN "time" >= 0 THEN "time" - "time" % {_HOUR}
  ELSE CAST(greatest(CAST("time" AS HUGEINT) - ("time" % {_HOUR} + {_HOUR}) % {_HOUR}, {-(2**63)}) AS BIGINT)
END;
CREATE OR REPLACE MACRO each_line("text") AS unnest(string_split("text", chr(10)));
"""
"""Weeks are ISO. Hours are whole ones since epoch, rounded down also before 1970.
`each_line` makes a row of each line."""

MERGE_SEGMENTS = """
CREATE TEMP TABLE merged AS
SELECT project, segment, min("first") AS "first", max("last") AS "last"
FROM (
  SELECT *, sum(CASE WHEN "first" <= reach THEN 0 ELSE 1 END)
    OVER (PARTITION BY project, segment ORDER BY "first", "last" ROWS UNBOUNDED PRECEDING) AS island
  FROM (
    SELECT *, max("last") OVER (
      PARTITION BY project, segment ORDER BY "first", "last" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS reach FROM segments
  )
)
GROUP BY project, segment, island;
DELETE FROM segments;
INSERT INTO segments SELECT * FROM merged;
DROP TABLE merged;
"""

MISSING = """
SELECT count(*) FROM (
  SELECT "first", coalesce(max("last") OVER (
    PARTITION BY project, segment ORDER BY "first", "last" ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
  ), 0) AS reach FROM segments WHERE $project IS NULL OR project = $project
) WHERE "first" > reach
"""
"""Gaps between accepted bytes, and before the first of them: every segment begins at 0."""
