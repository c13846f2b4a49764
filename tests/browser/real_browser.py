"""A page in a real browser, and a server to point it at."""

import threading
import time
from typing import Any

SETTLED = (
    "() => !document.querySelector('.loading') && [...document.querySelectorAll('figure.chart .plot')]"
    ".every((plot) => plot.querySelector('canvas'))"
)
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const one of list.getEntries()) {
    const what = one.sources.map((source) => source.node?.outerHTML?.slice(0, 90));
    if (!one.hadRecentInput) window.shifts.push(one.value + " " + what);
  }
}).observe({type: "layout-shift", buffered: true});
"""


class Look:
    """A page in a browser that takes note of all that goes wrong."""

    def __init__(self, chromium: Any, state: Any, width: int, theme: str) -> None:
        self.theme = theme
        self.context = chromium.new_context(
            storage_state=state,
            viewport={"width": width, "height": 844},
            color_scheme=theme,
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on("console", self._listen)
        self.page.add_init_script(SHIFTS)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))

    def _listen(self, said: Any) -> None:
        if said.type in ("error", "warning"):
            self.complaints.append(said.text)

    def weight(self) -> int:
        """Bytes of the page with all that it loaded, as sent."""
        found: int = self.page.evaluate(
            "[...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]"
            ".reduce((sum, one) => sum + one.encodedBodySize, 0)"
        )
        return found

    def open(self, url: str) -> Any:
        self.page.goto(url)
        self.page.wait_for_function(SETTLED)
        return self.page

    def shifts(self) -> list[str]:
        """What moved by itself since the page began."""
        found: list[str] = self.page.evaluate("window.shifts")
        return found

    def findings(self, axe: str) -> list[str]:
        self.page.evaluate(axe)
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations'], preload: false, iframes: false})")
        return [
            f"{one['id']}: {node['html'][:120]} ({node['failureSummary'][:200]})"
            for one in found["violations"]
            for node in one["nodes"]
        ]


class serving:  # noqa: N801  # used as a statement: `with serving(firm) as url`
    """The pages over a firm, on a port that the system chose."""

    def __init__(self, firm: object, patience: float = 5.0) -> None:
        import uvicorn
        from starlette.applications import Starlette

        from tellback.server.web import routes

        app = Starlette(routes=routes(firm.web(patience)))  # type: ignore[attr-defined]
        self.server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))
        self.thread = threading.Thread(target=self.server.run, daemon=True)

    def __enter__(self) -> str:
        self.thread.start()
        deadline = time.monotonic() + 20
        while not self.server.started:
            assert time.monotonic() < deadline, "the server did not start"
            assert self.thread.is_alive(), "the server died"
            time.sleep(0.02)
        return f"http://127.0.0.1:{self.server.servers[0].sockets[0].getsockname()[1]}"

    def __exit__(self, *_: object) -> None:
        self.server.should_exit = True
        self.thread.join(20)
