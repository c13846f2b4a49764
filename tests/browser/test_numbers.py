"""What the pages show is what `tellback ask` answers."""

from datetime import date, timedelta
from typing import Any

import pytest
import small_firm
from real_browser import Look

pytestmark = pytest.mark.browser

# Whole days that are over: nothing that happens while the test runs changes them.
UNTIL = date.today() - timedelta(days=1)  # noqa: DTZ011 - the server's zone is this machine's
FROM = UNTIL - timedelta(days=69)
ASKED = {"from": FROM.isoformat(), "to": (UNTIL + timedelta(days=1)).isoformat()}
ADDRESS = f"?from={FROM}&until={UNTIL}"


def table(page: Any, panel: str) -> list[list[str]]:
    """A panel's table as plain values, as its Copy button gives them."""
    rows: list[list[str]] = page.evaluate(
        """(panel) => [...document.querySelectorAll(`section[aria-labelledby=p-${panel}] tbody tr`)].map((row) =>
             [...row.cells].filter((cell) => !cell.classList.contains("meters")).map((cell) => {
               const holder = cell.matches("[data-v]") ? cell : cell.querySelector("[data-v]");
               return holder ? holder.dataset.v : cell.textContent.trim();
             }))""",
        panel,
    )
    return rows


def test_adoption_shows_the_numbers_that_ask_answers(chromium: Any, site: Any) -> None:
    ask = site.server.ask
    look = Look(chromium, None, 1280, "light")
    look.page.goto(site.server.sign_in_link())
    page = look.open(f"{site.url}/adoption{ADDRESS}")

    active = next(row for row in ask("records.facets", column="kind", **ASKED) if row["value"] == "event")
    figures = page.locator(".figures .value").all_inner_texts()
    assert figures[0] == f"{active['users']:,}"
    assert active["users"] > 50

    by_day = {row["period"]: row["users"] for row in ask("adoption.active_users", period="day", **ASKED)}
    shown = [int(row[1]) for row in table(page, "active")]
    days = [(FROM + timedelta(days=day)).isoformat() for day in range(70)]
    assert shown == [by_day.get(day, 0) for day in days]

    teams = {row["team"]: row for row in ask("adoption.teams", **ASKED) if row["team"] is not None}
    assert [team for team in teams if not teams[team]["active"]] == list(small_firm.ABSENT)
    found = {row[0]: row[1:4] for row in table(page, "teams")}
    assert {team: [str(row["active"]), str(row["people"]), float(row["adopted"])] for team, row in teams.items()} == {
        team: [active, people, float(adopted)] for team, (active, people, adopted) in found.items() if team in teams
    }
    assert figures[2].split() == [str(len(small_firm.ABSENT)), "of", str(len(teams))]

    features = ask("adoption.features", **ASKED)
    assert table(page, "features") == [
        [row["name"], str(row["records"]), str(row["users"]), str(row["share"])] for row in features
    ]

    users = ask("adoption.top_users", **ASKED)
    assert [row[:5] for row in table(page, "users")] == [
        [str(row["rank"]), row["user"], row["team"], str(row["records"]), str(row["days_active"])] for row in users
    ]

    errors = ask("errors.top", **ASKED)
    assert [row[:3] for row in table(page, "errors")] == [
        [row["title"], str(row["users"]), str(row["records"])] for row in errors
    ]

    cells = page.evaluate("[...document.querySelectorAll('.heat td[data-v]')].map((cell) => Number(cell.dataset.v))")
    assert cells == [row["share"] for row in ask("adoption.retention", period="week", **ASKED)]
    assert len(cells) > 30
    look.context.close()


def test_overview_and_records_show_the_numbers_that_ask_answers(chromium: Any, site: Any, session: Any) -> None:
    kinds = {row["value"]: row for row in site.server.ask("records.facets", column="kind", **ASKED)}
    look = Look(chromium, session, 1280, "light")
    page = look.open(f"{site.url}/{ADDRESS}")
    assert page.locator(".figures .value").all_inner_texts() == [
        f"{kinds[kind][column]:,}"
        for kind, column in (("event", "users"), ("event", "records"), ("error", "records"), ("error", "users"))
    ]
    page = look.open(f"{site.url}/records{ADDRESS}&q=licence")
    series = page.locator("section[aria-labelledby=p-over_time] thead th").all_text_contents()[1:]
    rows = site.server.ask("records.histogram", q="licence", **ASKED)
    assert series == sorted({row["level"] or row["kind"] for row in rows})
    assert sum(int(cell) for row in table(page, "over_time") for cell in row[1:]) == sum(row["records"] for row in rows)
    look.context.close()
