"""The columns of a record in the store, in order: the one list that intake writes, the loader reads, questions ask.

Types are DuckDB's; `docs/architecture.md` says which of them other engines spell differently. Everything but
`project`, `time`, `day`, `kind`, `segment`, `offset` and `received` may be null.
"""

COLUMNS: dict[str, str] = {
    "project": "VARCHAR",  # of the token that brought it
    "time": "BIGINT",  # ns since epoch
    "day": "DATE",  # of `time` in the installation's reporting zone, set while loading
    "kind": "VARCHAR",
    "name": "VARCHAR",
    "level": "VARCHAR",
    "message": "VARCHAR",
    "user": "VARCHAR",
    "session": "VARCHAR",
    "run": "VARCHAR",
    "trace": "VARCHAR",
    "span": "VARCHAR",
    "parent": "VARCHAR",
    "duration": "BIGINT",  # ns
    "value": "DOUBLE",
    "attrs": "JSON",
    "service": "VARCHAR",
    "release": "VARCHAR",
    "environment": "VARCHAR",
    "host": "VARCHAR",
    "os": "VARCHAR",
    "python": "VARCHAR",
    "pid": "BIGINT",
    "start": "BIGINT",  # ns since epoch
    "segment": "VARCHAR",  # identity: (segment, offset)
    "offset": "BIGINT",
    "received": "BIGINT",  # ns since epoch, the server's clock
}

JOURNAL_COLUMNS = {name: type_ for name, type_ in COLUMNS.items() if name != "day"}
"""The keys of a journal line: each at most once, in canonical form, `attrs` an object."""
