"""Trace context of a request: the header `traceparent` of W3C Trace Context (https://www.w3.org/TR/trace-context/)."""

import os
import re
from typing import Final

_FORM: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)


def parse(traceparent: str | None) -> tuple[str, str] | None:
    """Ids of the trace and of the span above, or None: what is not exactly right begins a trace of its own."""
    if not traceparent or len(traceparent) > 512 or (found := _FORM.fullmatch(traceparent.strip())) is None:
        return None
    version, trace, span, _, more = found.groups()
    if version == "ff" or (version == "00" and more) or not trace.strip("0") or not span.strip("0"):
        return None
    return trace, span


def fresh() -> tuple[str, str]:
    """Ids of a new trace and of a new span."""
    drawn = os.urandom(24).hex()
    return drawn[:32], drawn[32:]
