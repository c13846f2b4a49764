"""Styles and scripts: read once, compressed once, named by their content so that a browser may keep them for ever."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

FOLDER = Path(__file__).parent / "static"
TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class Asset:
    body: bytes
    packed: bytes
    type: str
    tag: str


@cache
def asset(name: str) -> Asset | None:
    """The file of that name under `static/`, or None. Only names that `names` lists are ever opened."""
    if name not in names():
        return None
    body = (FOLDER / name).read_bytes()
    return Asset(body, gzip.compress(body, 9, mtime=0), TYPES[Path(name).suffix], hashlib.sha256(body).hexdigest()[:12])


@cache
def names() -> frozenset[str]:
    files = (file for file in FOLDER.rglob("*") if file.suffix in TYPES)
    return frozenset(file.relative_to(FOLDER).as_posix() for file in files)


def address(name: str) -> str:
    """The address of an asset, for templates.

    Raises FileNotFoundError with what to do: the third-party scripts are not in the repository.
    """
    found = asset(name)
    if found is None:
        raise FileNotFoundError(
            f"the pages need {FOLDER / name}, which is not there. In a checkout, `pip install -e .` "
            "or `python hatch_build.py` puts it there; an installed wheel has it."
        )
    return f"/static/{found.tag}/{name}"


async def serve(request: Request) -> Response:
    """`/static/{tag}/{name}`. Any tag answers, so that a page that is open during an update still works, but only the
    right one may be kept for ever."""
    found = asset(request.path_params["name"])
    if found is None:
        return PlainTextResponse("There is no such file.\n", 404)
    right = request.path_params["tag"] == found.tag
    headers = {"Cache-Control": FOR_EVER if right else "no-cache", "Vary": "Accept-Encoding"}
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.packed, media_type=found.type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(found.body, media_type=found.type, headers=headers)
