from datetime import UTC, date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellback.demo import firm
from tellback.demo.calendar import SECOND, Calendar, _easter, holidays

DATES = st.dates(date(2024, 1, 1), date(2060, 12, 31))
FIRM = firm.make()


# From the Church of England's table of movable feasts.
@pytest.mark.parametrize(
    "easter", [date(2024, 3, 31), date(2025, 4, 20), date(2026, 4, 5), date(2027, 3, 28), date(2038, 4, 25)]
)
def test_easter(easter: date) -> None:
    assert _easter(easter.year) == easter
    assert {easter - timedelta(days=2), easter + timedelta(days=1)} <= holidays(easter.year)


@given(DATES)
def test_any_ninety_days_hold_a_holiday_on_a_weekday(today: date) -> None:
    days = [Calendar(today).date(day) for day in range(firm.DAYS)]
    assert [day for day in days if day.weekday() < 5 and not Calendar(today).worked(days.index(day))]


@given(DATES)
def test_releases_share_the_days_out_and_come_on_working_days(today: date) -> None:
    calendar = Calendar(today)
    reigns = [calendar.reign(FIRM, release) for release in FIRM.releases]
    assert [day for reign in reigns for day in reign] == list(range(firm.DAYS))
    assert all(reign for reign in reigns)
    assert all(calendar.worked(reign.start) for reign in reigns[1:])


def test_days_begin_at_midnight_of_the_zone() -> None:
    calendar = Calendar(date(2026, 11, 25), zone=UTC)
    assert calendar.first == date(2026, 8, 28)
    assert calendar.midnight(firm.DAYS - 1) == 1_795_564_800 * SECOND  # 2026-11-25T00:00:00Z
    assert calendar.midnight(1) - calendar.midnight(0) == 86_400 * SECOND
