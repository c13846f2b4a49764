"""Who did what when: the firm's ninety days as sessions of acts, in order, for one tool under one release.

Every (person, tool, day) has a random generator of its own, seeded by the three: each tool's history can be made by
itself, in a process of its own, and comes out the same however the work is cut.
"""

import random
from dataclasses import dataclass
from typing import Any

from tellback.demo.calendar import SECOND, Calendar
from tellback.demo.firm import DAYS, Feature, Firm, Person, Release, Tool, chance

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

PLAN = 1.75
"""Sessions of a person of zeal 1 on a working day. Set so that the ninety days come to about half a million records."""

SPREAD = 0.7
"""Sigma of the log-normal durations: the slowest percent takes five times the median."""


@dataclass(slots=True)
class Act:
    """One use of one feature."""

    time: int
    """ns since epoch, of its end: that is when a program can tell about it."""
    feature: Feature
    duration: int
    """ns."""
    attrs: dict[str, Any]
    fault: str | None


@dataclass(slots=True)
class Session:
    """One sitting of one person in one tool."""

    person: Person
    id: str
    begins: int
    acts: list[Act]


def sessions(firm: Firm, tool: Tool, release: Release, calendar: Calendar, day: int, until: int) -> list[Session]:
    """The day's sessions in the tool, by when they begin. Nothing after `until`, ns since epoch."""
    midnight = calendar.midnight(day)
    worked = calendar.worked(day)
    found: list[Session] = []
    for person in firm.people:
        share = person.team.tools.get(tool.service)
        if not share or not person.there(day):
            continue
        rng = chance(firm.seed, person.user, tool.service, calendar.date(day))
        expected = person.zeal * PLAN * share / sum(person.team.tools.values())
        if not worked:
            # Only the keenest come in on a day off, and rarely.
            expected *= 0.04 if person.zeal > 1.5 else 0.004
        if _away(firm, person, day):
            continue
        for _ in range(_poisson(rng, expected)):
            begins = midnight + int(_office_hour(rng) * HOUR)
            session = _session(rng, person, tool, release, begins, until)
            if session.acts:
                found.append(session)
    found.sort(key=lambda session: (session.begins, session.id))
    return found


def _session(rng: random.Random, person: Person, tool: Tool, release: Release, begins: int, until: int) -> Session:
    session = Session(person, f"{rng.getrandbits(64):016x}", begins, [])
    habits = _habits(person, tool)
    now = begins
    if now >= until:
        return session
    for feature in rng.choices(tool.features, habits, k=max(1, min(90, int(rng.lognormvariate(2.45, 0.8))))):
        duration = int(rng.lognormvariate(0, SPREAD) * feature.seconds * release.pace * SECOND)
        now += duration + int(rng.lognormvariate(2.6, 1.0) * SECOND)
        if now >= until:
            break
        attrs: dict[str, Any] = {}
        for name, median in feature.numbers.items():
            attrs[name] = max(1, int(median * rng.lognormvariate(0, 0.6)))
        for name, words in feature.words.items():
            attrs[name] = words[min(int(rng.expovariate(1.2)), len(words) - 1)]
        session.acts.append(Act(now, feature, duration, attrs, _fault(rng, feature, release)))
    return session


def _fault(rng: random.Random, feature: Feature, release: Release) -> str | None:
    if release.breaks and release.breaks[0] == feature.name:
        # Not everybody's program was started anew since the release: some go on with what they have in memory.
        return release.breaks[1] if rng.random() < 0.85 else None
    return feature.fault if rng.random() < feature.odds * release.errors else None


def _habits(person: Person, tool: Tool) -> list[float]:
    """How the person's use spreads over the tool's features: Zipf's law, in an order that is mostly the tool's own."""
    rng = chance(person.user, tool.service)
    order = sorted(range(len(tool.features)), key=lambda rank: rank + rng.gauss(0, 1.1))
    weights = [0.0] * len(order)
    for rank, feature in enumerate(order):
        weights[feature] = 1 / (rank + 1)
    return weights


def _away(firm: Firm, person: Person, day: int) -> bool:
    """Whether the person is on leave: one or two weeks at a stretch, some time in the ninety days."""
    rng = chance(firm.seed, person.user, "leave")
    leaves = rng.randrange(-20, DAYS)
    return leaves <= day < leaves + rng.choice((5, 7, 7, 14))


def _office_hour(rng: random.Random) -> float:
    """Hours since midnight: a hump in the morning, a higher one after lunch, a thin tail in the evening."""
    pick = rng.random()
    hour = rng.gauss(10.2, 0.9) if pick < 0.45 else rng.gauss(14.6, 1.4) if pick < 0.94 else rng.gauss(19.0, 1.5)
    return min(max(hour, 7.0), 22.5)


def _poisson(rng: random.Random, expected: float) -> int:
    """By Knuth's multiplication; `expected` is small here."""
    limit, product, count = 2.718281828459045**-expected, rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
