"""`POST /mito`: what Mito's enterprise logging posts, a JSON array of flat objects.

The format is mitosheet 0.2.69's, seen from the real client: `event`, `timestamp_gmt` in whole seconds, three versions,
any `params_*`. An error is the event `error`, or `frontend_render_failed` from the browser. Nothing says who the user
is, so it comes beside the token: from Basic auth (`http://USER:TOKEN@host:8321/mito`), or asserted in the query.

Mito's client sends a batch again when an answer is late, with nothing in it to tell so: the same token, query, peer
and body within an hour is a duplicate.
"""

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from tellback.server.intake import canonical
from tellback.server.intake.canonical import Bad
from tellback.server.intake.contract import Answer, Batch, Refusal, Request, Wire, from_authorization
from tellback.server.intake.records import finished

_ERRORS = frozenset({"error", "frontend_render_failed"})
_PREFIX = "params_"
_OWN = frozenset({"event", "timestamp_gmt", "version_mito", "version_python"})

LEVELS = {
    "0": "warn",  # likely just a warning
    "10": "warn",  # likely the user's error
    "11": "warn",  # likely inconsequential
    "20": "error",  # likely a bug of Mito's
    "21": "error",  # unable to import data
    "22": "error",  # unable to replay the analysis
    "50": "fatal",  # crashed
    "-1": "error",  # unexpected
}
"""Mito's severity codes as levels: what its own words call harmless is a warning. Other codes are `error`."""

# `module.Type: message`, as the last line of a traceback has it; a bare type has no colon.
_EXCEPTION = re.compile(r"(?P<type>[A-Za-z_][\w.]*)(?::\s*(?P<message>.*))?", re.DOTALL)


class Mito(Wire):
    name = "mito"
    paths = ("/mito", "/mito/{token}")

    def credentials(
        self, params: Mapping[str, str], headers: Mapping[str, str], query: Mapping[str, str]
    ) -> tuple[str, str | None] | None:
        if "token" in params:
            return params["token"], None
        return from_authorization(headers.get("authorization", ""))

    def decode(self, request: Request) -> Batch:
        grant = request.grant
        batch = Batch(grant.project, grant.token_id, self.name, request.received)
        batch.digest = digest(request)
        items = _items(request.body)
        if request.seen.repeated(grant.project, batch.digest, request.received):
            batch.duplicates = len(items)
            return batch
        constant = {"project": grant.project, "segment": uuid.uuid4().hex, "received": request.received}
        asserted = request.query.get("user") or None
        for position, item in enumerate(items):
            try:
                fields = record(item, request.user or asserted, asserted=request.user is None)
                line = finished(canonical.repaired(fields, request.received), position, {}, constant)
            except Bad as error:
                batch.reject(position + 1, str(error), canonical.encode(item))
                continue
            batch.lines.append(line)
        return batch

    def answer(self, batch: Batch) -> Answer:
        body = {
            "accepted": len(batch.lines),
            "rejected": batch.rejected,
            "duplicates": batch.duplicates,
            "errors": [{"line": reject.line, "reason": reject.reason} for reject in batch.rejects],
        }
        # Mito's client keeps and re-sends what was not a 2xx, for ever: what is in quarantine it must not send again.
        return Answer(202, msgspec.json.encode(body))


def digest(request: Request) -> str:
    """What makes two posts the same."""
    query = sorted(request.query.items())
    parts = (request.grant.token_id, request.user or "", request.peer, msgspec.json.encode(query))
    head = b"\0".join(part if isinstance(part, bytes) else part.encode("utf-8", "replace") for part in parts)
    return hashlib.sha256(head + b"\0" + request.body).hexdigest()


def _items(body: bytes) -> list[Any]:
    try:
        items = canonical.parse(body)
    except Bad as error:
        raise Refusal(400, "bad_json", str(error), "body") from None
    if isinstance(items, dict):  # one event that someone posts by hand
        return [items]
    if not isinstance(items, list):
        raise Refusal(400, "bad_json", "expected a JSON array of objects", "body")
    return items


def record(item: Any, user: str | None, *, asserted: bool) -> dict[str, Any]:
    """One of Mito's objects in the words of a Tellback line. Raises `Bad`."""
    if not isinstance(item, dict):
        raise Bad("expected a JSON object")
    event = item.get("event")
    if not isinstance(event, str) or not event:
        raise Bad("event: expected the name of what happened as text")
    fields: dict[str, Any] = {
        "kind": "event",
        "name": event,
        "time": item.get("timestamp_gmt"),
        "service": "mito",
        "user": user,
        "release": _version(item, "version_mito"),
        "python": _version(item, "version_python"),
    }
    attrs = _attrs(item)
    if user is not None and asserted:
        attrs["user.asserted"] = True
    if event in _ERRORS:
        fields |= _error(event, item, attrs)
    return fields | {"attrs": attrs}


def _version(item: dict[str, Any], key: str) -> str | None:
    value = item.get(key)
    return value if value is None or isinstance(value, str) else canonical.encode(value).decode()


def _attrs(item: dict[str, Any]) -> dict[str, Any]:
    """The rest, without the prefix that says nothing; where the bare name is taken, the prefix stays."""
    attrs = {key: value for key, value in item.items() if key not in _OWN and not key.startswith(_PREFIX)}
    for key, value in item.items():
        if key.startswith(_PREFIX):
            bare = key.removeprefix(_PREFIX)
            attrs[key if not bare or bare in attrs or bare in ("event", "severity") else bare] = value
    return attrs


def _error(event: str, item: dict[str, Any], attrs: dict[str, Any]) -> dict[str, Any]:
    """An error is named by its exception, as every error is; the event and the feature that failed are in `attrs`."""
    attrs["event"] = event
    code = attrs.pop("error_severity_code", None)
    if code is None:
        code = attrs.pop("params_error_severity_code", None)
    if code is not None:
        code = code.strip() if isinstance(code, str) else canonical.encode(code).decode()
        attrs["severity"] = code
    if isinstance(failed := item.get("params_failed_log_event"), str) and failed:
        attrs["feature"] = failed.removesuffix("_failed")
    last = item.get("error_traceback_last_line", item.get("params_error_message"))
    last = last.strip() if isinstance(last, str) else ""
    match = _EXCEPTION.fullmatch(last)
    name, message = (match["type"], match["message"]) if match else (event, last)
    level = LEVELS.get(code or "", "error")
    return {"kind": "error", "name": name, "message": message or None, "level": level}


WIRE = Mito()
