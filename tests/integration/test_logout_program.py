# SPDX-License-Identifier: Apache-2.0
"""auth-logout by itself: every wrong input that a web server or a client can bring."""

import json
import re
import secrets

import pytest

import responder
import tokens
from responder import BROWSER, FORM, ORIGIN, cookies

DONE = {"message": "Successfully logged out", "detail": "Token has been invalidated"}
LOCAL_ONLY = {"message": "Logout completed", "detail": "Local session cleared (backend cleanup may have failed)"}
COOKIE = "__Host-auth"
HERE = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin"}
LINK = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}


@pytest.fixture(scope="module")
def programs():
    running = responder.Programs(processes=2, sections={
        'issuer "main"': {"cookie": "sso"}, 'issuer "second"': {
            "type": "jwt", "algorithms": "HS256", "secret": f"text:{tokens.OTHER_SECRET}",
            "iss": "https://second.example", "cookie": "__Secure-second"},
        "login": {"cookie": None}, "logout": {"return-to": "/bye", "cookies": "extra, legacy"}})
    yield running
    running.close()


def second(user="alice", **claims):
    return tokens.mint(user, key=tokens.OTHER_SECRET, iss="https://second.example", **claims)


def log_out(programs, token=None, headers=None, body=b"", content_type=None, target="/auth/logout"):
    headers = {"Accept": "application/json", **(headers or {})}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return programs.ask("logout", "POST", target, headers, body, content_type)


def said(answer):
    assert answer.status == 200, answer.raw
    return json.loads(answer.body)


def reason(programs, token):
    answer = programs.ask("login", "GET", "/auth/verify-token", {"Authorization": f"Bearer {token}"})
    return "good" if answer.status == 200 else json.loads(answer.body)["reason"]


def is_cleared(answer, name):
    value, attributes = cookies(answer)[name]
    return value == "" and attributes["max-age"] == "0"


def entries(programs):
    return programs.site.authctl("revocations", "list", "--json").stdout


# --- what is revoked, and what is said ---------------------------------------------

def test_bearer(programs):
    token, other = tokens.mint(), tokens.mint()
    answer = log_out(programs, token)
    assert said(answer) == DONE
    assert reason(programs, token) == "token_revoked" and reason(programs, other) == "good"
    assert said(log_out(programs, token)) == DONE


@pytest.mark.parametrize("name", [COOKIE, "sso", "__Secure-second", "extra", "legacy"])
def test_every_cookie_that_may_carry_a_token(programs, name):
    token = second() if name == "__Secure-second" else tokens.mint()
    answer = log_out(programs, headers={**HERE, "Cookie": f"a=b; {name}={token}; c=d"})
    assert said(answer) == DONE and is_cleared(answer, name)
    assert reason(programs, token) == "token_revoked"


def test_all_tokens_at_once(programs):
    held = [tokens.mint(), tokens.mint(), second(), second("bob")]
    jar = f"{COOKIE}={held[1]}; __Secure-second={held[2]}; legacy={held[3]}"
    assert said(log_out(programs, held[0], {**HERE, "Cookie": jar})) == DONE
    assert [reason(programs, token) for token in held] == ["token_revoked"] * 4


def test_two_cookies_of_one_name(programs):
    held = [tokens.mint(), tokens.mint()]
    answer = log_out(programs, headers={**HERE, "Cookie": f"sso={held[0]}; sso={held[1]}"})
    assert said(answer) == DONE
    assert [reason(programs, token) for token in held] == ["token_revoked"] * 2
    paths = {re.search("Path=([^;]*)", line)[1] for line in answer.all("Set-Cookie") if line.startswith("sso=;")}
    assert {"/", "/auth", "/auth/"} <= paths


def test_many_tokens_write_nothing(programs):
    """L6: a hundred thousand of nobody's, sixteen at a time."""
    before = entries(programs)
    header, payload, _ = tokens.mint().split(".")
    for _ in range(100_000 // 16):
        forged = secrets.token_urlsafe(32)[:43]
        jar = "; ".join(f"sso={header}.{payload}.{forged[:-2]}{a}{b}" for a in "ABCD" for b in "AEIM")
        answer = log_out(programs, headers={**HERE, "Cookie": jar})
        assert answer.status == 200
    assert entries(programs) == before


@pytest.mark.parametrize("kind", ["foreign", "tampered", "unsigned", "x", "a.b.c", "empty", "none", "basic"])
def test_nothing_to_invalidate(programs, kind):
    """The second answer: it claims no more than that the client's own session is cleared."""
    before = entries(programs)
    token = {"foreign": tokens.mint(key="k" * 40), "tampered": tokens.tampered(tokens.mint()),
             "unsigned": tokens.unsigned(), "x": "x", "a.b.c": "a.b.c", "empty": ""}.get(kind)
    answer = log_out(programs, token, {"Authorization": "Basic YTpi"} if kind == "basic" else None)
    assert said(answer) == LOCAL_ONLY and is_cleared(answer, COOKIE)
    answer = log_out(programs, headers={**HERE, "Cookie": f"sso={token or ''}"})
    assert said(answer) == LOCAL_ONLY
    assert entries(programs) == before


def test_broken_authorization(programs):
    token = tokens.mint()
    for header in (f"Bearer  {token}", f"Bearer\t{token}", f"Bearer {token}, Bearer {token}", f"Bearer{token}",
                   "Bearer"):
        assert said(log_out(programs, headers={"Authorization": header})) == LOCAL_ONLY
    assert reason(programs, token) == "good"


def test_many_cookies(programs):
    token = tokens.mint()
    jar = "; ".join([f"sso=junk{i}" for i in range(3)] + [f"c{i}=x" for i in range(500)] + [f"{COOKIE}={token}"])
    assert said(log_out(programs, headers={**HERE, "Cookie": jar})) == DONE
    assert reason(programs, token) == "token_revoked"


# --- cookies ---------------------------------------------------------------------------

def test_cleared_cookies(programs):
    answer = log_out(programs)
    cleared = cookies(answer)
    assert set(cleared) == {COOKIE, "sso", "__Secure-second", "extra", "legacy"}
    for name, (value, attributes) in cleared.items():
        assert value == "" and attributes["max-age"] == "0" and attributes["path"] == "/" and "httponly" in attributes
        assert "secure" in attributes


def test_chunks(programs):
    came = "sso.0=a; sso.1=b; sso.99=c; other.0=d; legacy.4=e; sso.100=f; sso.01=g; sso.x=h; sso.=i; sso.-1=j"
    answer = log_out(programs, headers={**HERE, "Cookie": came})
    assert set(cookies(answer)) == {COOKIE, "sso", "__Secure-second", "extra", "legacy", "sso.0", "sso.1", "sso.99",
                                    "legacy.4"}


def test_token_in_chunks_is_revoked(programs):
    token, other = tokens.mint("chunky"), tokens.mint("chunky")
    came = f"sso.1={token[100:]}; sso.0={token[:100]}; sso.x=y"
    assert said(log_out(programs, headers={**HERE, "Cookie": came})) == DONE
    assert (reason(programs, token), reason(programs, other)) == ("token_revoked", "good")


def test_many_chunks_and_the_way_back(programs):
    came = "; ".join(f"sso.{i}=x" for i in range(99, -1, -1))
    answer = log_out(programs, headers={**HERE, "Accept": "text/html", "Cookie": came})
    assert answer.status == 303 and answer.header("Location") == "/bye"
    assert {f"sso.{i}" for i in range(100)} <= set(cookies(answer))


def test_prefixed_cookies_are_secure_on_plain_http(programs):
    answer = programs.ask("logout", "POST", "/auth/logout", {"Accept": "application/json"}, HTTPS=None,
                          SERVER_PORT="80")
    cleared = cookies(answer)
    assert "secure" in cleared[COOKIE][1] and "secure" in cleared["__Secure-second"][1]
    assert "secure" not in cleared["sso"][1]


def test_login_cookie_with_domain_and_path(make_programs):
    programs = make_programs(sections={
        "login": {"cookie": "sso", "cookie-domain": "site.example", "cookie-path": "/app"}})
    attributes = cookies(log_out(programs))["sso"][1]
    assert (attributes["domain"], attributes["path"]) == ("site.example", "/app")


# --- everywhere ---------------------------------------------------------------------------

@pytest.mark.parametrize("how", ["json", "form", "query"])
def test_everywhere(programs, how):
    user = f"user-{how}"
    first, other, elsewhere = tokens.mint(user), tokens.mint(user), tokens.mint("somebody")
    body, kind, target = {"json": (b'{"everywhere":true}', "application/json", "/auth/logout"),
                          "form": (b"all=1", FORM, "/auth/logout"), "query": (b"", None, "/auth/logout?all=1")}[how]
    assert said(log_out(programs, first, None, body, kind, target)) == DONE
    found = [reason(programs, token) for token in (first, other, elsewhere)]
    assert found == ["token_revoked", "token_revoked", "good"]


@pytest.mark.parametrize("body", [b'{"everywhere":false}', b"{}", b'{"all":1}', b'{"every":true}'])
def test_not_everywhere(programs, body):
    first, other = tokens.mint("only-one"), tokens.mint("only-one")
    assert said(log_out(programs, first, None, body, "application/json")) == DONE
    assert reason(programs, other) == "good"


@pytest.mark.parametrize("kind", ["expired", "revoked", "tampered"])
def test_everywhere_needs_a_good_token(programs, kind):
    user = f"target-{kind}"
    other = tokens.mint(user)
    token = tokens.mint(user, lifetime=-60 if kind == "expired" else 600)
    if kind == "revoked":
        log_out(programs, token)
    if kind == "tampered":
        token = token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")
    log_out(programs, token, None, b'{"everywhere":true}', "application/json")
    assert reason(programs, other) == "good"


# --- who may ask ------------------------------------------------------------------------------

FOREIGN = [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"},
           {"Sec-Fetch-Site": "same-site"}, {"Sec-Fetch-Site": "none"},
           {"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"},
           {"Origin": "http://site.example"}, {"Origin": "https://site.example.evil.example"}]


@pytest.mark.parametrize("headers", FOREIGN)
@pytest.mark.parametrize("body, content_type", [(b"", None), (b"all=1", FORM), (b"{}", "application/json")])
def test_cross_site_post_does_nothing(programs, headers, body, content_type):
    token = tokens.mint()
    answer = log_out(programs, headers={**headers, "Cookie": f"sso={token}"}, body=body, content_type=content_type)
    assert answer.status == 403 and json.loads(answer.body)["reason"] == "cross_site"
    assert not answer.all("Set-Cookie") and reason(programs, token) == "good"


@pytest.mark.parametrize("headers", FOREIGN)
def test_cross_site_get_does_nothing(programs, headers):
    token = tokens.mint()
    for more in ({"Sec-Fetch-Mode": "navigate", "Accept": "text/html"}, {"Sec-Fetch-Mode": "no-cors"}, {}):
        answer = programs.ask("logout", "GET", "/auth/logout", {**headers, **more, "Cookie": f"sso={token}"})
        assert answer.status in (200, 403)
        assert not any(line.startswith("sso=") for line in answer.all("Set-Cookie"))
    assert reason(programs, token) == "good"


def test_form_with_cookies_needs_its_token(programs):
    token = tokens.mint()
    jar = f"sso={token}"
    page = programs.ask("logout", "GET", "/auth/logout", {"Cookie": jar, "Accept": "text/html"})
    csrf = responder.Fields(page.body.decode()).fields["csrf"]
    jar = f"{jar}; " + page.header("Set-Cookie").split(";")[0]
    for body in (b"", b"csrf=", b"csrf=x", f"csrf={csrf}&csrf={csrf}".encode()):
        answer = log_out(programs, headers={"Cookie": jar}, body=body, content_type=FORM)
        assert answer.status == 403 and not answer.all("Set-Cookie")
    good = f"csrf={csrf}".encode()
    assert log_out(programs, headers={"Cookie": f"sso={token}"}, body=good, content_type=FORM).status == 403
    assert reason(programs, token) == "good"
    assert said(log_out(programs, headers={"Cookie": jar}, body=good, content_type=FORM)) == DONE
    assert reason(programs, token) == "token_revoked"


def test_program_with_a_cookie_jar(programs):
    token = tokens.mint()
    assert said(log_out(programs, headers={"Cookie": f"sso={token}"})) == DONE
    assert reason(programs, token) == "token_revoked"


# --- browsers ------------------------------------------------------------------------------------

def test_button(programs):
    token = tokens.mint()
    page = programs.ask("logout", "GET", "/auth/logout", {"Cookie": f"sso={token}", "Accept": "text/html"})
    text = page.body.decode()
    assert page.status == 200 and '<button type="submit"' in text and 'method="post"' in text
    assert "frame-ancestors 'none'" in page.header("Content-Security-Policy")
    assert reason(programs, token) == "good"
    everywhere = programs.ask("logout", "GET", "/auth/logout?all=1", {"Accept": "text/html"})
    assert b"all your devices" in everywhere.body


def test_form_of_a_browser(programs):
    token = tokens.mint()
    answer = log_out(programs, headers={**BROWSER, "Cookie": f"sso={token}"}, body=b"csrf=whatever", content_type=FORM)
    assert answer.status == 303 and answer.header("Location") == "/bye"
    assert is_cleared(answer, "sso") and reason(programs, token) == "token_revoked"


def test_link_on_a_page_of_this_site(programs):
    token = tokens.mint()
    answer = programs.ask("logout", "GET", "/auth/logout", {**LINK, "Cookie": f"sso={token}"})
    assert answer.status == 303 and answer.header("Location") == "/bye" and is_cleared(answer, "sso")
    assert reason(programs, token) == "token_revoked"


@pytest.mark.parametrize("method, headers", [
    ("HEAD", LINK), ("GET", {**LINK, "Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}),
    ("GET", {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}), ("GET", {"Accept": "text/html"}), ("GET", {})])
def test_get_that_is_no_deliberate_click(programs, method, headers):
    token = tokens.mint()
    answer = programs.ask("logout", method, "/auth/logout", {**headers, "Cookie": f"sso={token}"})
    assert answer.status == 200 and reason(programs, token) == "good"


@pytest.mark.parametrize("target", ["/auth/logout", "/auth/signout", "/logout.fcgi", "/", "//evil.example/x", "/a/b/"])
def test_mounted_anywhere(programs, target):
    token = tokens.mint()
    more = {"success": True} if target == "/auth/signout" else {}
    assert said(log_out(programs, token, target=target)) == DONE | more
    page = programs.ask("logout", "GET", target, {"Accept": "text/html"})
    assert page.status == 200 and b"evil.example" not in page.body


# --- wrong input ---------------------------------------------------------------------------------

@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "post", "TRACE"])
def test_wrong_method(programs, method):
    token = tokens.mint()
    answer = programs.ask("logout", method, "/auth/logout", {"Authorization": f"Bearer {token}"})
    assert answer.status == 405 and answer.header("Allow") == "GET, HEAD, POST, OPTIONS"
    assert reason(programs, token) == "good"


@pytest.mark.parametrize("content_type", ["text/plain", "multipart/form-data; boundary=x", "application/jsonx", "x"])
def test_wrong_type(programs, content_type):
    token = tokens.mint()
    answer = log_out(programs, token, None, b'{"everywhere":true}', content_type)
    assert answer.status == 415 and reason(programs, token) == "good"
    assert log_out(programs, token, None, b"{}", None).status == 415


@pytest.mark.parametrize("body", [b"{", b"[]", b"null", b"true", b'{"everywhere":1}', b'{"everywhere":"true"}',
                                  b'{"everywhere":null}', b'{"everywhere":true,"everywhere":true}', b"{} x", b"\xff",
                                  b"[" * 1000])
def test_broken_json(programs, body):
    token = tokens.mint()
    answer = log_out(programs, token, None, body, "application/json")
    assert answer.status == 400 and json.loads(answer.body)["reason"] == "bad_request"
    assert reason(programs, token) == "good"


def test_huge_body(programs):
    assert log_out(programs, tokens.mint(), None, b"x" * 70000, FORM).status == 413


@pytest.mark.parametrize("query", ["?", "?&", "?=", "?all", "?all=", "?all=0", "?all=1&all=1", "?all=%zz"])
def test_odd_queries(programs, query):
    first, other = tokens.mint("odd"), tokens.mint("odd")
    assert said(log_out(programs, first, target="/auth/logout" + query)) == DONE
    assert reason(programs, other) == "good"


# --- logs and trouble ---------------------------------------------------------------------------

def test_log(programs):
    token = tokens.mint("logged-user")
    log_out(programs, token)
    log = programs.site.log_text("logout")
    line, = [line for line in log.splitlines() if "event=logout " in line and "logged-user" in line]
    assert line.index("client=203.0.113.9") < line.index("status=200") and line.rstrip().endswith('user="logged-user"')
    assert token not in log and token.split(".")[2] not in log


@pytest.fixture
def make_programs():
    made = []

    def make(**how):
        made.append(responder.Programs(**how))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_return_to_another_site(make_programs):
    programs = make_programs(sections={"logout": {"return-to": "https://www.example/bye"}})
    answer = programs.ask("logout", "GET", "/auth/logout", LINK)
    assert answer.status == 303 and answer.header("Location") == "https://www.example/bye"
    page = programs.ask("logout", "GET", "/auth/logout", {"Accept": "text/html"})
    assert "form-action 'self' https://www.example;" in page.header("Content-Security-Policy") + ";"
