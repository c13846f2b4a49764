"""`/api/questions`: the catalogue and the answers."""

import asyncio

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from tellback.server.api.caller import caller
from tellback.server.api.context import Api
from tellback.server.api.errors import ApiError, json
from tellback.server.grant import READ
from tellback.server.questions import forms
from tellback.server.questions.catalogue import catalogue, find
from tellback.server.questions.contract import Answer, QuestionError

GONE = 499
"""Nobody reads the answer: the client has left. The number is nginx's."""


class Questions:
    def __init__(self, api: Api) -> None:
        self._api = api

    async def list(self, request: Request) -> Response:
        caller(request, self._api.access, READ)
        return json({"questions": [forms.declaration(question) for question in catalogue().values()]})

    async def ask(self, request: Request) -> Response:
        grant = caller(request, self._api.access, READ)
        name = request.path_params["name"]
        given: dict[str, list[str]] = {}
        for key, value in request.query_params.multi_items():
            given.setdefault(key, []).append(value)
        try:
            question = find(name)
            answer = await _unless_gone(request, asyncio.ensure_future(self._api.ask(grant, name, given)))
        except QuestionError as error:
            raise ApiError(error.status, error.code, error.message, error.where) from None
        if answer is None:
            return Response(status_code=GONE)
        headers = {"cache-control": "no-store", "vary": "accept"}
        if prefers_csv(request.headers.get("accept", "")):
            headers["tellback-complete"] = msgspec.json.encode(answer.complete).decode()
            if answer.next is not None:
                following = request.url.include_query_params(cursor=answer.next)
                headers["link"] = f'<{following.path}?{following.query}>; rel="next"'
            return Response(forms.csv_text(question, answer), 200, headers, media_type="text/csv")
        return Response(forms.json_text(answer), 200, headers, media_type="application/json")


async def _unless_gone(request: Request, asking: "asyncio.Future[Answer]") -> Answer | None:
    """The answer, or None when the client left before it came; then the query is cancelled."""
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait((asking, leaving), return_when=asyncio.FIRST_COMPLETED)
        return asking.result() if asking.done() else None
    finally:
        waited = [task for task in (asking, leaving) if not task.done() and task.cancel()]
        await asyncio.gather(*waited, return_exceptions=True)


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def prefers_csv(accept: str) -> bool:
    """Whether an Accept header would rather have CSV than JSON (RFC 9110, 12.5.1)."""
    weight = {"text/csv": 0.0, "application/json": 0.0}
    rank = {"*/*": 1, "text/*": 2, "application/*": 2, "text/csv": 3, "application/json": 3}
    for offer in weight:
        best = 0
        for part in accept.split(","):
            kind, *options = (word.strip().lower() for word in part.split(";"))
            if kind in (offer, "*/*", f"{offer.partition('/')[0]}/*") and rank[kind] > best:
                best = rank[kind]
                quality = next((option[2:] for option in options if option.startswith("q=")), "1")
                weight[offer] = float(quality) if quality.replace(".", "", 1).isdigit() else 0.0
    return weight["text/csv"] > weight["application/json"]
