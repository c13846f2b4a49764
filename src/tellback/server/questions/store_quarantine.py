from collections.abc import Mapping
from typing import Annotated

import msgspec

from tellback.server.questions import filters
from tellback.server.questions.contract import Question, Scope, Time
from tellback.server.questions.filters import Ranged


class Params(Ranged, frozen=True, kw_only=True):
    wire: Annotated[list[str], msgspec.Meta(description="The wire that it came by.")] = []


class Row(msgspec.Struct):
    received: Time
    wire: str | None
    line: int | None
    reason: str | None
    sample: str | None


def prepare(params: Params, scope: Scope) -> Mapping[str, str]:
    wire = scope.binder.either("wire", params.wire) if params.wire else "TRUE"
    return {"received": filters.span(scope, "received"), "wire": wire}


QUESTION = Question(
    name="store.quarantine",
    title="What was sent and could not be taken",
    doc="Rejected lines by the time they came in, newest first: the line's number in its request, the reason, and the "
    "line's beginning as it was.",
    params=Params,
    row=Row,
    sql="""
SELECT received, wire, line, reason, sample
FROM quarantine
WHERE {projects} AND {received} AND {wire}
ORDER BY received DESC, wire, line, reason, sample""",
    prepare=prepare,
    limit=100,
)
