"""`GET /v1/control` for clients, `/api/control` for who gives the orders (`tellback control`)."""

from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tellback import order
from tellback.server import times
from tellback.server.access import Access
from tellback.server.api.caller import caller, token_of
from tellback.server.api.errors import ApiError, json
from tellback.server.control import Control, Standing
from tellback.server.grant import ADMIN, DEFAULT_PROJECT, WRITE

MAX_BODY = 4 * order.MAX_BYTES


class Given(msgspec.Struct, forbid_unknown_fields=True):
    rules: dict[str, Any]
    seconds: int
    project: str = DEFAULT_PROJECT


class Controls:
    def __init__(self, access: Access, control: Control) -> None:
        self._access, self._control = access, control

    async def ask(self, request: Request) -> Response:
        """What a client may record: the order in words, and signed in the header `Tellback-Control`."""
        grant = caller(request, self._access, WRITE)
        token = token_of(request)
        signed = self._control.signed(grant.project, token) if token else None
        return json(_shown(self._control.standing(grant.project)), headers={order.HEADER: signed} if signed else None)

    async def show(self, request: Request) -> Response:
        caller(request, self._access, ADMIN)
        return json(_shown(self._control.standing(_project(request))))

    async def give(self, request: Request) -> Response:
        caller(request, self._access, ADMIN)
        body = bytearray()
        async for chunk in request.stream():
            body += chunk
            if len(body) > MAX_BODY:
                raise ApiError(413, "too_large", f"the body is over {MAX_BODY >> 10} KiB", "body")
        try:
            said = msgspec.json.decode(bytes(body), type=Given)
            if not 0 < len(said.project) <= 190:
                raise ValueError("project: expected a name of 1 to 190 characters")
            standing = await run_in_threadpool(self._control.give, said.project, said.rules, said.seconds)
        except (ValueError, msgspec.MsgspecError) as error:
            raise ApiError(400, "bad_body", str(error), "body") from None
        return json(_shown(standing))

    async def withdraw(self, request: Request) -> Response:
        caller(request, self._access, ADMIN)
        project = _project(request)
        if not await run_in_threadpool(self._control.withdraw, project):
            raise ApiError(404, "not_found", f"no order is in force for project {project!r}", "project")
        return Response(status_code=204)


def _project(request: Request) -> str:
    return request.query_params.get("project") or DEFAULT_PROJECT


def _shown(standing: Standing | None) -> dict[str, Any]:
    if standing is None:
        return {"rules": {}, "issued": None, "expires": None}
    return {
        "rules": standing.rules,
        "issued": times.text(standing.issued),
        "expires": times.text(standing.expires),
    }
