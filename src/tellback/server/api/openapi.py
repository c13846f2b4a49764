"""The OpenAPI 3.1 description of the API, made from the declarations of the questions."""

from functools import cache
from typing import Any

import msgspec

from tellback.server.questions import forms
from tellback.server.questions.catalogue import catalogue
from tellback.server.questions.contract import Complete, Question, Range
from tellback.version import __version__

_ERRORS = {
    "400": {"$ref": "#/components/responses/Error"},
    "401": {"$ref": "#/components/responses/Error"},
    "403": {"$ref": "#/components/responses/Error"},
}
_SCOPES = {"type": "array", "items": {"enum": ["write", "read", "admin"]}, "minItems": 1}
_TOKEN = {
    "type": "object",
    "required": ["scopes"],
    "properties": {"scopes": _SCOPES, "project": {"type": ["string", "null"]}},
}

_ORDER = {
    "type": "object",
    "required": ["rules", "seconds"],
    "properties": {"rules": {"type": "object"}, "seconds": {"type": "integer"}, "project": {"type": "string"}},
}


@cache
def description() -> dict[str, Any]:
    _, parts = msgspec.json.schema_components([Range, Complete], ref_template="#/components/schemas/{name}")
    text = {"type": "string"}
    error = {"type": "object", "properties": {"code": text, "message": text, "where": {"type": ["string", "null"]}}}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Tellback", "version": __version__},
        "security": [{"bearer": []}],
        "paths": {
            "/api/questions": {"get": _operation("Which questions there are", {"type": "object"})},
            **{f"/api/questions/{question.name}": {"get": _asking(question)} for question in catalogue().values()},
            "/api/me": {"get": _operation("What the token in use may do", {"type": "object"})},
            "/api/tokens": {
                "get": _operation("All tokens, without their secrets", {"type": "object"}),
                "post": _operation("A new token, shown once", {"type": "object"}, "201", ("application/json", _TOKEN)),
            },
            "/api/tokens/{id}": {
                "delete": {
                    "summary": "Revokes a token",
                    "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
                    "responses": {
                        "204": {"description": "It is revoked."},
                        "404": {"$ref": "#/components/responses/Error"},
                        **_ERRORS,
                    },
                }
            },
            "/api/people": {
                "get": _operation("The directory of people", {"type": "object"}),
                "put": _operation(
                    "Replaces the directory of people", {"type": "object"}, "200", ("text/csv", {"type": "string"})
                ),
            },
            "/v1/control": {"get": _operation("What a client may record", {"type": "object"})},
            "/api/control": {
                "get": _operation("The order about what clients may record", {"type": "object"}),
                "put": _operation("Gives an order", {"type": "object"}, "200", ("application/json", _ORDER)),
                "delete": {
                    "summary": "Takes the order back",
                    "responses": {
                        "204": {"description": "It is taken back."},
                        "404": {"$ref": "#/components/responses/Error"},
                        **_ERRORS,
                    },
                },
            },
        },
        "components": {
            "schemas": {
                **parts,
                "Error": {"type": "object", "required": ["error"], "properties": {"error": error}},
            },
            "responses": {
                "Error": {
                    "description": "What is wrong and where.",
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
            },
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(
    summary: str, schema: dict[str, Any], status: str = "200", body: tuple[str, dict[str, Any]] | None = None
) -> dict[str, Any]:
    content = {"application/json": {"schema": schema}}
    operation: dict[str, Any] = {
        "summary": summary,
        "responses": {status: {"description": "It is done.", "content": content}, **_ERRORS},
    }
    if body:
        operation["requestBody"] = {"required": True, "content": {body[0]: {"schema": body[1]}}}
    return operation


def _asking(question: Question) -> dict[str, Any]:
    said = forms.declaration(question)
    answer = {
        "type": "object",
        "required": ["question", "range", "complete", "rows", "next"],
        "properties": {
            "question": {"const": question.name},
            "range": {"$ref": "#/components/schemas/Range"},
            "complete": {"$ref": "#/components/schemas/Complete"},
            "rows": {"type": "array", "items": said["row"]},
            "next": {"type": ["string", "null"]},
        },
    }
    parameters = []
    for name, whole in said["params"]["properties"].items():
        schema = {key: value for key, value in whole.items() if key != "description"}
        parameters.append({"name": name, "in": "query", "description": whole.get("description", ""), "schema": schema})
    operation = _operation(question.title, answer)
    operation |= {"operationId": question.name, "description": question.doc, "parameters": parameters}
    operation["responses"]["200"]["content"]["text/csv"] = {"schema": {"type": "string"}}
    return operation
