"""Screenshots of every page, light and dark, wide and narrow: `screenshots.py URL SIGN_IN_LINK OUTDIR`.

Needs playwright and a chromium (`CHROMIUM` names it, else /usr/bin/chromium). The README's picture is
`overview-light-1280.png`; the rest is for eyes that judge a change.
"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

PAGES = {
    "overview": "/",
    "adoption": "/adoption?range=90d",
    "records": "/records?range=7d",
    "tokens": "/settings",
    "people": "/settings/people",
    "health": "/settings/health",
}
WIDTHS = {1280: 860, 390: 844}
THEMES = ("light", "dark")
CHROMIUM = os.environ.get("CHROMIUM", "/usr/bin/chromium")


def settled(page: Page) -> None:
    """Waits until every panel has its answer and every chart is drawn."""
    page.wait_for_function(
        "() => !document.querySelector('.loading') && "
        "[...document.querySelectorAll('figure.chart .plot')].every((plot) => plot.querySelector('canvas'))"
    )
    page.evaluate("document.fonts.ready")


def shots(browser: Browser, url: str, link: str) -> Iterator[tuple[str, bytes]]:
    """(file name, PNG) of each page. The link is used once; its session serves all."""
    first = browser.new_context()
    first.new_page().goto(link)
    state = first.storage_state()
    for theme in THEMES:
        for width, height in WIDTHS.items():
            context = browser.new_context(
                storage_state=state, viewport={"width": width, "height": height}, color_scheme=theme
            )
            page = context.new_page()
            for name, path in PAGES.items():
                page.goto(url + path)
                settled(page)
                yield f"{name}-{theme}-{width}.png", page.screenshot(full_page=True)
                if name == "records" and page.locator("tr[data-record]").count():
                    page.locator("tr[data-record]").first.click()
                    page.wait_for_selector("#sheet[open]")
                    yield f"record-{theme}-{width}.png", page.screenshot()
            page.goto(url + "/")
            context.close()
        signed_out = browser.new_context(viewport={"width": 1280, "height": 860}, color_scheme=theme)
        page = signed_out.new_page()
        page.goto(url + "/sign-in")
        yield f"sign-in-{theme}-1280.png", page.screenshot()
        signed_out.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="http://127.0.0.1:8321")
    parser.add_argument("link", help="the sign-in link that the server printed")
    parser.add_argument("folder", type=Path)
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for name, picture in shots(browser, given.url.rstrip("/"), given.link):
            (given.folder / name).write_bytes(picture)
        browser.close()


if __name__ == "__main__":
    main()
