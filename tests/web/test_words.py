"""Numbers, times and addresses in words."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellback.server.web import charts, filters, words
from tellback.server.web.contract import Refused

NOW = datetime(2026, 11, 25, 9, 42, 7, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0, "0"), (1234567, "1,234,567"), (0.123456, "0.123"), (1234.5, "1,234"), (None, words.NONE), (3.0, "3")],
)
def test_number(value: float | None, shown: str) -> None:
    assert words.number(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0 %"), (0.004, "< 1 %"), (0.456, "46 %"), (0.996, "> 99 %"), (1.0, "100 %"), (None, words.NONE)],
)
def test_share_never_rounds_to_all_or_nothing(value: float | None, shown: str) -> None:
    assert words.share(value).replace(words.THIN, " ") == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (3, "now"),
        (59, "1 min ago"),
        (3569, "59 min ago"),
        (3599, "1 h ago"),
        (86000, "yesterday"),
        (7200, "2 h ago"),
        (86400, "yesterday"),
        (86400 * 5, "5 days ago"),
        (-600, "in the future"),
    ],
)
def test_ago(seconds: int, shown: str) -> None:
    assert words.ago(NOW - timedelta(seconds=seconds), NOW) == shown


def test_ago_gives_the_year_when_it_is_another() -> None:
    assert words.ago("2025-03-05T10:00:00Z", NOW) == "5 Mar 2025"


@pytest.mark.parametrize(
    "text", ["2026-11-25T09:42:07Z", "2026-11-25T10:42:07.123456789+01:00", "2026-11-25T09:42:07.1Z"]
)
def test_moment_takes_nanoseconds(text: str) -> None:
    assert words.moment(text).replace(microsecond=0) == NOW


def test_time_tag_holds_the_exact_time() -> None:
    tag = words.time_tag("2026-11-25T09:40:00Z", NOW, BERLIN)
    assert 'title="2026-11-25 10:40:00 Europe/Berlin"' in tag
    assert tag.endswith(">2 min ago</time>")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(83_000_000, "83 ms"), (1_240_000_000, "1.24 s"), (125e9, "2 min 5 s"), (40, "40 ns"), (None, words.NONE)],
)
def test_duration(value: float | None, shown: str) -> None:
    assert words.duration(value).replace(words.THIN, " ") == shown


@pytest.mark.parametrize(
    ("value", "count"), [(None, 0), (3, 3), ([{"segment": "a"}, {}], 2), ({"budget": 4, "disabled": 1}, 5)]
)
def test_count_of(value: object, count: int) -> None:
    assert words.count_of(value) == count


def test_presets_count_whole_days_of_the_zone() -> None:
    late = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)  # the 25th in Berlin
    assert filters.read([("range", "7d")], BERLIN, late).begin == "2026-11-19"
    assert filters.read([], BERLIN, late).range == "30d"


def test_until_is_counted_and_to_is_not() -> None:
    found = filters.read([("from", "2026-11-01"), ("until", "2026-11-07")], BERLIN, NOW)
    assert (found.begin, found.end, found.days) == ("2026-11-01", "2026-11-08", 7)
    assert filters.read([("from", "2026-11-01"), ("to", "2026-11-07")], BERLIN, NOW).end == "2026-11-07"


TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(lambda text: text.strip() == text and text)


@given(
    st.dictionaries(st.sampled_from(list(filters.COLUMNS)), st.lists(TEXT, min_size=1, max_size=3, unique=True)),
    st.sampled_from([*filters.RANGES, ("2026-10-01", "2026-10-09")]),
    st.none() | TEXT,
)
def test_an_address_survives_the_way_there_and_back(columns: dict[str, list[str]], span: object, q: str | None) -> None:
    from urllib.parse import parse_qsl

    address = [("range", span)] if isinstance(span, str) else [("from", span[0]), ("until", span[1])]  # type: ignore[index]
    address += [(name, value) for name, values in columns.items() for value in values]
    if q:
        address.append(("q", q))
    found = filters.read(address, BERLIN, NOW, ("q",))  # type: ignore[arg-type]
    assert filters.read(parse_qsl(found.query()[1:]), BERLIN, NOW, ("q",)) == found
    for name, values in columns.items():
        assert found.params()[name] == values


@given(st.text(max_size=30), st.text(max_size=30), st.text(max_size=30))
def test_any_range_is_read_or_refused(begin: str, until: str, end: str) -> None:
    refused = None
    try:
        filters.read([("from", begin), ("until", until), ("to", end)], BERLIN, NOW)
    except Refused as refusal:
        refused = refusal
    assert refused is None or (refused.status == 400 and refused.message)


def test_days_are_the_zones_own_when_the_clocks_change() -> None:
    x = charts.buckets(charts.DAY, datetime(2026, 10, 24, tzinfo=BERLIN), datetime(2026, 10, 27, tzinfo=BERLIN), BERLIN)
    assert [at.day for at in x] == [24, 25, 26]
    assert (x[2].timestamp() - x[1].timestamp()) == 25 * 3600
    hours = charts.buckets(
        charts.HOUR, datetime(2026, 10, 25, tzinfo=BERLIN), datetime(2026, 10, 26, tzinfo=BERLIN), BERLIN
    )
    assert len(hours) == 25


@pytest.mark.parametrize(("step", "count"), [("day", 31), ("week", 5), ("month", 1)])
def test_buckets_cover_the_range(step: str, count: int) -> None:
    x = charts.buckets(step, datetime(2026, 10, 1, tzinfo=BERLIN), datetime(2026, 11, 1, tzinfo=BERLIN), BERLIN)
    assert len(x) == count
    assert x[0] <= datetime(2026, 10, 1, tzinfo=BERLIN)


def test_series_are_named_by_level_or_kind_and_stack_the_most_severe_first() -> None:
    x = charts.buckets(charts.DAY, datetime(2026, 11, 1, tzinfo=BERLIN), datetime(2026, 11, 3, tzinfo=BERLIN), BERLIN)
    rows = [
        {"bucket": "2026-11-02", "kind": "event", "level": None, "records": 4},
        {"bucket": "2026-11-02T00:00:00+01:00", "kind": "log", "level": "verbose", "records": 8},
        {"bucket": "2026-11-01", "kind": "log", "level": "fatal", "records": 1},
        {"bucket": "2026-11-01", "kind": "error", "level": None, "records": 2},
    ]
    found = charts.by_severity(rows, charts.DAY, x, BERLIN)
    assert [(series.label, series.color, series.values) for series in found] == [
        ("error", "error", [3, 0]), ("event", "event", [0, 4]), ("verbose", "other", [0, 8]),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "unfinished", "said"),
    [
        (datetime(2026, 10, 25, tzinfo=BERLIN), False, ""),
        (datetime(2026, 10, 25, tzinfo=BERLIN), True, "today so far"),
        (datetime(2026, 10, 25, 9, tzinfo=BERLIN), True, "first day in part, today so far"),
    ],
)
def test_a_chart_says_which_buckets_hold_a_part_of_their_time(first: datetime, unfinished: bool, said: str) -> None:
    x = charts.buckets(charts.DAY, first, datetime(2026, 10, 30, 12, tzinfo=BERLIN), BERLIN)
    chart = charts.people("People", charts.DAY, x, [5] * len(x), first, unfinished)
    assert chart.kind == "line"
    assert chart.partial == said
    assert chart.label(x[0]).endswith("(in part)") == ("in part" in said)
    assert chart.label(x[-1]).endswith("(so far)") == unfinished


def test_a_few_points_are_bars_and_no_sparkline() -> None:
    x = charts.buckets(charts.DAY, datetime(2026, 11, 1, tzinfo=BERLIN), datetime(2026, 11, 3, tzinfo=BERLIN), BERLIN)
    assert charts.people("People", charts.DAY, x, [1, 2], x[0], False).kind == "bars"
    assert charts.sparkline([1, 2, 3]) == charts.Sparkline()


def test_a_sparkline_keeps_the_running_bucket_apart() -> None:
    whole, apart = charts.sparkline([4, 2, 4, 1]), charts.sparkline([4, 2, 4, 1], unfinished=True)
    assert whole.running == ""
    assert apart.done == whole.done.rsplit(" ", 1)[0]
    assert apart.running.split() == whole.done.split()[-2:]


def test_cohorts_leave_the_future_open() -> None:
    rows = [
        {"cohort": "2026-11-02", "period": 0, "users": 4, "share": 1.0},
        {"cohort": "2026-11-02", "period": 1, "users": 1, "share": 0.25},
        {"cohort": "2026-11-09", "period": 0, "users": 2, "share": 1.0},
    ]
    found, width = charts.cohorts(rows)
    assert width == 2
    assert [(cohort.users, cohort.shares) for cohort in found] == [(4, [(4, 1.0), (1, 0.25)]), (2, [(2, 1.0), None])]
    assert charts.cohorts([]) == ([], 0)


def test_the_hour_that_the_clock_shows_twice_is_counted_twice() -> None:
    span = datetime(2026, 10, 25, tzinfo=UTC), datetime(2026, 10, 25, 3, tzinfo=UTC)
    x = charts.buckets(charts.HOUR, *span, BERLIN)
    rows = [{"bucket": f"2026-10-25T0{hour}:00:00Z", "records": hour + 1} for hour in range(3)]
    assert charts.filled(rows, "bucket", "records", charts.HOUR, x, BERLIN) == [1, 2, 3]


def test_hours_are_whole_in_utc_where_the_zone_is_half_an_hour_off() -> None:
    zone = ZoneInfo("Asia/Kolkata")
    x = charts.buckets(charts.HOUR, datetime(2026, 11, 1, tzinfo=zone), datetime(2026, 11, 2, tzinfo=zone), zone)
    rows = [{"bucket": "2026-10-31T19:00:00Z", "records": 5}]
    assert sum(charts.filled(rows, "bucket", "records", charts.HOUR, x, zone)) == 5
