"""The relational database of what people decided: tokens, sessions, the directory of people, settings.

It is apart from the records because it is small, changes in place, and is written by the command line while the server
runs (DuckDB lets one process in). SQLite in the data directory, or what `TELLBACK_DATABASE` names.
"""

from tellback.server.decisions.database import Decisions, open_decisions

__all__ = ["Decisions", "open_decisions"]
