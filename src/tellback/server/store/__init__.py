"""DuckDB, embedded: every acknowledged record, loaded once, asked at leave.

Sealed parts (Parquet by day, see the blueprint) get their place here: a file `sealing.py` beside `load.py`, and
`records` becomes a view over the hot table and the parts.
"""

from tellback.server.store.engine import QueryTimeout, Result, Store
from tellback.server.store.loader import Loader

__all__ = ["Loader", "QueryTimeout", "Result", "Store"]
