"""`/api/tokens`, `/api/people`, `/api/me`: what `tellback token` and `tellback people` do from elsewhere."""

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tellback.server.api.caller import caller
from tellback.server.api.context import Api
from tellback.server.api.errors import ApiError, json
from tellback.server.grant import ADMIN
from tellback.server.people import directory
from tellback.server.people.table import FileError

MAX_BODY = 16 << 20


class NewToken(msgspec.Struct, forbid_unknown_fields=True):
    scopes: list[str]
    project: str | None = None


class Admin:
    def __init__(self, api: Api) -> None:
        self._access, self._decisions = api.access, api.decisions

    async def me(self, request: Request) -> Response:
        grant = caller(request, self._access, None)
        return json({"project": grant.project, "reads": grant.reads, "scopes": sorted(grant.scopes)})

    async def list_tokens(self, request: Request) -> Response:
        caller(request, self._access, ADMIN)
        return json({"tokens": await run_in_threadpool(self._access.list_tokens)})

    async def new_token(self, request: Request) -> Response:
        caller(request, self._access, ADMIN)
        try:
            wanted = msgspec.json.decode(await _body(request), type=NewToken)
            made = await run_in_threadpool(self._access.new_token, wanted.scopes, wanted.project)
        except (ValueError, msgspec.MsgspecError) as error:
            raise ApiError(400, "bad_body", str(error), "body") from None
        return json({"id": made.id, "token": made.token}, 201)

    async def revoke(self, request: Request) -> Response:
        caller(request, self._access, ADMIN)
        token_id = request.path_params["id"]
        if not await run_in_threadpool(self._access.revoke, token_id):
            raise ApiError(404, "not_found", f"no token {token_id} that is not revoked", "id")
        return Response(status_code=204)

    async def list_people(self, request: Request) -> Response:
        caller(request, self._access, ADMIN)
        return json({"people": await run_in_threadpool(directory.people, self._decisions)})

    async def import_people(self, request: Request) -> Response:
        caller(request, self._access, ADMIN)
        try:
            report = await run_in_threadpool(directory.import_csv, self._decisions, await _body(request))
        except FileError as error:
            raise ApiError(400, "bad_body", str(error), "body") from None
        return json(report)


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise ApiError(413, "too_large", f"the body is over {MAX_BODY >> 20} MiB", "body")
    return bytes(body)
