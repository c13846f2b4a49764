import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tellback.server.access import Access, greeting, redact, secrets
from tellback.server.decisions import Decisions, open_decisions
from tellback.server.grant import ADMIN, READ, WRITE


@pytest.fixture
def access(decisions: Decisions, clock: Callable[[], int]) -> Access:
    return Access(decisions, clock=clock)


def test_a_token_is_letters_and_digits_and_kept_as_a_hash(access: Access, tmp_path: Path) -> None:
    made = access.new_token([WRITE])
    assert re.fullmatch(r"[A-Za-z0-9]{34}", made.token)
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert made.token.encode() not in kept
    assert secrets.digest(made.token).encode() in kept


def test_a_token_may_what_it_was_made_for(access: Access) -> None:
    write = access.authenticate(access.new_token([WRITE], "rigs").token)
    assert write is not None
    assert (write.project, write.scopes) == ("rigs", frozenset({WRITE}))
    assert write.may(WRITE)
    assert not write.may(READ)
    admin = access.authenticate(access.new_token([ADMIN], "rigs").token, "somebody")
    assert admin is not None
    assert admin.may(READ)
    assert not admin.may(WRITE)
    assert admin.reads is None
    both = access.authenticate(access.new_token([READ, WRITE]).token)
    assert both is not None
    assert (both.project, both.reads) == ("1", None)


@pytest.mark.parametrize("token", ["", "x", "ü", "\udcff", "a" * 10_000, "' OR 1=1"])
def test_what_is_no_token_is_nobody(access: Access, token: str) -> None:
    access.new_token([ADMIN])
    assert access.authenticate(token) is None
    assert access.sign_in(token) is None
    assert access.redeem(token) is None
    assert access.session(token) is None


@pytest.mark.parametrize(("scopes", "project"), [([], None), (["root"], None), (["read"], ""), (["read"], "x" * 201)])
def test_a_bad_order_makes_no_token(access: Access, scopes: list[str], project: str | None) -> None:
    with pytest.raises(ValueError, match=r"scopes|project"):
        access.new_token(scopes, project)
    assert access.list_tokens() == []


def test_a_revoked_token_ends_with_its_sessions(access: Access) -> None:
    made = access.new_token([READ], "rigs")
    cookie = access.sign_in(f" {made.token}\n")
    assert cookie is not None
    grant = access.session(cookie)
    assert grant is not None
    assert (grant.reads, grant.token_id) == ("rigs", made.id)
    assert access.revoke(made.id)
    assert not access.revoke(made.id)
    assert access.authenticate(made.token) is None
    assert access.session(cookie) is None
    assert access.sign_in(made.token) is None
    assert [(token.id, token.revoked is None) for token in access.list_tokens()] == [(made.id, False)]


def test_a_token_made_by_another_connection_counts_at_once(access: Access, tmp_path: Path) -> None:
    other = open_decisions(tmp_path, "")
    try:
        for _ in range(5):  # a poll falls between two of them at most
            assert access.authenticate("unknown") is None
            assert access.authenticate(Access(other).new_token([WRITE]).token)
    finally:
        other.close()


def test_what_another_process_decides_counts_within_a_second(access: Access, tmp_path: Path) -> None:
    kept = access.new_token([WRITE])
    assert access.authenticate(kept.token)
    code = (
        "import sys; from pathlib import Path; from tellback.server.decisions import open_decisions;"
        "from tellback.server.access import Access; a = Access(open_decisions(Path(sys.argv[1]), ''));"
        "print(a.revoke(sys.argv[2]), a.new_token(['read']).token)"
    )
    run = subprocess.run(
        [sys.executable, "-W", "ignore::ResourceWarning", "-c", code, str(tmp_path), kept.id],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    revoked, token = run.stdout.split()
    assert revoked == "True"
    deadline = time.monotonic() + 1
    while access.authenticate(kept.token) or not access.authenticate(token):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_link_signs_in_once(access: Access, clock: Callable[[], int]) -> None:
    code = access.create_code()
    clock.advance(3600)  # type: ignore[attr-defined]
    first = access.redeem(code)
    clock.advance(59)  # type: ignore[attr-defined]
    second = access.redeem(code)
    assert first
    assert second
    assert first != second
    clock.advance(1)  # type: ignore[attr-defined]
    assert access.redeem(code) is None
    grant = access.session(first)
    assert grant is not None
    assert grant.scopes == {ADMIN, READ}
    access.sign_out(first)
    assert access.session(first) is None
    assert access.session(second) is not None


def test_a_link_and_a_session_grow_old(access: Access, clock: Callable[[], int]) -> None:
    code, late = access.create_code(), access.create_code()
    clock.advance(24 * 3600 - 1)  # type: ignore[attr-defined]
    cookie = access.redeem(code)
    assert cookie
    clock.advance(1)  # type: ignore[attr-defined]
    assert access.redeem(late) is None
    clock.advance(30 * 24 * 3600 - 2)  # type: ignore[attr-defined]
    assert access.session(cookie)
    clock.advance(1)  # type: ignore[attr-defined]
    assert access.session(cookie) is None


def test_when_a_token_was_used_is_known_and_written_now_and_then(
    access: Access, decisions: Decisions, clock: Callable[[], int]
) -> None:
    made, other = access.new_token([WRITE]), access.new_token([WRITE])
    access.authenticate(made.token)
    assert [token.last_used for token in access.list_tokens()] == ["2027-01-15T08:00:00Z", None]
    access.keep_uses()
    clock.advance(9)  # type: ignore[attr-defined]
    access.authenticate(other.token)
    access.keep_uses()
    elsewhere = Access(decisions)
    assert [token.last_used for token in elsewhere.list_tokens()] == ["2027-01-15T08:00:00Z", None]
    clock.advance(1)  # type: ignore[attr-defined]
    access.keep_uses()
    assert [token.last_used for token in elsewhere.list_tokens()] == ["2027-01-15T08:00:00Z", "2027-01-15T08:00:09Z"]


def test_a_write_token_opens_no_pages(access: Access) -> None:
    assert access.sign_in(access.new_token([WRITE]).token) is None


def test_the_local_token_is_admin_and_gone_with_its_process(access: Access, decisions: Decisions) -> None:
    grant = access.authenticate(access.local_token)
    assert grant is not None
    assert grant.may(ADMIN)
    assert Access(decisions).authenticate(access.local_token) is None


def test_an_installation_greets_once(access: Access, decisions: Decisions) -> None:
    said = greeting(access, decisions, "http://127.0.0.1:8321/")
    assert said is not None
    link, token = re.findall(r"(?:link|token): (\S+)", said)
    assert link.startswith("http://127.0.0.1:8321/sign-in/")
    assert access.redeem(link.rpartition("/")[2])
    grant = access.authenticate(token)
    assert grant is not None
    assert grant.scopes == {WRITE}
    assert greeting(access, decisions, "http://127.0.0.1:8321/") is None


@given(st.sampled_from(["/mito/{}", "/mito/{}?user=x", "/inputs/{}/tag/a", "/sign-in/{}", "/a?b=/{}"]))
def test_secrets_in_paths_are_redacted(form: str) -> None:
    secret = secrets.make()
    redacted = redact(form.format(secret))
    assert secret not in redacted
    assert "[redacted]" in redacted


def test_other_paths_stay() -> None:
    path = "/api/questions/adoption.active_users/static/0123456789"
    assert redact(path) == path


def test_decisions_survive_being_opened_again(tmp_path: Path, decisions: Decisions) -> None:
    made = Access(decisions).new_token([READ])
    again = open_decisions(tmp_path, "")
    try:
        assert Access(again).authenticate(made.token)
    finally:
        again.close()
