"""What is in force in this process. Every call reads it, `lifecycle` and `switch` alone write it."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tellback.client.context import EMPTY, Context

if TYPE_CHECKING:
    from tellback.client.governor import Governor
    from tellback.client.spool import Spool

spool: "Spool | None" = None
"""Where lines go. None before `init`, after `close`, and while the red button is pressed: then calls do nothing."""

base: Context = EMPTY
"""What `init` bound for the whole process."""


def _nothing() -> None:
    """Before `init`, nobody wants to know."""


muted: Callable[[], None] = _nothing
"""Told of each record not taken while `spool` is None."""

governor: "Governor | None" = None
"""Applies the rules that are in force; None while there are none."""

identity: tuple[str | None, ...] = ()
"""Service, release and destination of this process, as `init` was told."""


def paused() -> bool:
    """Whether recording is off for now and may go on by itself: the red button is pressed."""
    return spool is None and muted is not _nothing


def takes(kind: str, name: str) -> bool:
    """Whether a record of this kind and name may be made now; for who gathers long before making one."""
    return spool is not None and (governor is None or not governor.disables(kind, name))


def refused(kind: str, name: str) -> bool:
    """Whether a rule leaves out such a record, which is then counted; for who would go to lengths to make one."""
    if governor is None or not governor.disables(kind, name):
        return False
    governor.drop("disabled")
    return True


def off() -> None:
    """Back to how a process starts."""
    global spool, base, muted, governor, identity
    spool, base, muted, governor, identity = None, EMPTY, _nothing, None, ()
