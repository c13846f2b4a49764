import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date

from tellback.demo import firm, history
from tellback.demo.calendar import SECOND, Calendar

FIRM = firm.make()
CALENDAR = Calendar(date(2026, 11, 25), zone=UTC)
END = CALENDAR.midnight(firm.DAYS - 1) + 86_400 * SECOND


def week(first: int = 70) -> Iterator[history.Session]:
    """A week of the last release, all tools."""
    for day in range(first, first + 7):
        for tool in FIRM.tools:
            yield from history.sessions(FIRM, tool, FIRM.releases[-1], CALENDAR, day, END)


def test_the_same_day_comes_out_the_same_in_another_process() -> None:
    program = (
        "from datetime import UTC, date\n"
        "from tellback.demo import firm, history\n"
        "from tellback.demo.calendar import Calendar\n"
        "people, calendar = firm.make(), Calendar(date(2026, 11, 25), zone=UTC)\n"
        "for s in history.sessions(people, people.tools[0], people.releases[-1], calendar, 81, 2**62):\n"
        "    print(s.person.user, s.id, [(a.time, a.feature.name, a.duration, a.attrs, a.fault) for a in s.acts])\n"
    )
    runs = {subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stdout for _ in range(2)}
    assert len(runs) == 1
    assert len(runs.pop().splitlines()) > 20


def test_acts_are_in_order_and_none_is_after_the_end() -> None:
    noon = CALENDAR.midnight(81) + 12 * history.HOUR
    cut = history.sessions(FIRM, FIRM.tools[1], FIRM.releases[-1], CALENDAR, 81, noon)
    whole = history.sessions(FIRM, FIRM.tools[1], FIRM.releases[-1], CALENDAR, 81, END)
    assert 0 < sum(len(session.acts) for session in cut) < sum(len(session.acts) for session in whole)
    for session in cut:
        times = [act.time for act in session.acts]
        assert times == sorted(times)
        assert session.begins < times[0]
        assert times[-1] < noon


def test_days_off_are_quiet_and_only_people_who_are_there_come() -> None:
    by_day: Counter[date] = Counter()
    for day in range(70, 84):
        for tool in FIRM.tools:
            for session in history.sessions(FIRM, tool, FIRM.releases[-1], CALENDAR, day, END):
                assert session.person.there(day)
                by_day[CALENDAR.date(day)] += len(session.acts)
    worked = [count for day, count in by_day.items() if day.weekday() < 5]
    off = [count for day, count in by_day.items() if day.weekday() >= 5]
    assert max(off, default=0) < min(worked) / 10


def test_use_is_uneven_among_people_and_features() -> None:
    people, features = Counter[str](), Counter[str]()
    for session in week():
        people[session.person.user] += len(session.acts)
        features.update(act.feature.name for act in session.acts)
    keenest = people.most_common(len(people) // 10)
    assert sum(count for _, count in keenest) > 0.25 * people.total()
    ordered = [count for _, count in features.most_common()]
    assert ordered[0] > 5 * ordered[-1]


def test_the_broken_release_breaks_one_feature_until_it_is_mended() -> None:
    broken = next(release for release in FIRM.releases if release.breaks)
    mended = FIRM.releases[FIRM.releases.index(broken) + 1]
    assert broken.breaks
    feature, fault = broken.breaks
    found = {}
    for release in (broken, mended):
        acts = [
            act
            for day in CALENDAR.reign(FIRM, release)
            for session in history.sessions(FIRM, FIRM.tool("rigtools"), release, CALENDAR, day, END)
            for act in session.acts
            if act.feature.name == feature
        ]
        found[release.name] = sum(act.fault == fault for act in acts) / len(acts)
    assert found[broken.name] > 0.7
    assert found[mended.name] == 0
