"""The pages. `routes(Web(...))` is all that `app.py` needs."""

from tellback.server.web.contract import SESSION_COOKIE, Access, Answer, Grant, Imported, Params, Refused, Web
from tellback.server.web.routes import routes

__all__ = ["SESSION_COOKIE", "Access", "Answer", "Grant", "Imported", "Params", "Refused", "Web", "routes"]
