import csv

from tellback.demo import firm
from tellback.demo.faults import FAULTS

FIRM = firm.make()


def test_four_hundred_people_in_fourteen_teams() -> None:
    assert len(FIRM.people) == 400
    assert len({person.team.name for person in FIRM.people}) == 14
    assert len({person.user for person in FIRM.people}) == 400
    assert len(FIRM.tools) == 6
    assert len(FIRM.releases) == 5


def test_two_teams_have_never_used_anything() -> None:
    never = {team.name for team in FIRM.teams} - {person.team.name for person in FIRM.people if person.stays}
    assert never == {"Finance", "Legal"}


def test_people_come_stay_leave_and_return() -> None:
    stays = [person.stays for person in FIRM.people if person.stays]
    came = [stay for stay in stays if stay[0][0] > 0]
    left = [stay for stay in stays if stay[-1][1] != firm.DAYS]
    returned = [stay for stay in stays if len(stay) == 2]
    stayed = [stay for stay in stays if stay == ((0, firm.DAYS),)]
    assert min(map(len, (came, left, returned, stayed))) > 10
    for stay in stays:
        days = [day for span in stay for day in span]
        assert days == sorted(set(days)), "stays are apart and in order"
        assert days[0] >= 0
        assert days[-1] <= firm.DAYS


def test_the_same_seed_makes_the_same_firm() -> None:
    assert firm.make() == FIRM
    assert firm.make(seed=1) != FIRM


def test_the_directory_is_what_people_import_takes() -> None:
    rows = list(csv.DictReader(firm.directory(FIRM).splitlines()))
    assert rows[0].keys() == {"user", "team", "name"}
    assert {row["user"] for row in rows} == {person.user for person in FIRM.people}
    assert all(row["user"].isascii() and row["user"].isalnum() for row in rows)


def test_every_fault_has_its_place_and_every_place_its_fault() -> None:
    features = [feature for tool in FIRM.tools for feature in tool.features]
    used = {feature.fault for feature in features if feature.fault}
    used |= {release.breaks[1] for release in FIRM.releases if release.breaks}
    assert used == set(FAULTS)
    names = {feature.name for feature in features}
    assert all(release.breaks[0] in names for release in FIRM.releases if release.breaks)
    used = {tool for team in FIRM.teams for tool in team.tools}
    assert used == {tool.service for tool in FIRM.tools}
