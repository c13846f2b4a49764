"""Every page, light and dark, wide and narrow: nothing spills, nothing complains, nothing is empty or too heavy."""

from collections.abc import Iterator
from typing import Any

import pytest
from made_up_firm import Firm
from real_browser import Look, serving

pytestmark = pytest.mark.browser

PAGES = ["/", "/adoption?range=90d", "/records?range=7d", "/settings", "/settings/people", "/settings/health"]
WIDTHS = [1280, 390]
WEIGHT = 100_000
"""Bytes of a page with all that it loads, as sent."""


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
    if look.theme == "light" or width[1] > 1000:  # the slowest check: dark and narrow have no finding of their own
        assert look.findings(axe) == []
    assert look.complaints == []
    assert 40_000 < look.weight() < WEIGHT, "less than the scripts alone means that nothing was weighed"
    assert look.shifts() == []
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
    if width == WIDTHS[0]:
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


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_menus_of_a_narrow_screen_lie_over_the_page(chromium: Any, site: Any, session: Any, theme: str) -> None:
    look = Look(chromium, session, 390, theme)
    page = look.open(f"{site.url}/records?range=90d")
    for menu in ("custom", "more"):
        page.locator(f"details.{menu} summary").click()
        covered = page.evaluate(
            """(menu) => [...document.querySelectorAll(`details.${menu} .pop :is(input, button)`)].filter((one) => {
                 const box = one.getBoundingClientRect();
                 return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) !== one;
               }).length""",
            menu,
        )
        assert covered == 0
    look.context.close()


def test_what_narrows_down_takes_no_room_while_it_is_folded(chromium: Any, site: Any, session: Any) -> None:
    look = Look(chromium, session, 390, "light")
    page = look.open(f"{site.url}/records?range=90d")
    button = page.get_by_role("button", name="Narrow down")
    gap = page.evaluate(
        "document.querySelector('table.records').getBoundingClientRect().top"
        " - document.querySelector('.unfold').getBoundingClientRect().bottom"
    )
    assert gap < 40
    button.click()
    assert page.locator(".facet").first.is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    look.context.close()


def test_a_panel_that_cannot_be_asked_says_so(chromium: Any) -> None:
    with serving(Firm(unhurried=True), patience=0.0) as url:
        look = Look(chromium, None, 1280, "light")
        look.page.goto(f"{url}/sign-in/WELCOME1")
        look.page.route("**/panels/**", lambda route: route.abort())
        look.page.goto(f"{url}/adoption")
        look.page.get_by_text("the server could not be reached").first.wait_for()
        look.context.close()


def test_it_prints_without_frame_and_whole(chromium: Any, site: Any, session: Any) -> None:
    look = Look(chromium, session, 1280, "dark")
    page = look.open(f"{site.url}/adoption?range=90d")
    page.emulate_media(media="print")
    assert not page.locator(".side").is_visible()
    assert page.evaluate("[...document.querySelectorAll('.tall')].every((box) => box.scrollHeight <= box.clientHeight)")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(246, 247, 249)"
    look.context.close()


# The made-up firm, which answers as late as it is told to: what a real server is too quick for.
@pytest.mark.parametrize("path", PAGES[:3])
@pytest.mark.parametrize("width", WIDTHS)
def test_what_comes_later_moves_nothing(chromium: Any, width: int, path: str) -> None:
    with serving(Firm(unhurried=True), patience=0.0) as url:
        look = Look(chromium, None, width, "light")
        look.open(f"{url}/sign-in/WELCOME1")
        look.complaints.clear()
        page = look.open(url + path)
        assert page.locator(".late").count() > 0, "nothing came later, so this tests nothing"
        cut = page.evaluate(
            "[...document.querySelectorAll('.late:not(:has(> .tall))')]"
            ".filter((one) => one.scrollHeight > one.clientHeight).map((one) => one.className)"
        )
        assert cut == [], "a panel is higher than the room that was kept for it"
        assert look.shifts() == []
        assert look.complaints == []
        look.context.close()
