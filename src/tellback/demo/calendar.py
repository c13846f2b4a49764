"""Which of the ninety days are worked, and when each begins."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import cache

from tellback.demo.firm import DAYS, Firm, Release

SECOND = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Calendar:
    """Ninety days, numbered from 0; the last is today."""

    today: date
    zone: tzinfo | None = None
    """Of the office hours. None: the machine's own, which is the server's reporting zone too unless told otherwise."""

    @property
    def first(self) -> date:
        return self.today - timedelta(days=DAYS - 1)

    def date(self, day: int) -> date:
        return self.first + timedelta(days=day)

    def midnight(self, day: int) -> int:
        """When the day begins, ns since epoch."""
        begins = datetime.combine(self.date(day), time())
        aware = begins.astimezone() if self.zone is None else begins.replace(tzinfo=self.zone)
        return int(aware.timestamp()) * SECOND

    def worked(self, day: int) -> bool:
        when = self.date(day)
        return when.weekday() < 5 and when not in holidays(when.year)

    def reign(self, firm: Firm, release: Release) -> range:
        """The days on which people have this release."""
        starts = self._starts(firm)
        number = firm.releases.index(release)
        return range(starts[number], starts[number + 1])

    def _starts(self, firm: Firm) -> list[int]:
        """The first day of each release, and the end of the last one.

        A release goes out on a working day, and the next one two working days later at the earliest: over Christmas the
        broken one and the one that mends it would else come out together.
        """
        workdays = [day for day in range(DAYS) if self.worked(day)]
        starts = [0]
        for release in firm.releases[1:]:
            after = [day for day in workdays if day > starts[-1]]
            starts.append(next(day for day in after[1:] if day >= release.day))
        return [*starts, DAYS]


@cache
def holidays(year: int) -> frozenset[date]:
    """The firm's days off. They are spread so that any ninety days hold at least one on a weekday."""
    easter = _easter(year)
    return frozenset(
        {
            date(year, 1, 1),
            _nth_weekday(year, 2, 4, 2),  # the firm's founding, the second Friday of February
            easter - timedelta(days=2),
            easter + timedelta(days=1),
            date(year, 5, 1),
            _nth_weekday(year, 6, 4, 3),  # midsummer's eve
            _nth_weekday(year, 8, 0, 1),  # summer's holiday, the first Monday of August
            _nth_weekday(year, 10, 0, 1),  # autumn's, the first Monday of October
            _nth_weekday(year, 11, 3, 4),  # the premiere's day, the fourth Thursday of November
            date(year, 12, 24),
            date(year, 12, 25),
            date(year, 12, 26),
            date(year, 12, 31),
        }
    )


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))


def _easter(year: int) -> date:
    """Easter Sunday by the anonymous Gregorian algorithm (Meeus, Astronomical Algorithms, chapter 8)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    m = (32 + 2 * e + 2 * i - h - k) % 7
    n = (a + 11 * h + 22 * m) // 451
    month, day = divmod(h + m - 7 * n + 114, 31)
    return date(year, month, day + 1)
