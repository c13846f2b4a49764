"""A page under the hands: keys, filters, menus, sorting, copying, paging."""

from collections.abc import Iterator
from typing import Any

import pytest
from real_browser import SETTLED, Look

pytestmark = pytest.mark.browser


@pytest.fixture
def look(chromium: Any, session: Any) -> Iterator[Look]:
    found = Look(chromium, session, 1280, "light")
    yield found
    assert found.complaints == []
    found.context.close()


def test_g_and_a_letter_go_to_a_page_and_keep_the_filters(look: Look, site: Any) -> None:
    page = look.open(f"{site.url}/?range=7d&service=mito")
    for letter, path in (("a", "/adoption"), ("r", "/records"), ("o", "/")):
        page.keyboard.press("g")
        page.keyboard.press(letter)
        page.wait_for_url(f"{site.url}{path}?range=7d&service=mito")
        page.wait_for_function(SETTLED)
        assert page.locator("nav a[aria-current]").get_attribute("data-key") == letter


def test_a_slash_leads_to_the_search_and_it_finds(look: Look, site: Any) -> None:
    page = look.open(f"{site.url}/adoption?range=90d")
    page.keyboard.press("/")
    page.wait_for_function("() => document.activeElement?.id === 'q'")
    page.keyboard.type("licence")
    page.keyboard.press("Enter")
    page.wait_for_url("**q=licence**")
    page.wait_for_function(SETTLED)
    assert "range=90d" in page.url
    assert "the licence server" in page.locator("tr[data-record]").first.inner_text()


def test_the_question_mark_opens_help_and_escape_closes_it(look: Look, site: Any, axe: str) -> None:
    page = look.open(site.url)
    page.keyboard.press("?")
    assert page.locator("#help").is_visible()
    assert look.findings(axe) == []
    page.keyboard.press("Escape")
    assert not page.locator("#help").is_visible()


def test_digits_change_the_range(look: Look, site: Any) -> None:
    page = look.open(f"{site.url}/?service=mito")
    page.keyboard.press("4")
    page.wait_for_url("**range=90d**")
    assert "service=mito" in page.url


def test_a_menu_fetches_its_values_and_filters_the_page(look: Look, site: Any, axe: str) -> None:
    page = look.open(f"{site.url}/?range=90d")
    menu = page.locator("details[data-column=service]")
    menu.locator("summary").click()
    menu.locator("input[value=mito]").check()
    menu.locator("input[value=rigtools]").check()
    assert look.findings(axe) == []
    menu.locator("summary").click()
    page.wait_for_url("**service=rigtools**")
    page.wait_for_function(SETTLED)
    assert "service=mito" in page.url
    assert "range=90d" in page.url
    assert "user=" not in page.url, "empty fields stay out of the address"
    assert "+1" in page.locator("details[data-column=service] summary").inner_text()
    services = page.locator("section[aria-labelledby=p-services] tbody tr")
    assert services.count() == 2


def test_days_of_ones_own_take_the_place_of_the_range(look: Look, site: Any) -> None:
    page = look.open(f"{site.url}/?range=7d")
    page.locator("details.custom summary").click()
    page.fill("input[name=from]", "2026-01-01")
    page.fill("input[name=until]", "2026-01-31")
    page.click("[data-custom]")
    page.wait_for_url("**from=2026-01-01&until=2026-01-31**")
    assert "range=" not in page.url


def test_a_table_sorts_and_copies_plain_values(look: Look, site: Any) -> None:
    page = look.open(f"{site.url}/adoption?range=90d")
    panel = page.locator("section[aria-labelledby=p-features]")
    panel.get_by_role("button", name="Feature").click()
    names = panel.locator("tbody td:first-child").all_inner_texts()
    assert len(names) > 3
    assert names == sorted(names)
    panel.get_by_role("button", name="Events").click()
    panel.get_by_role("button", name="Copy").click()
    page.wait_for_function("() => document.getElementById('said').textContent === 'Copied'")
    lines = page.evaluate("navigator.clipboard.readText()").split("\n")
    assert lines[0] == "Feature\tEvents\tPeople\tShare"
    counts = [int(line.split("\t")[1]) for line in lines[1:]]
    assert counts == sorted(counts, reverse=True)


def test_records_open_move_and_close_by_keys_and_older_ones_come(look: Look, site: Any) -> None:
    page = look.open(f"{site.url}/records?range=90d")
    page.get_by_role("button", name="Older records").click()
    page.wait_for_function("() => document.querySelectorAll('tr[data-record]').length > 50")
    page.keyboard.press("j")
    page.wait_for_selector("#sheet[open]")
    page.keyboard.press("j")
    second = page.locator("tr[data-record]").nth(1)
    page.wait_for_function("() => document.querySelectorAll('tr[data-record]')[1].classList.contains('at')")
    name = second.locator("b").inner_text()
    page.wait_for_function("(name) => document.querySelector('#sheet h2').textContent === name", arg=name)
    page.keyboard.press("Escape")
    page.wait_for_function("() => !document.querySelector('#sheet').open")
    assert page.url.endswith("/records?range=90d"), "the sheet leaves the address alone"


def test_the_theme_switches_at_once_and_stays(look: Look, site: Any) -> None:
    page = look.open(site.url)
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.keyboard.press("t")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert dark != light
    look.open(site.url)
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


def test_the_first_tab_skips_to_the_content(look: Look, site: Any) -> None:
    page = look.open(site.url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_dragging_over_a_chart_narrows_the_page_to_that_time(look: Look, site: Any) -> None:
    page = look.open(f"{site.url}/records?range=90d&service=mito")
    box = page.locator(".plot .u-over").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.8, box["y"] + 20, steps=5)
    page.mouse.up()
    page.wait_for_url("**from=**")
    assert "service=mito" in page.url
    assert "to=" in page.url
    page.wait_for_function(SETTLED)


def test_numbers_follow_the_pointer_without_moving_anything(look: Look, site: Any) -> None:
    page = look.open(f"{site.url}/adoption?range=90d")
    figure = page.locator("figure.chart").first
    before = figure.bounding_box()
    words = figure.locator("[data-at]").inner_text()
    figure.locator(".u-over").hover()
    page.wait_for_function("(words) => document.querySelector('[data-at]').textContent !== words", arg=words)
    assert figure.bounding_box() == before


def test_a_token_is_made_shown_once_and_revoked(look: Look, site: Any) -> None:
    page = look.open(f"{site.url}/settings")
    before = page.locator("button.danger").count()
    page.click("main form button.main")
    page.wait_for_selector(".fresh code")
    assert page.locator("button.danger").count() == before + 1
    page.goto(f"{site.url}/settings")
    assert page.locator(".fresh").count() == 0
    page.on("dialog", lambda dialog: dialog.accept())
    page.locator("button.danger").last.click()
    page.wait_for_function("(n) => document.querySelectorAll('button.danger').length === n", arg=before)
