"""A small firm's quarter, said by real programs to a real server: `python small_firm.py SERVICE`.

120 people in eight teams, two of which never came; three programs. Each program says its part through the public client
API, told its server by the environment as any program is. It comes out the same whenever it runs on one day.
"""

import csv
import io
import logging
import random
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import tellback

SERVICES = {
    "rigtools": ("pose_apply", "rig_export", "mirror_weights", "bake_animation"),
    "mito": ("pivot_edit", "filter_column_edit", "graph_edit", "export_to_file_edit"),
    "shotbrowser": ("shot_open", "shot_lock", "playblast_view", "search"),
}
TEAMS = ("Animation", "Assets", "Compositing", "Effects", "Layout", "Lighting", "Finance", "Legal")
ABSENT = TEAMS[-2:]
DAYS = 89
PEOPLE = {f"person{number:03}": TEAMS[number % len(TEAMS)] for number in range(120)}


def directory() -> str:
    """The people as a CSV file."""
    out = io.StringIO()
    csv.writer(out).writerows([("user", "team"), *PEOPLE.items()])
    return out.getvalue()


def acts(service: str) -> Iterator[tuple[int, str, random.Random]]:
    """(time in ns, user, chance) of whatever somebody did in the program, over the last `DAYS` days and today."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for user, team in PEOPLE.items():
        if team in ABSENT:
            continue
        chance = random.Random(f"{service} {user}")
        came = chance.randrange(60)
        for day in range(came, DAYS):
            if chance.random() < 0.12:
                for _ in range(chance.randrange(1, 4)):
                    at = today - timedelta(days=DAYS - day) + timedelta(seconds=chance.randrange(8 * 3600, 18 * 3600))
                    yield int(at.timestamp()) * 10**9, user, chance
    # Somebody is there today too, whatever the hour.
    yield int(today.timestamp()) * 10**9 + 1, "person000", random.Random(service)


def stumble(shot: str) -> None:
    shots = {"sq10": 7}
    if shot in shots:
        raise TimeoutError("the licence server did not answer within 30 s")
    shots[shot]


def speak(service: str) -> int:
    """Says it all; how many records that were."""
    log, said = tellback.LogHandler(), 0
    for when, user, chance in acts(service):
        with tellback.bound(user=user, session=f"{user}-{when // 10**9 // 86400}"):
            name = chance.choice(SERVICES[service])
            tellback.event(name, time=when, duration=chance.randrange(10**9), rows=chance.randrange(500))
            said += 1
            if chance.random() < 0.1:
                record = {"name": service, "msg": "%s was slow", "args": (name,), "levelno": logging.WARNING}
                log.handle(logging.makeLogRecord({**record, "levelname": "WARNING", "created": when / 1e9}))
                said += 1
            if chance.random() < 0.06:
                try:
                    stumble(chance.choice(("sq10", "sq20")))
                except Exception as error:
                    tellback.capture(error, time=when)
                said += 1
    return said


if __name__ == "__main__":
    tellback.init(service=sys.argv[1], release="1.4.2", environment="production")
    count = speak(sys.argv[1])
    if not tellback.flush(timeout=60):
        sys.exit("the server did not acknowledge all")
    tellback.close()
    print(count)
