"""A look into this process from inside of it: what it counts, and how Tellback itself fares.

    app.mount("/status", tellback.status.asgi)     # Starlette, FastAPI
    DispatcherMiddleware(app, {"/status": tellback.status.wsgi})
    tellback.status.serve()                        # a server of its own on 127.0.0.1; `.url` says where

HTML for people, `?format=json` for programs, `/metrics` below it (or `?format=prometheus`) for Prometheus. `query=`
keeps what has a key: `?query=count>=5`, `?query=p99`. Nothing here asks who is looking: mount it where only those get
in who may, or leave it to `serve`, which listens on this machine alone.

tree        what there is to see, and `query`
respond     from a path and its parameters to an answer
html, prometheus, as_asgi, as_wsgi, server
"""

from tellback.client.status.as_asgi import asgi
from tellback.client.status.as_wsgi import wsgi
from tellback.client.status.server import Server, serve

__all__ = ["Server", "asgi", "serve", "wsgi"]
