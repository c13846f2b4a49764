"""Refusals and how they are answered."""

import http
from collections.abc import Mapping

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response


class ApiError(Exception):
    """A refusal in the contract's form."""

    def __init__(
        self, status: int, code: str, message: str, where: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.where, self.headers = status, code, message, where, headers


def json(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    body = msgspec.json.encode(content, order="deterministic")
    kept = {"cache-control": "no-store", **(headers or {})}
    return Response(body, status, kept, media_type="application/json")


def refusal(error: ApiError) -> Response:
    said = {"code": error.code, "message": error.message, "where": error.where}
    return Response(
        msgspec.json.encode({"error": said}), error.status, dict(error.headers or {}), media_type="application/json"
    )


async def on_refusal(request: Request, error: Exception) -> Response:
    """Exception handler for ApiError."""
    assert isinstance(error, ApiError)
    return refusal(error)


async def on_http_error(request: Request, error: Exception) -> Response:
    """Exception handler for Starlette's own refusals: no such path, wrong method."""
    assert isinstance(error, HTTPException)
    code = http.HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    words = {404: f"nothing is at {request.url.path}", 405: f"{request.method} is not what {request.url.path} takes"}
    message = words.get(error.status_code, error.detail)
    return refusal(ApiError(error.status_code, code, message, None, error.headers))
