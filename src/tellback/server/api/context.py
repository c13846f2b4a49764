"""What the API needs from the other rooms."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from tellback.server.access import Access
from tellback.server.api.metrics import Metric
from tellback.server.control import Control
from tellback.server.decisions import Decisions
from tellback.server.grant import Grant
from tellback.server.questions.asking import Given
from tellback.server.questions.contract import Answer

SESSION_COOKIE = "tellback_session"
"""Also the pages' name for it."""


class Ask(Protocol):
    def __call__(self, grant: Grant, name: str, params: Given, /) -> Awaitable[Answer]:
        """Raises QuestionError. Cancelling it cancels the query."""


@dataclass(frozen=True)
class Api:
    ask: Ask
    access: Access
    decisions: Decisions
    control: Control
    metrics: Callable[[], Mapping[str, Metric]]
    """Asked at every `GET /metrics`, by the metric's whole name, `tellback_...`."""
