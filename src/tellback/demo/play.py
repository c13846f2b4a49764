"""One tool under one release, as a process of its own: what its people did, said through Tellback's public client API.

A process has one service and one release, as any real program has. So the firm's history is 30 short processes, one
after the other; what one has not shipped when it ends, the next one takes over from the spool.

It is told its server by the environment, like every program (`TELLBACK_URL`, `TELLBACK_TOKEN`, `TELLBACK_SPOOL`), and
prints a line of JSON, `Said`, after each day.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable
from datetime import date

import msgspec

import tellback
from tellback.demo import firm, history
from tellback.demo.calendar import Calendar
from tellback.demo.faults import FAULTS

FLUSH = 60.0
"""Seconds that the last process waits for the server to acknowledge what is left."""


class Said(msgspec.Struct):
    """How many records of each kind the process has made so far, and on how many days."""

    days: int = 0
    event: int = 0
    log: int = 0
    error: int = 0

    @property
    def records(self) -> int:
        return self.event + self.log + self.error


class Clock:
    """Gives log records the time of the act that they tell of, where `logging` would take now."""

    def __init__(self) -> None:
        self.now = 0
        self._make = logging.getLogRecordFactory()

    def __call__(self, *args: object, **kwargs: object) -> logging.LogRecord:
        record: logging.LogRecord = self._make(*args, **kwargs)
        record.created = self.now / 1e9
        record.msecs = self.now // 1_000_000 % 1000
        return record


class Voice:
    """Says what happened in one tool."""

    def __init__(self, service: str) -> None:
        self.said = Said()
        self.clock = Clock()
        logging.setLogRecordFactory(self.clock)
        self.log = logging.getLogger(service)
        self.log.setLevel(logging.INFO)
        self.log.propagate = False
        self.log.addHandler(tellback.LogHandler())

    def session(self, session: history.Session) -> None:
        person = session.person
        with tellback.bound(user=person.user, session=session.id, workstation=person.workstation):
            self._at(session.begins, self.log.info, "opened on %s", person.workstation)
            for act in session.acts:
                self._act(act)

    def _act(self, act: history.Act) -> None:
        if act.fault:
            self._fail(act, FAULTS[act.fault])
            return
        tellback.event(act.feature.name, time=act.time, duration=act.duration, **act.attrs)
        self.said.event += 1
        seconds = act.duration / 1e9
        if seconds > 4 * act.feature.seconds:
            # A warning carries its solution.
            what = "%s took %.1f s, usually %.1f s: close other scenes or send it to the farm"
            self._at(act.time, self.log.warning, what, act.feature.name, seconds, act.feature.seconds)
        elif act.time % 5 == 0:
            self._at(act.time, self.log.info, "%s done in %.1f s", act.feature.name, seconds)

    def _fail(self, act: history.Act, fault: Callable[[], object]) -> None:
        """The tool tried and could not; half the tools' code reports the exception itself, half logs it."""
        try:
            fault()
        except Exception as failure:
            if act.time % 2:
                tellback.capture(failure, time=act.time)
            else:
                self._at(act.time, self.log.exception, "%s failed", act.feature.name)
            self.said.error += 1

    def _at(self, when: int, log: Callable[..., None], message: str, *args: object) -> None:
        self.clock.now = when
        log(message, *args)
        self.said.log += 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tellback.demo.play", description=__doc__)
    parser.add_argument("--tool", required=True, choices=[tool.service for tool in firm.TOOLS])
    parser.add_argument("--release", required=True, choices=[release.name for release in firm.RELEASES])
    parser.add_argument("--today", required=True, type=date.fromisoformat, help="the last of the ninety days")
    parser.add_argument("--until", type=int, default=time.time_ns(), help="nothing after this, ns since epoch")
    parser.add_argument("--seed", type=int, default=firm.SEED)
    parser.add_argument("--last", action="store_true", help="wait until all that lies in the spool is acknowledged")
    args = parser.parse_args()

    people = firm.make(args.seed)
    tool = people.tool(args.tool)
    release = next(release for release in people.releases if release.name == args.release)
    calendar = Calendar(args.today)

    tellback.init(service=tool.service, release=release.name, environment="production")
    voice = Voice(tool.service)
    for day in calendar.reign(people, release):
        for session in history.sessions(people, tool, release, calendar, day, args.until):
            voice.session(session)
        voice.said.days += 1
        sys.stdout.write(msgspec.json.encode(voice.said).decode() + "\n")
        sys.stdout.flush()
    if args.last and not tellback.flush(timeout=FLUSH):
        sys.stderr.write(f"Within {FLUSH:.0f} s the server did not acknowledge all; `tellback ship` sends the rest.\n")
        return 1
    tellback.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
