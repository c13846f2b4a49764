"""How soon the pages are there: `benchmarks/pages.py [URL SIGN_IN_LINK]`, else over the demo in a server of its own.

For each page, over and over in a real browser with warm assets: milliseconds until the server's answer has come whole,
until the browser has painted first, until every panel has its answer and every chart is drawn; and the bytes of the
page as sent, all that it loads included. The median and the worst of the rounds.
"""

import os
import statistics
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Page, sync_playwright

PAGES = ["/", "/?range=90d", "/adoption", "/adoption?range=90d", "/records", "/records?range=90d", "/settings/health"]
ROUNDS = 7
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")
SETTLED = (
    "() => !document.querySelector('.loading') && [...document.querySelectorAll('figure.chart .plot')]"
    ".every((plot) => plot.querySelector('canvas')) && performance.now()"
)
# The browser counts from the moment that the address was asked for.
TIMES = """() => [
  performance.getEntriesByType('navigation')[0].responseEnd,
  performance.getEntriesByName('first-contentful-paint')[0].startTime,
]"""
WEIGHT = """() => [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')]
  .reduce((sum, one) => sum + one.encodedBodySize, 0)"""


def once(page: Page, address: str) -> tuple[float, float, float]:
    page.goto(address, wait_until="commit")
    settled = page.wait_for_function(SETTLED, polling=5).json_value()
    page.wait_for_function("() => performance.getEntriesByName('first-contentful-paint').length")
    answered, painted = page.evaluate(TIMES)
    return answered, painted, settled


@contextmanager
def demo() -> Iterator[tuple[str, str]]:
    """(address, sign-in link) of a server with the demo's firm, filled as the demo fills it."""
    from tellback.demo import fill
    from tellback.demo.serving import Server

    with TemporaryDirectory(prefix="tellback-pages-") as folder:
        data = Path(folder) / "data"
        filled = fill.prepare(data)
        with Server(data, 0) as server:
            fill.fill(server, filled, sys.stderr)
            yield server.url, server.sign_in_link()


def measure(url: str, link: str) -> None:
    print(f"{'page':22}{'answered':>16}{'first paint':>16}{'all there':>16}{'bytes':>9}")
    print(f"{'':22}" + f"{'ms (worst)':>16}" * 3)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": 1280, "height": 860}).new_page()
        page.goto(link)
        for path in PAGES:
            once(page, url + path)
            rounds = [once(page, url + path) for _ in range(ROUNDS)]
            columns = "".join(f"{f'{statistics.median(v):.0f} ({max(v):.0f})':>16}" for v in zip(*rounds, strict=True))
            print(f"{path:22}{columns}{page.evaluate(WEIGHT):>9,}", flush=True)
        browser.close()


if __name__ == "__main__":
    if len(sys.argv) == 3:
        measure(sys.argv[1].rstrip("/"), sys.argv[2])
    else:
        with demo() as place:
            measure(*place)
