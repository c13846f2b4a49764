"""The API's paths."""

from collections.abc import Awaitable, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tellback.server.api import metrics, openapi
from tellback.server.api.admin import Admin
from tellback.server.api.asking import Questions
from tellback.server.api.context import Api
from tellback.server.api.errors import ApiError, json, refusal

Handler = Callable[[Request], Awaitable[Response]]


def routes(api: Api) -> list[Route]:
    """Every path of the API and `/metrics`. They answer in the contract's form also without the application's handlers,
    save for a method that a path does not take (`on_http_error`)."""
    questions, admin = Questions(api), Admin(api)

    async def describe(request: Request) -> Response:
        return json(openapi.description())

    async def measure(request: Request) -> Response:
        # In a thread: some of the numbers are asked of the store.
        text = metrics.text(await run_in_threadpool(api.metrics))
        return Response(text, media_type=metrics.CONTENT_TYPE)

    return [
        Route("/api/questions", _answering(questions.list), methods=["GET"]),
        Route("/api/questions/{name}", _answering(questions.ask), methods=["GET"]),
        Route("/api/openapi.json", _answering(describe), methods=["GET"]),
        Route("/api/me", _answering(admin.me), methods=["GET"]),
        Route("/api/tokens", _by_method(GET=admin.list_tokens, POST=admin.new_token), methods=["GET", "POST"]),
        Route("/api/tokens/{id}", _answering(admin.revoke), methods=["DELETE"]),
        Route("/api/people", _by_method(GET=admin.list_people, PUT=admin.import_people), methods=["GET", "PUT"]),
        Route("/metrics", _answering(measure), methods=["GET"]),
    ]


def _answering(handler: Handler) -> Handler:
    async def endpoint(request: Request) -> Response:
        try:
            return await handler(request)
        except ApiError as error:
            return refusal(error)

    return endpoint


def _by_method(**handlers: Handler) -> Handler:
    async def endpoint(request: Request) -> Response:
        return await handlers["GET" if request.method == "HEAD" else request.method](request)

    return _answering(endpoint)
