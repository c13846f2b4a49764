"""Every page, light and dark, wide and narrow: nothing spills, nothing complains, nothing is empty or too heavy."""

from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = pytest.mark.browser

PAGES = ["/", "/adoption?range=90d", "/records?range=7d", "/settings", "/settings/people", "/settings/health"]
WIDTHS = [1280, 390]
SETTLED = (
    "() => !document.querySelector('.loading') && [...document.querySelectorAll('figure.chart .plot')]"
    ".every((plot) => plot.querySelector('canvas'))"
)
WEIGHT = 100_000
"""Bytes of a page with all that it loads, as sent."""


class Look:
    """A page in a browser that takes note of all that goes wrong."""

    def __init__(self, chromium: Any, state: Any, width: int, theme: str) -> None:
        self.context = chromium.new_context(
            storage_state=state,
            viewport={"width": width, "height": 844},
            color_scheme=theme,
            permissions=["clipboard-read", "clipboard-write"],
        )
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.weight = 0
        self.page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type in ("error", "warning") else 0
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("requestfailed", lambda request: self.complaints.append(f"failed: {request.url}"))
        self.page.on("requestfinished", self._weigh)

    def _weigh(self, request: Any) -> None:
        self.weight += request.sizes()["responseBodySize"]

    def open(self, url: str) -> Any:
        self.page.goto(url)
        self.page.wait_for_function(SETTLED)
        return self.page

    def findings(self, axe: str) -> list[str]:
        self.page.evaluate(axe)
        found = self.page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        return [
            f"{one['id']}: {node['html'][:120]} ({node['failureSummary'][:200]})"
            for one in found["violations"]
            for node in one["nodes"]
        ]


@pytest.fixture(params=[(width, theme) for width in WIDTHS for theme in ("light", "dark")], ids=str)
def look(request: pytest.FixtureRequest, chromium: Any, session: Any) -> Iterator[Look]:
    found = Look(chromium, session, *request.param)
    yield found
    found.context.close()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_and_has_no_fault(look: Look, site: Any, axe: str, path: str) -> None:
    page = look.open(site.url + path)
    width = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert width[0] <= width[1], "the page scrolls sideways"
    assert look.findings(axe) == []
    assert look.complaints == []
    assert look.weight < WEIGHT
    empty = page.evaluate(
        "[...document.querySelectorAll('.panel > .inside')].filter((one) => one.innerText.trim().length < 10)"
        ".map((one) => one.parentElement.outerHTML.slice(0, 200))"
    )
    assert empty == []


def test_one_record_fits_and_has_no_fault(look: Look, site: Any, axe: str) -> None:
    page = look.open(f"{site.url}/records?range=90d&kind=error")
    page.locator("tr[data-record]").first.click()
    page.wait_for_selector("#sheet[open] h2")
    assert "Where it happened" in page.locator("#sheet").inner_text()
    assert look.findings(axe) == []
    page.goto(site.url + page.locator("#sheet .acts a").get_attribute("href"))
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert look.findings(axe) == []
    assert look.complaints == []


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_server_without_records_says_what_to_do(
    chromium: Any, empty_site: Any, empty_session: Any, axe: str, path: str, width: int
) -> None:
    look = Look(chromium, empty_session, width, "light")
    page = look.open(empty_site.url + path)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert look.findings(axe) == []
    assert look.complaints == []
    if path == "/":
        assert "curl " in page.locator("main").inner_text()
    look.context.close()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_sign_in_page_explains_itself(chromium: Any, site: Any, axe: str, width: int, theme: str) -> None:
    look = Look(chromium, None, width, theme)
    page = look.open(f"{site.url}/records?kind=error")
    assert "Sign in" in page.title()
    assert "tellback token new --read" in page.locator("main").inner_text()
    page.fill("input[name=token]", "wrong")
    with page.expect_response(lambda response: response.status == 403):
        page.click("main form button")
    assert "does not open these pages" in page.locator("[role=alert]").inner_text()
    assert look.findings(axe) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    look.context.close()


def test_it_prints_without_frame_and_whole(chromium: Any, site: Any, session: Any) -> None:
    look = Look(chromium, session, 1280, "dark")
    page = look.open(f"{site.url}/adoption?range=90d")
    page.emulate_media(media="print")
    assert not page.locator(".side").is_visible()
    assert page.evaluate("[...document.querySelectorAll('.tall')].every((box) => box.scrollHeight <= box.clientHeight)")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 247, 249)"
    look.context.close()
