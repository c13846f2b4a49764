"""Who comes in, who may order, and where a sign-in leads."""

import pytest
from fake_browser import Browser, signed_in
from made_up_firm import Firm

from tellback.server.web import SESSION_COOKIE


@pytest.mark.parametrize("path", ["/", "/adoption", "/records", "/settings", "/settings/people", "/records/ab/1"])
def test_nobody_sees_a_page_without_a_session(outside: Browser, path: str) -> None:
    page = outside(path)
    assert page.status_code == 303
    assert page.headers["location"].startswith("/sign-in")
    assert not page.text


def test_after_sign_in_one_is_where_one_wanted_to_be(outside: Browser) -> None:
    target = outside("/records?kind=error&user=a.001").headers["location"]
    assert "next=%2Frecords%3Fkind%3Derror%26user%3Da.001" in target
    assert 'value="/records?kind=error&amp;user=a.001"' in outside(target).text
    done = outside.post("/sign-in", data={"token": "read", "next": "/records?kind=error"})
    assert (done.status_code, done.headers["location"]) == (303, "/records?kind=error")
    assert outside("/records?kind=error").status_code == 200


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_sign_in_leads_to_no_other_site(outside: Browser, target: str) -> None:
    assert outside.post("/sign-in", data={"token": "read", "next": target}).headers["location"] == "/"


def test_a_part_sends_the_whole_window_to_sign_in(outside: Browser) -> None:
    part = outside("/panels/overview/errors", headers={"HX-Request": "true"})
    assert part.headers["hx-redirect"] == "/sign-in"


def test_a_link_works_once_and_its_cookie_is_for_the_server_alone(outside: Browser) -> None:
    done = outside("/sign-in/WELCOME1")
    assert done.headers["location"] == "/"
    cookie = done.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert outside("/").status_code == 200
    assert outside("/sign-in/WELCOME1").headers["location"] == "/", "this browser is in already"
    outside.cookies.clear()
    again = outside("/sign-in/WELCOME1")
    assert again.status_code == 403
    assert "has been used or is too old" in again.text


@pytest.mark.parametrize(("token", "words"), [("write", "does not open these pages"), ("", "Paste a token first")])
def test_a_token_that_opens_nothing_is_refused_in_words(outside: Browser, token: str, words: str) -> None:
    page = outside.post("/sign-in", data={"token": token})
    assert page.status_code == 403
    assert words in page.text
    assert SESSION_COOKIE not in outside.cookies


def test_sign_out_ends_the_session(browser: Browser) -> None:
    cookie = browser.cookies[SESSION_COOKIE]
    browser.post("/sign-out")
    browser.cookies[SESSION_COOKIE] = cookie
    assert browser("/").status_code == 303


@pytest.mark.parametrize("origin", ["https://evil.example", "http://tellback:9999", "null"])
@pytest.mark.parametrize(
    "path", ["/settings/tokens", "/settings/tokens/w71c/revoke", "/settings/people", "/sign-out", "/sign-in"]
)
def test_orders_from_other_sites_are_not_carried_out(browser: Browser, firm: Firm, origin: str, path: str) -> None:
    page = browser.post(path, data={"scope": "admin"}, headers={"Origin": origin})
    assert page.status_code == 403
    assert "another site" in page.text
    assert len(firm.tokens) == 3
    assert not firm.tokens[1].revoked


def test_an_admin_makes_and_revokes_tokens(browser: Browser, firm: Firm) -> None:
    page = browser.post(
        "/settings/tokens", data={"scope": "write", "project": "2"}, headers={"Origin": "http://tellback"}
    )
    assert "tb" + "7" * 30 in page.text
    assert "TELLBACK_URL=http://tellback" in page.text
    assert firm.tokens[-1].project == "2"
    assert "tb" + "7" * 30 not in browser("/settings").text, "shown once"
    assert browser.post("/settings/tokens/w71c/revoke").headers["location"] == "/settings"
    assert firm.tokens[1].revoked


def test_a_reader_sees_no_tokens_and_gives_no_orders(firm: Firm) -> None:
    reader = signed_in(firm, "read")
    page = reader("/settings").text
    assert "only an admin sees and makes tokens" in page
    assert "w71c" not in page
    assert reader.post("/settings/tokens", data={"scope": "admin"}).status_code == 403
    assert reader.post("/settings/tokens/w71c/revoke").status_code == 403
    assert reader.post("/settings/people", files={"file": ("p.csv", b"user,team\na,b\n")}).status_code == 403
    assert len(firm.tokens) == 3
    assert reader("/adoption").status_code == 200


def test_people_are_imported_and_bad_lines_are_named(browser: Browser) -> None:
    page = browser.post("/settings/people", files={"file": ("people.csv", b"user,team\nada,Rigging\nbob\n")}).text
    assert "1 person imported" in page
    assert "1 line could not be taken" in page
    assert "no team" in page
    refused = browser.post("/settings/people", files={"file": ("people.csv", b"who,what\n")})
    assert refused.status_code == 400
    assert "The first line must read user,team" in refused.text
    assert browser.post("/settings/people", data={}).status_code == 400
