"""`record`: the warnings that Python shows, as records of kind `log`.

    tellback.adapters.warnings.record()      # at the entry point; goes on showing them as before

What a warning filter hides is not recorded either: it is never shown. To record what the standard filters hide, say so:
`warnings.simplefilter("default", DeprecationWarning)`. A program that uses `logging.captureWarnings(True)` with
`tellback.LogHandler` has them already.
"""

import warnings
from collections.abc import Callable
from typing import Any

from tellback.client import live
from tellback.client.clean import type_name
from tellback.client.events import emit

_before: Callable[..., Any] | None = None


def record() -> None:
    """Record each warning that is shown, then have it shown as before. Called again, it does nothing."""
    global _before
    if _before is None:
        _before, warnings.showwarning = warnings.showwarning, _show


def stop() -> None:
    """Show them as before `record`, unless somebody else has replaced what shows them since."""
    global _before
    if _before is not None and warnings.showwarning is _show:
        warnings.showwarning, _before = _before, None


def _show(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: Any = None,
    line: str | None = None,
) -> None:
    # With `file` the caller wants the text there and nowhere else.
    if file is None:
        _record(message, category, filename, lineno)
    if _before is not None:
        _before(message, category, filename, lineno, file, line)


def _record(message: Warning | str, category: type[Warning], filename: str, lineno: int) -> None:
    try:
        if live.spool is None:
            live.muted()
            return
        # A warning is made to be printed: its text is asked for, as an exception's is (docs/decisions/0012).
        own = {"level": "warn", "message": str(message)}
        emit("log", type_name(category), own, {"code.file.path": filename, "code.line.number": lineno})
    except Exception:
        spool = live.spool
        if spool is not None:
            spool.lost.add("error")
