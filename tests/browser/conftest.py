"""A real browser in front of a running server.

`site` is (base URL, sign-in link): by default the made-up firm of `tests/web`, served by uvicorn on a port that the
system chose. TELLBACK_TEST_URL and TELLBACK_TEST_LINK put a real server in its place.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
sys.path[:0] = [str(ROOT / "tests/web"), str(ROOT / "tests/browser")]

from made_up_firm import Firm  # noqa: E402  # found by the line above; tests are no package
from real_browser import serving  # noqa: E402  # as above


class Site(NamedTuple):
    url: str
    link: str


def missing(what: str) -> None:
    """Skips, and says what is missing; where nothing may be missing it fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what}, and with CI=true nothing may be skipped")
    pytest.skip(what)


@pytest.fixture(scope="session")
def axe() -> str:
    if not AXE.is_file():
        missing("axe-core is not there: run `npm ci --ignore-scripts` in the checkout")
    return AXE.read_text()


# By module: Playwright's loop runs as long as it does, and no other test of the process could run one of its own.
@pytest.fixture(scope="module")
def chromium() -> Iterator[object]:
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed")
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if path is None:
        missing("no chromium on this machine; CHROMIUM may name one")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def site() -> Iterator[Site]:
    url, link = os.environ.get("TELLBACK_TEST_URL"), os.environ.get("TELLBACK_TEST_LINK")
    if url and link:
        yield Site(url.rstrip("/"), link)
        return
    with serving(Firm()) as base:
        yield Site(base, f"{base}/sign-in/WELCOME1")


@pytest.fixture(scope="session")
def empty_site() -> Iterator[Site]:
    """A server that nothing has been sent to."""
    with serving(Firm(empty=True)) as base:
        yield Site(base, f"{base}/sign-in/WELCOME1")


@pytest.fixture(scope="session")
def states() -> dict[str, object]:
    """What a browser keeps after it has followed a sign-in link, by site: a link works once."""
    return {}


@pytest.fixture(scope="module")
def session(chromium: object, site: Site, states: dict[str, object]) -> object:
    return _session(chromium, site, states)


@pytest.fixture(scope="module")
def empty_session(chromium: object, empty_site: Site, states: dict[str, object]) -> object:
    return _session(chromium, empty_site, states)


def _session(chromium: object, site: Site, states: dict[str, object]) -> object:
    if site.url in states:
        return states[site.url]
    context = chromium.new_context()  # type: ignore[attr-defined]
    page = context.new_page()
    page.goto(site.link)
    assert page.url.rstrip("/") == site.url, f"the link led to {page.url}"
    states[site.url] = context.storage_state()
    context.close()
    return states[site.url]
