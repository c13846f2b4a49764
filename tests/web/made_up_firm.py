"""A made-up firm in memory, behind the pages' own contract: 90 days, 14 teams, two of which never came.

It answers each question from its records with the contract's shapes; what a question means is tested elsewhere.
"""

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tellback.server.schema import COLUMNS
from tellback.server.web import Access, Refused, Web
from tellback.server.web.charts import first_day, next_day

ZONE = ZoneInfo("Europe/Berlin")
TEAMS = (
    "Animation", "Assets", "Compositing", "Crowd", "Editorial", "Effects", "Layout",
    "Lighting", "Look development", "Matchmove", "Matte painting", "Pipeline", "Previs", "Rigging",
)  # fmt: skip
ABSENT = {"Matte painting", "Previs"}
SERVICES = ("rigtools", "shotbrowser", "renderqueue", "mito", "assetlib", "reviewdesk")
FEATURES = (
    "open_shot", "publish_asset", "export_to_file", "pivot_edit", "submit_render", "filter_column_edit",
    "compare_versions", "retarget_rig", "bake_simulation", "merge_edit", "graph_edit", "annotate_frame",
)  # fmt: skip
ERRORS = (
    ("KeyError", "'sq10_sh0040' is no shot of this project"),
    ("ImportError", "cannot import name 'solve' from 'rigtools.ik' (release 2.3.0 moved it)"),
    ("FileNotFoundError", "/mnt/projects/otter/publish/rig_v012.ma"),
    ("TimeoutError", "the licence server did not answer within 30 s"),
    ("ValueError", "cannot convert float NaN to integer"),
    ("PermissionError", "[Errno 13] Permission denied: '/mnt/cache/sim'"),
)
FILTERS = ("service", "release", "environment", "user", "name", "kind", "level", "host", "project")
RANGE = {"from", "to", "limit", "cursor", "team", *FILTERS}


@dataclass
class Grant:
    project: str = "1"
    token_id: str = "k3a9"
    scopes: frozenset[str] = frozenset({"admin"})


@dataclass
class Token:
    id: str
    project: str
    scopes: frozenset[str]
    created: str
    last_used: str | None = None
    revoked: str | None = None


@dataclass
class Imported:
    imported: int
    bad: list[tuple[int, str]]


def parsed(text: str) -> datetime:
    if len(text) <= 10:
        return datetime.combine(date.fromisoformat(text), time(), ZONE)
    return datetime.fromisoformat(text)


@dataclass
class Firm:
    """The records, the people, the tokens and the sessions. `empty` has none of the first two."""

    empty: bool = False
    seed: int = 7
    slow: asyncio.Event | None = None  # `adoption.*` waits for it
    unhurried: bool = False
    """Questions take their time, each another one: panels are ready one after the other."""
    broken: str = ""  # the name of a question that dies, as a bug would
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    people: dict[str, str] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    sessions: dict[str, Grant] = field(default_factory=dict)
    codes: set[str] = field(default_factory=lambda: {"WELCOME1"})
    asked: list[tuple[str, dict[str, list[str]]]] = field(default_factory=list)

    tokens: list[Token] = field(default_factory=list)

    def __post_init__(self) -> None:
        made = (self.now - timedelta(days=80)).isoformat()
        self.tokens = [
            Token("k3a9", "1", frozenset({"admin"}), made, self.now.isoformat()),
            Token("w71c", "1", frozenset({"write"}), made, (self.now - timedelta(minutes=4)).isoformat()),
            Token("r0f2", "1", frozenset({"read"}), made, None, (self.now - timedelta(days=3)).isoformat()),
        ]
        if not self.empty:
            self._hire()
            self._work()
            self.records.sort(key=lambda record: record["when"], reverse=True)

    # --- making it up

    def _hire(self) -> None:
        chance = random.Random(self.seed)
        for number in range(400):
            team = TEAMS[min(len(TEAMS) - 1, int(chance.triangular(0, len(TEAMS), 4)))]
            self.people[f"{chance.choice('abcdefghijklmnoprstuvw')}.{number:03d}"] = team

    def _work(self) -> None:
        chance = random.Random(self.seed + 1)
        today = self.now.astimezone(ZONE).date()
        for user, team in self.people.items():
            if team in ABSENT:
                continue
            start, zeal = chance.randrange(0, 110), chance.betavariate(1.2, 4)
            stay = chance.expovariate(1 / 45)
            for back in range(89, -1, -1):
                day = today - timedelta(days=back)
                since = 89 - back - (start - 30)
                weekend = day.weekday() > 4
                if since < 0 or since > stay or chance.random() > zeal * (0.15 if weekend else 1.4):
                    continue
                for _ in range(1 + int(chance.expovariate(1 / 2))):
                    self._record(chance, user, day)

    def _record(self, chance: random.Random, user: str, day: date) -> None:
        at = datetime.combine(day, time(), ZONE) + timedelta(seconds=min(86399, max(0, chance.gauss(50000, 9500))))
        if at > self.now:
            at = self.now - timedelta(seconds=chance.randrange(20, 3000))
        kind = chance.choices(("event", "log", "error"), (80, 14, 6))[0]
        record: dict[str, Any] = dict.fromkeys(COLUMNS)
        record |= {
            "when": at, "kind": kind, "user": user, "project": "1", "service": chance.choice(SERVICES),
            "release": chance.choice(("2.2.0", "2.2.1", "2.3.0", "2.3.1")), "environment": "production",
            "host": f"ws{chance.randrange(60):03d}", "os": "Linux 6.1", "python": "3.11.7", "pid": 4711,
            "segment": f"{chance.getrandbits(128):032x}",
            "offset": chance.randrange(0, 500_000), "attrs": {"shot": "sq10"},
        }  # fmt: skip
        if kind == "event":
            record["name"] = FEATURES[min(len(FEATURES) - 1, int(chance.expovariate(1 / 2.6)))]
            record["attrs"] = {"rows": chance.randrange(5000), "project_name": "otter"}
        elif kind == "log":
            record |= {"name": "pipeline.cache", "level": chance.choices(("info", "warn", "debug"), (6, 3, 2))[0]}
            record["message"] = "cache miss for otter/rig_v012, fetched from the server instead"
        else:
            name, message = chance.choices(ERRORS, (9, 7, 5, 3, 2, 1))[0]
            record |= {"name": name, "level": "error", "message": message, "attrs": _error_attrs(chance)}
        self.records.append(record)

    # --- questions

    async def ask(self, grant: Grant, name: str, params: Mapping[str, Sequence[str]]) -> dict[str, Any]:
        self.asked.append((name, {key: list(values) for key, values in params.items()}))
        if name == self.broken:
            raise RuntimeError("a bug in a question")
        if self.slow is not None and name.startswith("adoption."):
            await self.slow.wait()
        if self.unhurried:
            await asyncio.sleep(0.02 * (len(self.asked) % 10))
        more = {
            "adoption.active_users": {"period"}, "adoption.retention": {"period"},
            "records.facets": {"column", "q", *COLUMNS},
            "records.histogram": {"step", "q", *COLUMNS}, "records.search": {"q", *COLUMNS},
        }.get(name, set())  # fmt: skip
        if unknown := sorted(set(params) - RANGE - more):
            raise Refused("unknown_parameter", f"{name} has no parameter “{unknown[0]}”.", unknown[0])
        answer = getattr(self, name.replace(".", "_"), None)
        if answer is None:
            raise Refused("unknown_question", f"There is no question “{name}”.", None, 404)
        begin = parsed(params["from"][0]) if "from" in params else self.now - timedelta(days=30)
        tomorrow = self.now.astimezone(ZONE).date() + timedelta(days=1)
        end = parsed(params["to"][0]) if "to" in params else datetime.combine(tomorrow, time(), ZONE)
        rows = answer(self._found(params, begin, end), params, begin, end)
        limit, start = int(params.get("limit", ["9999"])[0]), int(params.get("cursor", ["0"])[0])
        return {
            "question": name,
            "range": {
                "from": begin.astimezone(ZONE).isoformat(),
                "to": end.astimezone(ZONE).isoformat(),
                "zone": ZONE.key,
            },
            "complete": {"through": self.now.isoformat(), "missing": 0, "dropped": 0 if self.empty else 12},
            "rows": rows[start : start + limit],
            "next": str(start + limit) if len(rows) > start + limit else None,
        }

    def _found(self, params: Mapping[str, Sequence[str]], begin: datetime, end: datetime) -> list[dict[str, Any]]:
        columns = {key: {*params[key]} for key in {*FILTERS, *COLUMNS} & set(params)}
        words = " ".join(params.get("q", ())).lower().split()
        teams = set(params.get("team", ()))
        return [
            record
            for record in self.records
            if begin <= record["when"] < end
            and all(str(record[key]) in values for key, values in columns.items())
            and (not teams or self.people.get(record["user"]) in teams)
            and all(word in f"{record['name']} {record['message']} {record['attrs']}".lower() for word in words)
        ]

    @staticmethod
    def adoption_active_users(found: Any, params: Any, *_: Any) -> list[dict[str, Any]]:
        period, users = params.get("period", ["day"])[0], defaultdict(set)
        for record in found:
            if record["kind"] == "event":
                users[first_day(period, record["when"].date())].add(record["user"])
        return [{"period": day.isoformat(), "users": len(who)} for day, who in sorted(users.items())]

    def adoption_top_users(self, found: Any, *_: Any) -> list[dict[str, Any]]:
        mine: dict[str, list[datetime]] = defaultdict(list)
        for record in found:
            if record["kind"] == "event":
                mine[record["user"]].append(record["when"])
        ranked = sorted(mine.items(), key=lambda item: (-len(item[1]), item[0]))
        return [
            {
                "rank": rank, "user": user, "team": self.people.get(user), "records": len(times),
                "days_active": len({at.date() for at in times}), "last_seen": max(times).isoformat(),
            }
            for rank, (user, times) in enumerate(ranked, 1)
        ]  # fmt: skip

    def adoption_teams(self, found: Any, params: Any, *_: Any) -> list[dict[str, Any]]:
        people, last = Counter(self.people.values()), {}
        active: dict[str, set[str]] = defaultdict(set)
        for record in found:
            if record["kind"] == "event":
                team = self.people[record["user"]]
                active[team].add(record["user"])
                last[team] = max(last.get(team, record["when"]), record["when"])
        return [
            {
                "team": team, "people": count, "active": len(active[team]), "adopted": len(active[team]) / count,
                "last_seen": last[team].isoformat() if team in last else None,
            }
            for team, count in sorted(people.items()) if not params.get("team") or team in params["team"]
        ]  # fmt: skip

    @staticmethod
    def adoption_features(found: Any, *_: Any) -> list[dict[str, Any]]:
        counts: Counter[str] = Counter()
        users: dict[str, set[str]] = defaultdict(set)
        for record in found:
            if record["kind"] == "event":
                counts[record["name"]] += 1
                users[record["name"]].add(record["user"])
        everybody = len(set().union(*users.values())) or 1
        return [
            {"name": name, "records": count, "users": len(users[name]), "share": len(users[name]) / everybody}
            for name, count in counts.most_common()
        ]

    def adoption_retention(self, found: Any, params: Any, *_: Any) -> list[dict[str, Any]]:
        step = params.get("period", ["week"])[0]
        first: dict[str, date] = {}
        seen: dict[str, set[date]] = defaultdict(set)
        for record in found:
            if record["kind"] == "event":
                day = first_day(step, record["when"].date())
                seen[record["user"]].add(day)
                first[record["user"]] = min(first.get(record["user"], day), day)
        rows = []
        for cohort in sorted(set(first.values())):
            users = [user for user, day in first.items() if day == cohort]
            day, period = cohort, 0
            while day <= self.now.date():
                back = sum(day in seen[user] for user in users)
                rows.append({"cohort": cohort.isoformat(), "period": period, "users": back, "share": back / len(users)})
                day, period = next_day(step, day), period + 1
        return rows

    @staticmethod
    def errors_top(found: Any, *_: Any) -> list[dict[str, Any]]:
        groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for record in found:
            if record["kind"] == "error":
                groups[f"{record['name']}: {record['message']}"].append(record)
        rows = [
            {
                "title": title, "records": len(group), "users": len({record["user"] for record in group}),
                "first_seen": group[-1]["when"].isoformat(), "last_seen": group[0]["when"].isoformat(),
            }
            for title, group in groups.items()
        ]  # fmt: skip
        return sorted(rows, key=lambda row: (-row["records"], row["title"]))

    @staticmethod
    def records_search(found: Any, *_: Any) -> list[dict[str, Any]]:
        return [
            {
                **{key: value for key, value in record.items() if key != "when"},
                "time": record["when"].astimezone(UTC).isoformat(),
            }
            for record in found
        ]

    @staticmethod
    def records_histogram(found: Any, params: Any, *_: Any) -> list[dict[str, Any]]:
        hourly = params.get("step", ["hour"])[0] == "hour"
        counts = Counter(
            (
                record["when"].replace(minute=0, second=0, microsecond=0).isoformat()
                if hourly
                else record["when"].date().isoformat(),
                record["kind"],
                record["level"],
            )
            for record in found
        )
        return [
            {"bucket": bucket, "kind": kind, "level": level, "records": count}
            for (bucket, kind, level), count in sorted(counts.items(), key=str)
        ]

    @staticmethod
    def records_facets(found: Any, params: Any, *_: Any) -> list[dict[str, Any]]:
        column, users = params["column"][0], defaultdict(set)
        counts = Counter(record[column] for record in found)
        for record in found:
            users[record[column]].add(record["user"])
        return [{"value": value, "records": count, "users": len(users[value])} for value, count in counts.most_common()]

    def store_ledger(self, *_: Any) -> list[dict[str, Any]]:
        if self.empty:
            return []
        count = len(self.records)
        lines = {"received": count + 45, "accepted": count, "duplicate": 31, "quarantined": 2, "dropped:budget": 12}
        return [{"reason": reason, "records": n} for reason, n in {**lines, "visible": count, "difference": 0}.items()]

    def store_quarantine(self, *_: Any) -> list[dict[str, Any]]:
        if self.empty:
            return []
        at = (self.now - timedelta(hours=2)).isoformat()
        reason = 'duration: expected integer ns, got "abc"'
        return [
            {"received": at, "wire": "records", "line": 3, "reason": reason, "sample": '{"name":"a","duration":"abc"}'},
            {
                "received": at,
                "wire": "mito",
                "line": 1,
                "reason": "timestamp_gmt: is no time",
                "sample": '{"event":"x"}',
            },
        ]

    # --- access

    def access(self) -> Access:
        return Access(
            self._redeem, self._sign_in, self.sessions.get, lambda cookie: self.sessions.pop(cookie, None) and None,
            lambda: self.tokens, self._new_token, self._revoke, self._import,
        )  # fmt: skip

    def web(self, patience: float = 5.0) -> Web:
        return Web(self.ask, self.access(), lambda: ZONE.key, "0.1.0", patience)

    def _session(self, scopes: Iterable[str]) -> str:
        cookie = f"session{len(self.sessions)}"
        self.sessions[cookie] = Grant(scopes=frozenset(scopes))
        return cookie

    def _redeem(self, code: str) -> str | None:
        if code not in self.codes:
            return None
        self.codes.remove(code)
        return self._session({"admin"})

    def _sign_in(self, token: str) -> str | None:
        return self._session({token}) if token in ("admin", "read") else None

    def _new_token(self, scopes: frozenset[str], project: str) -> str:
        self.tokens.append(Token(f"t{len(self.tokens)}", project, scopes, self.now.isoformat()))
        return "tb" + "7" * 30

    def _revoke(self, token: str) -> None:
        for one in self.tokens:
            if one.id == token:
                one.revoked = self.now.isoformat()

    def _import(self, text: bytes) -> Imported:
        lines = text.decode().splitlines()
        if not lines or not lines[0].startswith("user,team"):
            raise Refused("bad_heading", "The first line must read user,team", "line 1")
        bad = [(number, "no team") for number, line in enumerate(lines[1:], 2) if "," not in line]
        return Imported(len(lines) - 1 - len(bad), bad)


def _error_attrs(chance: random.Random) -> dict[str, Any]:
    frames = [
        {"module": "rigtools.cli", "file": "/opt/rigtools/cli.py", "function": "main", "line": 41, "in_app": True},
        {
            "module": "rigtools.ik", "file": "/opt/rigtools/ik.py", "function": "solve", "line": 212, "in_app": True,
            "code": "joint = chain[name]", "locals": {"name": "'arm_L'", "password": "***"},
        },
    ]  # fmt: skip
    return {
        "id": f"{chance.getrandbits(128):032x}",
        "frames": frames,
        "shot": "sq10",
        "tags": ["gpu", "otter"],
    }
