"""Questions and administration as JSON and CSV.

`routes(Api(...))` is all that an application needs; every refusal has the contract's form
`{"error": {"code", "message", "where"}}`.
"""

from tellback.server.api.context import Api
from tellback.server.api.errors import on_http_error, on_refusal
from tellback.server.api.routes import routes

__all__ = ["Api", "on_http_error", "on_refusal", "routes"]
