"""What is in force in this process. Every call reads it, `lifecycle` and `switch` alone write it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tellback.client.context import EMPTY, Context

if TYPE_CHECKING:
    from tellback.client.spool import Spool

spool: "Spool | None" = None
"""Where lines go. None before `init`, after `close`, and while the red button is pressed: then calls do nothing."""

base: Context = EMPTY
"""What `init` bound for the whole process."""


def _nothing() -> None:
    """Before `init`, nobody wants to know."""


muted: Callable[[], None] = _nothing
"""Told of each record not taken while `spool` is None."""


begun: "list[Callable[[], object]]" = []
"""Called by `init` once recording is on, by what must be there without being called: gauges that are asked."""


def off() -> None:
    """Back to how a process starts."""
    global spool, base, muted
    spool, base, muted = None, EMPTY, _nothing
