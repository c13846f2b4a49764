"""What each page shows of the answers, and what it shows when there are none, or a refusal, or a bug."""

import asyncio
import re
from datetime import UTC, date, datetime, time, timedelta

import pytest
from fake_browser import Browser, signed_in
from made_up_firm import ABSENT, ERRORS, FEATURES, ZONE, Firm, Grant

PAGES = ["/", "/adoption", "/records", "/settings", "/settings/health", "/settings/people"]


def text(html: str) -> str:
    """The words of a page, one space between them."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", html))


@pytest.mark.parametrize("path", PAGES)
def test_every_page_answers_with_its_heading_and_its_completeness(browser: Browser, path: str) -> None:
    page = browser(path)
    assert page.status_code == 200
    assert "could not be answered" not in page.text
    if path != "/settings":
        assert "complete through" in page.text
        assert "12 dropped" in page.text


def test_overview_counts_what_the_questions_count(browser: Browser, firm: Firm) -> None:
    shown = text(browser("/?range=90d").text)
    params = next(params for name, params in firm.asked if name == "records.facets" and params["column"] == ["kind"])
    answer = asyncio.run(firm.ask(Grant(), "records.facets", params))
    kinds = {row["value"]: row for row in answer["rows"]}
    assert f"Active people {kinds['event']['users']:,}" in shown
    assert f"Errors {kinds['error']['records']:,}" in shown
    assert f"People with errors {kinds['error']['users']:,}" in shown


def test_adoption_names_the_teams_that_have_not_adopted(browser: Browser) -> None:
    shown = text(browser("/adoption?range=90d").text)
    lead = shown[shown.index("2 teams have not adopted") :][:120]
    assert all(team in lead for team in ABSENT)


def test_adoption_answers_all_five_questions(browser: Browser) -> None:
    page = browser("/adoption?range=90d").text
    shown = text(page)
    assert FEATURES[0] in shown
    assert ERRORS[0][1] in page.replace("&#39;", "'")
    assert "Top 100 power users" in shown
    assert page.count('<td class="clip"><a href="/records?range=90d&amp;user=') == 100
    assert 'class="heat"' in page
    assert "People with at least one event" in shown


@pytest.mark.parametrize(("period", "most"), [("day", 90), ("week", 14), ("month", 4)])
def test_active_people_come_by_day_week_or_month(browser: Browser, period: str, most: int) -> None:
    part = browser(f"/panels/adoption/active?range=90d&period={period}").text
    assert most - 1 <= part.count("data-x=") <= most


def test_a_period_without_anybody_is_a_zero_and_no_gap(browser: Browser, firm: Firm) -> None:
    part = browser("/panels/overview/active?range=7d&user=nobody.000").text
    assert "Nothing in this range fits the filters" in part
    firm.records = firm.records[:1]
    part = browser("/panels/overview/active?range=7d").text
    assert part.count('<td class="n">0</td>') >= 5


def test_filters_of_the_address_reach_every_question(browser: Browser, firm: Firm) -> None:
    browser("/?service=mito&service=rigtools&team=Crowd&from=2026-11-01&until=2026-11-07")
    assert firm.asked
    # Whether the installation is older than the time compared with does not depend on the filters.
    asked = [(name, params) for name, params in firm.asked if params["from"] != ["1970-01-01"]]
    assert len(asked) == len(firm.asked) - 1
    for name, params in asked:
        assert params["service"] == ["mito", "rigtools"], name
        assert params["team"] == ["Crowd"]
    begins = {params["from"][0] for _, params in firm.asked}
    assert "2026-11-01" in begins
    assert all(params["to"] == ["2026-11-08"] for _, params in firm.asked if params["from"] == ["2026-11-01"])


def test_an_unknown_filter_is_refused_in_words(browser: Browser) -> None:
    page = browser("/?colour=red")
    assert page.status_code == 400
    assert "“colour” is no filter here" in page.text
    assert "service" in page.text


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("from=yesterday", "is no time"),
        ("from=2026-11-05&until=2026-11-01", "ends before it begins"),
        ("from=1678-01-01&to=2262-01-01", "longer than ten years"),
        ("range=5y", "There is no range"),
        ("until=soon", "is no day"),
        ("period=hour", "There is no period"),
    ],
)
def test_a_bad_value_in_the_address_is_refused_in_words(browser: Browser, query: str, words: str) -> None:
    page = browser(f"/adoption?{query}")
    assert words in page.text
    assert page.status_code == (200 if "period" in query else 400)  # a bad period spoils its own panels only


def test_a_bug_in_one_question_leaves_the_rest_of_the_page(browser: Browser, firm: Firm) -> None:
    firm.broken = "errors.top"
    page = browser("/")
    assert page.status_code == 200
    assert page.text.count("could not be answered") == 1
    assert FEATURES[0] in page.text


def test_a_slow_question_leaves_room_and_comes_by_itself(firm: Firm) -> None:
    firm.slow = asyncio.Event()
    browser = signed_in(firm, patience=0.0)
    page = browser("/adoption?range=90d&service=mito").text
    wanted = re.findall(r'hx-get="(/panels/adoption/\w+[^"]*)" hx-trigger="load"', page)
    assert any(address.startswith("/panels/adoption/teams") for address in wanted)
    assert all("service=mito" in address and "range=90d" in address for address in wanted)
    firm.slow.set()
    assert (
        "not adopted" in browser(next(address for address in wanted if "teams" in address).replace("&amp;", "&")).text
    )


def test_records_are_found_by_words_and_paged(browser: Browser, firm: Firm) -> None:
    page = browser("/records?range=90d&q=licence").text
    assert "the licence server did not answer" in page
    assert "pipeline.cache" not in page.split('class="records"')[1]
    first = browser("/records?range=90d").text
    cursor = re.search(r'hx-get="(/panels/records/rows[^"]*cursor=\d+)"', first)
    assert cursor
    older = browser(cursor[1].replace("&amp;", "&")).text
    assert older.count("data-record") == 50
    assert "<thead" not in older


def test_one_record_shows_frames_locals_attributes_and_json(browser: Browser, firm: Firm) -> None:
    error = next(record for record in firm.records if record["kind"] == "error")
    path = f"/records/{error['segment']}/{error['offset']}"
    page = browser(path, params={"at": error["when"].isoformat()})
    assert page.status_code == 200
    for words in ("solve", "joint = chain[name]", "rigtools.ik:212", "Raw JSON", error["attrs"]["id"]):
        assert words in page.text
    assert page.text.index("solve") < page.text.index("rigtools.cli:41"), "innermost first"
    part = browser(path, headers={"HX-Request": "true"}).text
    assert "<html" not in part
    assert "joint = chain[name]" in part


def test_a_record_that_is_not_there_is_404_in_words(browser: Browser) -> None:
    page = browser("/records/00000000000000000000000000000000/7")
    assert page.status_code == 404
    assert "There is no such record" in page.text


def test_text_of_records_cannot_become_markup(browser: Browser, firm: Firm) -> None:
    evil = '"><script>alert(1)</script>'
    firm.records = [
        {**firm.records[0], "name": evil, "message": evil, "user": evil, "service": evil, "attrs": {evil: evil}}
    ]
    record = firm.records[0]
    for path in ("/", "/adoption", "/records", f"/records/{record['segment']}/{record['offset']}", "/values/service"):
        page = browser(path)
        assert "<script>alert" not in page.text
        assert page.status_code == 200


@pytest.mark.parametrize("path", ["/", "/adoption", "/records", "/settings/health", "/settings/people"])
def test_an_empty_store_says_what_to_do(path: str) -> None:
    empty = Firm(empty=True)
    page = signed_in(empty)(path).text
    for panel in page.split('<section class="panel')[1:]:
        inside = panel[panel.index('class="inside') :]
        assert re.search(r"[A-Z][^<>]{12,}[.:]", text(inside)) or 'class="facts"' in inside, text(inside)[:200]
    if path == "/":
        assert "Nothing has arrived in this range." in page
        assert "curl http://tellback/v1/records" in page.replace("&#39;", "'")


@pytest.mark.parametrize("column", ["service", "team", "user"])
def test_a_menu_offers_the_values_there_are(browser: Browser, column: str) -> None:
    part = browser(f"/values/{column}?{column}=chosen-but-gone&range=90d").text
    assert part.count("<input type") > 5
    assert 'value="chosen-but-gone" checked' in part


def test_every_page_forbids_inline_scripts_and_has_none(browser: Browser) -> None:
    for path in PAGES:
        page = browser(path)
        policy = page.headers["content-security-policy"]
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
        assert not re.search(r'\s(style|on\w+)="', page.text)
        assert not re.search(r'(src|href)="https?:', page.text), "nothing from the network"


def test_the_theme_is_in_the_first_byte(browser: Browser) -> None:
    assert "data-theme" not in browser("/settings").text.split("<body")[0]
    browser.cookies["theme"] = "dark"
    assert '<html lang="en" data-theme="dark"' in browser("/settings").text
    browser.cookies["theme"] = '"><script>'
    assert "<script>" not in browser("/settings").text


def test_assets_are_kept_for_ever_under_the_name_of_their_content(browser: Browser) -> None:
    addresses = re.findall(r'(?:src|href)="(/static/[^"]+)"', browser("/").text)
    assert len(addresses) == 8
    for address in addresses:
        asset = browser(address, headers={"Accept-Encoding": "identity"})
        assert asset.status_code == 200
        assert "immutable" in asset.headers["cache-control"]
    other = re.sub(r"/static/\w+/", "/static/000000000000/", addresses[0])
    assert browser(other).headers["cache-control"] == "no-cache"
    assert browser("/static/x/../../contract.py").status_code == 404
    assert browser("/static/x/%2e%2e/contract.py").status_code == 404


def test_what_is_found_by_a_column_of_the_search_alone_is_counted_too(browser: Browser, firm: Firm) -> None:
    record = firm.records[0]
    page = browser(f"/records?range=90d&segment={record['segment']}&offset={record['offset']}").text
    assert page.count("data-record") == 1
    assert "1 records" in text(page)
    assert "refused" not in page


def test_numbers_are_compared_with_as_long_a_time_before(browser: Browser, firm: Firm) -> None:
    page = browser("/?range=7d").text
    assert "vs previous 7 days" in text(page)
    now, earlier = (
        next(p for name, p in firm.asked if name == "records.facets" and p["column"] == ["kind"] and ("to" in p) == to)
        for to in (False, True)
    )
    begin = datetime.combine(date.fromisoformat(now["from"][0]), time(), ZONE)
    before = [datetime.fromisoformat(earlier[name][0]) for name in ("from", "to")]
    assert before[1] == begin
    length = before[1] - before[0]
    assert abs(length - (datetime.now(UTC) - begin)) < timedelta(minutes=1)
    assert f"{before[0].astimezone(ZONE):%Y-%m-%d %H:%M:%S}" in page


def test_a_young_installation_compares_with_nothing(browser: Browser) -> None:
    shown = text(browser("/?range=90d").text)
    assert shown.count("no earlier time to compare with") == 4
    assert "vs previous" not in shown


def test_an_answer_about_another_time_leaves_the_bars_range_alone(browser: Browser) -> None:
    for _ in range(3):
        head = text(browser("/?from=2026-11-02&until=2026-11-08").text)
        assert "2 Nov – 8 Nov 2026" in head  # noqa: RUF001  # the dash that stands between dates


def test_panels_that_ask_the_same_share_one_answer(browser: Browser, firm: Firm) -> None:
    browser("/adoption?range=30d")
    asked = [(name, sorted(params.items())) for name, params in firm.asked]
    assert [one for one in asked if asked.count(one) > 1] == []


def test_filters_that_nothing_fits_are_said_to_be_the_cause(browser: Browser) -> None:
    shown = text(browser("/?service=nosuch").text)
    assert shown.count("Nothing in this range fits the filters.") == 5
    assert "tellback.event(" not in shown


def test_only_a_bucket_that_still_fills_is_so_far(browser: Browser) -> None:
    assert browser("/panels/overview/active?range=7d").text.count("(so far)") == 1
    assert browser("/panels/overview/active?from=2020-01-01&until=2020-01-05").text.count("(so far)") == 0


def test_the_rest_of_today_is_no_row_of_zeros(browser: Browser, firm: Firm) -> None:
    part = browser("/panels/records/over_time?range=24h").text
    assert 24 <= part.count("data-x=") <= 25
