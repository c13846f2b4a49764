"""The page that says that something went wrong, and under which number."""

from typing import Final

import msgspec

HEADER: Final = "Tellback-Error"
"""Response header with the id, for who asks without a browser."""

SORRY: Final = "This did not work, and the error has been recorded."

_HTML: Final = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>This did not work</title>
<style>
:root {{ color-scheme: light dark }}
body {{ font: 1rem/1.5 system-ui, sans-serif; max-width: 34rem; margin: 20vh auto; padding: 0 1rem }}
code {{ font-size: 1rem; overflow-wrap: anywhere; user-select: all }}
</style>
<h1>This did not work</h1>
<p>The error has been recorded. If you ask somebody about it, give this number:</p>
<p><code>{id}</code></p>
</html>
"""


def page(accept: str, error: str) -> tuple[str, bytes]:
    """Content type and body for the id of an error, in the form that the request's `Accept` asks for."""
    accept = accept.lower()
    if "text/html" in accept:
        return "text/html; charset=utf-8", _HTML.format(id=error).encode()
    if "json" in accept:
        told = {"error": {"code": "internal", "message": SORRY, "id": error}}
        return "application/json", msgspec.json.encode(told) + b"\n"
    return "text/plain; charset=utf-8", f"{SORRY}\nIts number: {error}\n".encode()
