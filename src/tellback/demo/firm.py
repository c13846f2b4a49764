"""Who is in the firm and what they use.

Lanternfish makes animated films: 400 people in 14 teams, six tools that its pipeline team maintains, five releases of
them in ninety days. Nothing here knows about time of day; `history` does.
"""

import random
import unicodedata
from dataclasses import dataclass, field
from typing import Final

from tellback.demo import names

DAYS: Final = 90
SEED: Final = 8321


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing that a person can do in a tool; its name is the event's name."""

    name: str
    seconds: float
    """Median of its duration."""
    numbers: dict[str, float] = field(default_factory=dict)
    """Attributes that are counts, with their medians."""
    words: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Attributes that are one of a few words, the most usual first."""
    fault: str | None = None
    """What goes wrong with it, a function of `faults`."""
    odds: float = 0.0
    """How often it does, per use, in a release that is no better and no worse than others."""


@dataclass(frozen=True, slots=True)
class Tool:
    service: str
    features: tuple[Feature, ...]
    """The most used first: use falls off as in Zipf's law."""


@dataclass(frozen=True, slots=True)
class Release:
    name: str
    day: int
    """It goes out on the first working day from this one on; the first one was there before."""
    errors: float = 1.0
    """Times the usual number of errors."""
    pace: float = 1.0
    """Times the usual duration."""
    breaks: tuple[str, str] | None = None
    """The feature that cannot work in it, and the fault that stops it."""


@dataclass(frozen=True, slots=True)
class Team:
    name: str
    size: int
    adoption: float
    """Share of its people who ever take to the tools. Zero: the team has never used anything."""
    begins: int
    """The day on which it began to. Before the first day: long ago."""
    tools: dict[str, float]
    """How the team's work spreads over the tools."""


@dataclass(frozen=True, slots=True)
class Person:
    user: str
    name: str
    team: Team
    workstation: str
    stays: tuple[tuple[int, int], ...]
    """Days, first and last-but-one, between which the person uses the tools. Empty: never."""
    zeal: float
    """Sessions on a usual working day."""

    def there(self, day: int) -> bool:
        return any(first <= day < last for first, last in self.stays)


@dataclass(frozen=True, slots=True)
class Firm:
    tools: tuple[Tool, ...]
    releases: tuple[Release, ...]
    teams: tuple[Team, ...]
    people: tuple[Person, ...]
    seed: int

    def tool(self, service: str) -> Tool:
        return next(tool for tool in self.tools if tool.service == service)


SHOTS = ("sq10_010", "sq10_020", "sq20_010", "sq20_040", "sq35_010", "sq40_120")

TOOLS = (
    Tool(
        "rigtools",
        (
            Feature("pose_apply", 0.4, {"controls": 24}, {"library": ("hands", "faces", "walks")}),
            Feature("solve_constraints", 1.8, {"joints": 180}, fault="solver_diverged", odds=0.012),
            Feature("mirror_weights", 2.6, {"vertices": 9_000}),
            Feature("bake_animation", 9.0, {"frames": 140}, {"shot": SHOTS}, fault="cache_read_only", odds=0.010),
            Feature(
                "rig_export", 14.0, {"joints": 210}, {"format": ("usd", "fbx", "abc")}, fault="scale_text", odds=0.014
            ),
            Feature("blendshape_split", 5.5, {"shapes": 32}),
        ),
    ),
    Tool(
        "shotbrowser",
        (
            Feature("shot_open", 2.2, {"layers": 7}, {"shot": SHOTS}, fault="shot_missing", odds=0.006),
            Feature("playblast_view", 11.0, {"frames": 96}, {"shot": SHOTS}),
            Feature("search", 0.3, {"results": 18}),
            Feature("version_compare", 3.4, {"versions": 2}),
            Feature("favourite_add", 0.1),
            Feature("shot_lock", 0.2, {}, {"shot": SHOTS}, fault="lock_held", odds=0.022),
        ),
    ),
    Tool(
        "sheets",
        (
            Feature("filter_column_edit", 0.5, {"rows": 1_800}),
            Feature("pivot_edit", 1.6, {"rows": 4_200}, fault="no_column", odds=0.016),
            Feature("set_column_formula_edit", 0.8, {"rows": 2_600}, fault="frame_count_text", odds=0.028),
            Feature("excel_import_edit", 6.0, {"rows": 5_500}, fault="wrong_encoding", odds=0.030),
            Feature("export_to_file_edit", 2.4, {"rows": 1_200}, {"format": ("xlsx", "csv")}),
            Feature("graph_edit", 1.1, {"points": 300}),
        ),
    ),
    Tool(
        "farmsubmit",
        (
            Feature(
                "job_submit", 4.0, {"frames": 120}, {"queue": ("day", "night", "rush")}, fault="farm_silent", odds=0.012
            ),
            Feature("job_watch", 0.6, {"jobs": 5}),
            Feature("frame_retry", 1.2, {"frames": 6}),
            Feature("cost_estimate", 2.8, {"frames": 240}, fault="no_history", odds=0.034),
            Feature("priority_raise", 0.4),
        ),
    ),
    Tool(
        "reviewroom",
        (
            Feature("note_add", 0.7, {"strokes": 4}),
            Feature("clip_play", 16.0, {"frames": 110}, {"shot": SHOTS}),
            Feature("approve", 0.5, {}, {"shot": SHOTS}),
            Feature("annotate_frame", 8.0, {"strokes": 11}),
            Feature("session_start", 3.2, {"guests": 4}, fault="room_full", odds=0.018),
            Feature("notes_export", 2.1, {"notes": 26}, {"format": ("pdf", "csv")}, fault="scale_text", odds=0.004),
        ),
    ),
    Tool(
        "assetcheck",
        (
            Feature("check_run", 7.5, {"assets": 12}, fault="asset_loop", odds=0.009),
            Feature(
                "publish",
                12.0,
                {"files": 9},
                {"asset": ("model", "texture", "rig")},
                fault="cache_read_only",
                odds=0.011,
            ),
            Feature("report_view", 0.9, {"findings": 5}),
            Feature("fix_naming", 1.4, {"files": 15}),
            Feature("texture_scan", 18.0, {"textures": 48}),
        ),
    ),
)

RELEASES = (
    Release("4.0", 0),
    Release("4.1", 17, errors=0.9, pace=0.95),
    Release("4.2", 40, errors=1.2, breaks=("solve_constraints", "import_broken")),
    Release("4.2.1", 44, errors=0.8),
    Release("4.3", 66, errors=0.6, pace=0.8),
)

TEAMS = (
    Team("Animation", 62, 0.94, -200, {"rigtools": 5, "shotbrowser": 4, "reviewroom": 2}),
    Team("Compositing", 56, 0.82, -200, {"shotbrowser": 4, "farmsubmit": 4, "reviewroom": 2}),
    Team("Lighting", 44, 0.86, -200, {"farmsubmit": 5, "shotbrowser": 3, "assetcheck": 1}),
    Team("Production", 40, 0.78, 9, {"sheets": 5, "reviewroom": 3, "shotbrowser": 2}),
    Team("Modelling", 38, 0.74, -200, {"assetcheck": 5, "shotbrowser": 2, "rigtools": 1}),
    Team("Effects", 34, 0.68, -200, {"farmsubmit": 5, "shotbrowser": 2, "assetcheck": 2}),
    Team("Rigging", 24, 1.00, -200, {"rigtools": 8, "assetcheck": 2}),
    Team("Layout", 22, 0.59, 24, {"shotbrowser": 5, "reviewroom": 2}),
    Team("Pipeline", 18, 1.00, -200, {"farmsubmit": 2, "assetcheck": 2, "rigtools": 2, "shotbrowser": 2, "sheets": 1}),
    Team("Editorial", 16, 0.50, 38, {"reviewroom": 6, "shotbrowser": 2}),
    Team("Rendering", 14, 0.93, -200, {"farmsubmit": 8, "sheets": 1}),
    Team("Data", 12, 0.92, 2, {"sheets": 8, "farmsubmit": 1}),
    Team("Finance", 12, 0.0, 0, {}),
    Team("Legal", 8, 0.0, 0, {}),
)


def chance(*of: object) -> random.Random:
    """A generator of random numbers that is the same for the same things."""
    return random.Random("/".join(map(str, of)))  # noqa: S311 - a made-up history has no secret


def make(seed: int = SEED) -> Firm:
    """The firm as the seed has it."""
    rng = chance(seed)
    taken: set[str] = set()
    people = [_person(rng, team, number, taken) for team in TEAMS for number in range(team.size)]
    return Firm(TOOLS, RELEASES, TEAMS, tuple(people), seed)


def directory(firm: Firm) -> str:
    """The directory of people as the CSV that `tellback people import` takes."""
    lines = ["user,team,name", *(f"{person.user},{person.team.name},{person.name}" for person in firm.people)]
    return "\n".join(lines) + "\n"


def _person(rng: random.Random, team: Team, number: int, taken: set[str]) -> Person:
    first, last = rng.choice(names.FIRST), rng.choice(names.LAST)
    stays = _stays(rng, team) if rng.random() < team.adoption else ()
    return Person(
        user=_user(first, last, taken),
        name=f"{first} {last}",
        team=team,
        workstation=f"{team.name[:3].lower()}-{number + 1:03}",
        stays=stays,
        # Few people do most of it: a long tail, so that the hundred keenest stand out.
        zeal=min(rng.lognormvariate(-0.25, 0.75), 6.0),
    )


def _user(first: str, last: str, taken: set[str]) -> str:
    plain = unicodedata.normalize("NFKD", f"{first[0]}{last}".replace("ł", "l").replace("ø", "o"))
    user = base = plain.encode("ascii", "ignore").decode().lower()
    again = 2
    while user in taken:
        user, again = f"{base}{again}", again + 1
    taken.add(user)
    return user


def _stays(rng: random.Random, team: Team) -> tuple[tuple[int, int], ...]:
    """Most stay to the end; some come late, some leave, some leave and return."""
    # A team takes to a tool over some weeks, the first quickly.
    begins = max(0, team.begins + int(rng.expovariate(1 / 9))) if team.begins >= 0 else 0
    if team.begins < 0 and rng.random() < 0.12:
        begins = rng.randrange(5, DAYS - 10)
    fate = rng.random()
    if begins > DAYS - 25 or fate < 0.72:
        return ((begins, DAYS),)
    leaves = rng.randrange(begins + 7, DAYS - 14)
    if fate < 0.86:
        return ((begins, leaves),)
    returns = rng.randrange(leaves + 7, DAYS)
    return ((begins, leaves), (returns, DAYS))
