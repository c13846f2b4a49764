"""A real browser in front of a real server, which real programs have told of a small firm's quarter.

`site` is that server, as `tellback serve` runs it, with the link that signs in; `empty_site` one that nothing has been
sent to.
"""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
sys.path[:0] = [str(ROOT / "tests/web"), str(ROOT / "tests/browser")]

import small_firm  # noqa: E402  # found by the line above; tests are no package

from tellback.demo.serving import Server  # noqa: E402  # as above


class Site(NamedTuple):
    url: str
    link: str
    server: Server


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
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    people = folder / "people.csv"
    people.write_text(small_firm.directory())
    with Server(folder / "data", 0) as server:
        server.run("people", "import", str(people))
        environment = server.client(server.run("token", "new", "--write").strip())
        programs = [
            subprocess.Popen(
                [sys.executable, small_firm.__file__, service], env=environment, stdout=subprocess.PIPE, text=True
            )
            for service in small_firm.SERVICES
        ]
        said = sum(int(program.communicate(timeout=120)[0]) for program in programs)
        _await(server, said)
        yield Site(server.url, server.sign_in_link(), server)


def _await(server: Server, said: int) -> None:
    """Until all that was said is in the answers."""
    deadline = time.monotonic() + 30
    visible = 0
    while time.monotonic() < deadline:
        visible = next(row["records"] for row in server.ask("store.ledger") if row["reason"] == "visible")
        if visible == said:
            return
        time.sleep(0.1)
    raise AssertionError(f"{said} records were said and {visible} are in the answers")


@pytest.fixture(scope="session")
def empty_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with Server(tmp_path_factory.mktemp("empty") / "data", 0) as server:
        yield Site(server.url, server.sign_in_link(), server)


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
