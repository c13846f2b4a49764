"""The API in the contract's form, with real tokens and a real database of decisions."""

import csv
import io
import threading
from collections.abc import Mapping

import pytest
from memory_store import MemoryStore
from starlette.testclient import TestClient

from tellback.server.access import Access
from tellback.server.api.asking import prefers_csv
from tellback.server.api.context import SESSION_COOKIE
from tellback.server.decisions import Decisions
from tellback.server.people import directory
from tellback.server.questions.catalogue import catalogue


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def read(access: Access) -> dict[str, str]:
    return bearer(access.new_token(["read"]).token)


@pytest.fixture
def admin(access: Access) -> dict[str, str]:
    return bearer(access.new_token(["admin"]).token)


def test_an_answer_has_the_contracts_form(client: TestClient, store: MemoryStore, read: Mapping[str, str]) -> None:
    store.add({"time": "2026-11-03T10:00:00", "user": "ann", "name": "export"})
    store.add({"time": "2026-11-03T11:00:00", "kind": "lost", "name": "full", "value": 2.0})
    store.connection.execute("INSERT INTO ledger VALUES ('1', 'dropped:full', 2)")
    answer = client.get(
        "/api/questions/adoption.features?from=2026-11-01&to=2026-12-01&service=&service=x", headers=read
    ).json()
    assert answer == {
        "question": "adoption.features",
        "range": {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z", "zone": "UTC"},
        "complete": {"through": "2026-12-01T00:00:00Z", "missing": 0, "dropped": 2},
        "rows": [{"name": "export", "records": 1, "users": 1, "share": 1.0}],
        "next": None,
    }


def test_csv_by_accept_has_a_link_to_the_next_page(
    client: TestClient, store: MemoryStore, read: Mapping[str, str]
) -> None:
    store.add(*({"time": "2026-11-03T10:00:00", "name": name} for name in ("a", "b")))
    address = "/api/questions/adoption.features?from=2026-11-01&to=2026-12-01&limit=1&name=a&name=b"
    first = client.get(address, headers={**read, "accept": "text/csv"})
    assert first.headers["content-type"].startswith("text/csv")
    assert list(csv.reader(io.StringIO(first.text))) == [["name", "records", "users", "share"], ["a", "1", "0", "0.0"]]
    second = client.get(first.links["next"]["url"], headers=read).json()
    assert [row["name"] for row in second["rows"]] == ["b"]
    assert second["next"] is None


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("text/csv", True), ("*/*", False), ("", False), ("application/json", False),
        ("text/csv;q=0.5, */*;q=0.1", True),
        ("application/json, text/csv;q=0.9", False), ("text/*", True), ("text/csv;q=x", False), ("TEXT/CSV", True),
    ],
)  # fmt: skip
def test_accept(accept: str, wanted: bool) -> None:
    assert prefers_csv(accept) is wanted


@pytest.mark.parametrize(
    ("address", "status", "code", "where"),
    [
        ("adoption.features?nope=1", 400, "unknown_parameter", "nope"),
        ("adoption.features?limit=x", 400, "bad_parameter", "limit"),
        ("adoption.features?limit=1&limit=2", 400, "bad_parameter", "limit"),
        ("adoption.features?from=%00", 400, "bad_parameter", "from"),
        ("adoption.features?user=%ed%a0%80", 200, None, None),
        ("adoption.active_users?period=year", 400, "bad_parameter", "period"),
        ("nope", 404, "not_found", "question"),
    ],
)
def test_what_is_wrong_is_named(
    client: TestClient, read: Mapping[str, str], address: str, status: int, code: str | None, where: str | None
) -> None:
    response = client.get(f"/api/questions/{address}", headers=read)
    assert response.status_code == status
    if code:
        error = response.json()["error"]
        assert (error["code"], error["where"]) == (code, where)
        assert error["message"]


def test_without_a_grant_nothing_is_told(client: TestClient, access: Access) -> None:
    write = access.new_token(["write"]).token
    for address in ("/api/questions", "/api/questions/records.search", "/api/tokens", "/api/people", "/api/me"):
        for headers in ({}, bearer("x"), {"authorization": "Basic !"}, {"cookie": f"{SESSION_COOKIE}=x"}):
            response = client.get(address, headers=headers)
            assert response.status_code == 401
            assert response.headers["www-authenticate"] == "Bearer"
            assert response.json()["error"]["code"] == "unauthorized"
        if address != "/api/me":
            assert client.get(address, headers=bearer(write)).status_code == 403
    assert client.get("/api/me", headers=bearer(write)).json() == {"project": "1", "reads": None, "scopes": ["write"]}


def test_read_is_not_admin_and_basic_takes_the_token_as_password(client: TestClient, access: Access) -> None:
    token = access.new_token(["read"]).token
    assert client.get("/api/questions", auth=("anybody", token)).status_code == 200
    assert client.get("/api/tokens", headers=bearer(token)).status_code == 403
    assert client.put("/api/people", content=b"user,team\na,b\n", headers=bearer(token)).status_code == 403


def test_a_read_token_of_a_project_reads_that_one_only(client: TestClient, store: MemoryStore, access: Access) -> None:
    store.add({"time": "2026-11-03", "project": "1"}, {"time": "2026-11-03", "project": "rigs"})
    token = bearer(access.new_token(["read"], "rigs").token)
    address = "/api/questions/records.search?from=2026-11-01&to=2026-12-01"
    assert [row["project"] for row in client.get(address, headers=token).json()["rows"]] == ["rigs"]
    assert client.get(f"{address}&project=1", headers=token).status_code == 403
    both = client.get(address, headers=bearer(access.new_token(["read"]).token)).json()["rows"]
    assert {row["project"] for row in both} == {"1", "rigs"}


def test_a_session_changes_nothing_from_elsewhere(client: TestClient, access: Access) -> None:
    cookie = access.redeem(access.create_code())
    client.cookies.set(SESSION_COOKIE, cookie or "")
    assert client.get("/api/tokens").status_code == 200
    for headers in ({}, {"origin": "http://evil.test"}, {"origin": "null"}):
        response = client.post("/api/tokens", json={"scopes": ["write"]}, headers=headers)
        assert (response.status_code, response.json()["error"]["where"]) == (403, "origin")
    assert client.post("/api/tokens", json={"scopes": ["write"]}, headers={"origin": "http://tellback.test"}).is_success


def test_tokens_come_and_go(client: TestClient, access: Access, admin: Mapping[str, str]) -> None:
    made = client.post("/api/tokens", json={"scopes": ["read"], "project": "rigs"}, headers=admin)
    assert made.status_code == 201
    token = made.json()["token"]
    assert token.isalnum()
    assert client.get("/api/me", headers=bearer(token)).json()["reads"] == "rigs"
    listed = client.get("/api/tokens", headers=admin)
    assert token not in listed.text
    assert [row["project"] for row in listed.json()["tokens"]] == ["", "rigs"]
    assert client.delete(f"/api/tokens/{made.json()['id']}", headers=admin).status_code == 204
    assert client.get("/api/me", headers=bearer(token)).status_code == 401
    for token_id in (made.json()["id"], "0", "x", "9" * 30, "²"):
        assert client.delete(f"/api/tokens/{token_id}", headers=admin).status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        b"", b"[]", b'{"scopes":[]}', b'{"scopes":["root"]}', b'{"scopes":["read"],"x":1}', b"\xff", b'{"scopes":1}',
        b'{"scopes":["read"],"project":""}',
    ],
)  # fmt: skip
def test_a_bad_order_for_a_token_is_named(client: TestClient, admin: Mapping[str, str], body: bytes) -> None:
    response = client.post("/api/tokens", content=body, headers=admin)
    assert (response.status_code, response.json()["error"]["where"]) == (400, "body")


def test_people_are_replaced_and_bad_lines_named(
    client: TestClient, decisions: Decisions, admin: Mapping[str, str]
) -> None:
    response = client.put("/api/people", content=b"user,team\nann,rig\n,fx\n", headers=admin)
    assert response.json() == {"imported": 1, "bad": [{"line": 3, "reason": "no user"}]}
    assert client.put("/api/people", content=b"", headers=admin).status_code == 400
    assert [person.user for person in directory.people(decisions)] == ["ann"]
    assert client.get("/api/people", headers=admin).json()["people"][0]["team"] == "rig"
    assert client.put("/api/people", content=b"x" * (17 << 20), headers=admin).status_code == 413


def test_a_wrong_method_or_path_is_answered_in_form(client: TestClient, read: Mapping[str, str]) -> None:
    assert client.post("/api/questions", headers=read).json()["error"]["code"] == "method_not_allowed"
    assert client.get("/api/nope", headers=read).json()["error"]["code"] == "not_found"


def test_the_description_has_every_question_and_resolves(client: TestClient) -> None:
    said = client.get("/api/openapi.json").json()
    assert {f"/api/questions/{name}" for name in catalogue()} <= set(said["paths"])
    text = client.get("/api/openapi.json").text
    assert "#/$defs" not in text
    names = [p["name"] for p in said["paths"]["/api/questions/adoption.active_users"]["get"]["parameters"]]
    assert {"from", "to", "service", "period", "limit", "cursor"} <= set(names)
    for part in ("Range", "Complete", "Error"):
        assert part in said["components"]["schemas"]


def test_metrics_are_prometheus_text(client: TestClient) -> None:
    response = client.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert response.text == (
        "# HELP tellback_records_total Records\\nby reason.\n# TYPE tellback_records_total counter\n"
        'tellback_records_total 1.5\ntellback_records_total{reason="a\\"b"} 3\n'
    )


def test_a_client_that_leaves_cancels_its_question(access: Access, decisions: Decisions) -> None:
    import asyncio

    from tellback.server.api import Api, routes

    started, ended = threading.Event(), threading.Event()

    async def slow(grant: object, name: str, given: object) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    token = access.new_token(["read"]).token
    route = next(r for r in routes(Api(slow, access, decisions, dict)) if r.path == "/api/questions/{name}")  # type: ignore[arg-type]
    sent = []

    async def visit() -> None:
        gone = asyncio.Event()

        async def receive() -> dict[str, object]:
            await gone.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": "GET", "path": "/api/questions/errors.top", "query_string": b"", "root_path": "",
            "headers": [(b"authorization", f"Bearer {token}".encode())], "path_params": {"name": "errors.top"},
        }  # fmt: skip
        task = asyncio.ensure_future(route.app(scope, receive, send))  # type: ignore[arg-type]
        while not started.is_set():
            await asyncio.sleep(0)
        gone.set()
        await task

    asyncio.run(visit())
    assert ended.is_set()
    assert sent[0]["status"] == 499
