# SPDX-License-Identifier: Apache-2.0
"""What a logout leaves in a browser: no cookie that may carry a session, whoever set it."""

import json

import pytest

import responder
import tokens
from responder import HOST, ORIGIN

HERE = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "Accept": "application/json"}
LINK = {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "navigate", "Accept": "text/html"}
SECRET = f"text:{tokens.SECRET}"


@pytest.fixture(scope="module")
def programs():
    running = responder.Programs(sections={
        'issuer "main"': {"cookie": "sso"},
        'issuer "next"': {"type": "nextauth", "secret": SECRET},
        'issuer "authjs"': {"type": "authjs", "secret": SECRET, "cookie": "__Secure-authjs.session-token"},
        'issuer "better"': {"type": "better-auth", "secret": SECRET},
        'issuer "clerk"': {"type": "jwt", "algorithms": "HS512", "secret": SECRET, "iss": "https://clerk.example",
                           "cookie": "__session"},
        "login": {"cookie": None, "issuer": "main", "password-cost": "4"},
        "logout": {"return-to": "/bye", "cookies": "legacy", "clear": "cache, storage"}})
    yield running
    running.close()


class Jar:
    """Keeps cookies as RFC 6265 section 5.3 does: by name, domain (or host alone) and path."""

    def __init__(self, *lines):
        self.cookies = {}
        for line in lines:
            self.take(line)

    def take(self, line):
        first, *rest = (part.strip() for part in line.split(";"))
        name, _, value = first.partition("=")
        attributes = {key.lower(): text for key, _, text in (part.partition("=") for part in rest)}
        domain = attributes.get("domain", "").lstrip(".")
        if name.startswith("__Host-"):
            assert not domain and attributes["path"] == "/" and "secure" in attributes, line
        assert not name.startswith("__Secure-") or "secure" in attributes, line
        if domain and not (HOST == domain or HOST.endswith("." + domain)):
            return
        key = (name, domain, attributes.get("path", "/"))
        self.cookies.pop(key, None)
        if attributes.get("max-age") != "0":
            self.cookies[key] = value

    @property
    def header(self):
        return "; ".join(f"{key[0]}={value}" for key, value in self.cookies.items())


def log_out(programs, jar, headers=HERE, target="/auth/logout"):
    answer = programs.ask("logout", "POST", target, {**headers, "Cookie": jar.header})
    assert answer.status in (200, 303)
    for line in answer.all("Set-Cookie"):
        jar.take(line)
    return answer


SET = "Path=/; HttpOnly; Secure; SameSite=Lax"


@pytest.mark.parametrize("lines", [
    # ours, as it is configured, as it may have been before, and planted beside it
    ["__Host-auth=x; {}"], ["auth=x; {}"], ["__Secure-auth=x; {}"], ["auth=x; Domain=site.example; {}"],
    ["__Secure-auth=x; Domain=site.example; {}"],
    # an issuer's
    ["sso=x; {}"], ["sso=x; Domain=site.example; {}"], ["sso=x; {}", "sso=y; Domain=site.example; {}"],
    ["sso=x; Path=/auth; Secure", "sso=y; {}"], ["__Host-sso=x; {}"],
    # of [logout] cookies
    ["legacy=x; {}"], ["legacy.0=x; {}", "legacy.1=y; {}"], ["__Secure-legacy=x; Domain=site.example; {}"],
    # NextAuth and Auth.js: on http and https, in chunks, and what is beside it
    ["next-auth.session-token=x; {}"], ["__Secure-next-auth.session-token=x; {}"],
    ["__Secure-next-auth.session-token.0=x; {}", "__Secure-next-auth.session-token.1=y; {}"],
    ["next-auth.session-token.0=x; Domain=site.example; {}", "next-auth.session-token.1=y; Domain=site.example; {}"],
    ["__Host-next-auth.csrf-token=x; {}", "__Secure-next-auth.callback-url=y; {}"], ["next-auth.csrf-token=x; {}"],
    ["authjs.session-token=x; {}"], ["authjs.session-token.0=x; {}", "authjs.session-token.10=y; {}"],
    ["__Secure-authjs.session-token.0=x; {}"], ["__Host-authjs.csrf-token=x; {}", "authjs.callback-url=y; {}"],
    # Better Auth
    ["better-auth.session_token=x.y; {}", "better-auth.session_data=z; {}", "better-auth.dont_remember=1; {}"],
    ["__Secure-better-auth.session_token=x.y; Domain=site.example; {}",
     "__Secure-better-auth.session_data.0=z; Domain=site.example; {}",
     "__Secure-better-auth.dont_remember=1; Domain=site.example; {}", "__Secure-better-auth.account_data=1; {}"],
    # Clerk
    ["__session=x; {}"], ["__session=x; {}", "__session_1a2B3c4D=x; {}", "__client_uat=1; {}",
                          "__client_uat_1a2B3c4D=1; Domain=site.example; {}"],
])
def test_nothing_is_left(programs, lines):
    jar = Jar(*(line.replace("{}", SET) for line in lines))
    assert jar.cookies
    log_out(programs, jar)
    assert not jar.cookies


def test_other_cookies_stay(programs):
    """Names that only look alike are another application's."""
    names = ["theme", "ssox", "xsso", "auth2", "my-auth", "next-auth.session-token-x", "authjs.session-token.x",
             "other.session-token", "better-auth.state", "session", "__sessions", "sso.", "sso.x", "legacy.01x"]
    jar = Jar(*(f"{name}=1; {SET}" for name in names))
    log_out(programs, jar)
    assert sorted(key[0] for key in jar.cookies) == sorted(names)


def test_the_answer_stays_small(programs):
    """A sibling site that plants cookies by the hundred keeps nobody from being logged out."""
    token = tokens.mint()
    jar = Jar(f"sso={token}; {SET}", *(f"legacy.{i}=x; {SET}" for i in range(100)),
              *(f"__session_{i}=x; {SET}" for i in range(300)))
    answer = log_out(programs, jar)
    assert json.loads(answer.body)["message"] == "Successfully logged out" and not programs.is_good(token)
    assert len(answer.raw) < 16 << 10
    assert not [key for key in jar.cookies if key[0] in ("sso", "legacy.0", "legacy.50")]


def test_whole_life_of_our_own_cookie(programs):
    """Set by a login, sent back, deleted by the same attributes, in one of several configurations."""
    answer = programs.log_in("frida", programs.site.add_user("frida"))
    jar = Jar(*(line for line in answer.all("Set-Cookie") if line.startswith("__Host-auth=")))
    assert len(jar.cookies) == 1
    log_out(programs, jar)
    assert not jar.cookies


# --- further headers, and where it leads ---------------------------------------------------

def test_clear_site_data(programs):
    answer = log_out(programs, Jar())
    assert answer.header("Clear-Site-Data") == '"cache", "storage"'
    plain = programs.ask("logout", "POST", "/auth/logout", {"Accept": "application/json"}, HTTPS=None,
                         SERVER_PORT="80")
    assert plain.status == 200 and plain.header("Clear-Site-Data") is None


@pytest.mark.parametrize("back, leads", [
    ("/wiki/start?x=1", "/wiki/start?x=1"), ("https://evil.example/", "/bye"), ("//evil.example", "/bye"), ("", "/bye"),
    ("/auth/login?rd=/members/", "/auth/login?rd=/members/"), ("javascript:alert(1)", "/bye")])
def test_where_it_leads(programs, back, leads):
    query = responder.urllib.parse.urlencode({"rd": back})
    answer = programs.ask("logout", "GET", f"/auth/logout?{query}", LINK)
    assert answer.status == 303 and answer.header("Location") == leads
    answer = programs.ask("logout", "POST", "/auth/logout", responder.BROWSER, query.encode(), responder.FORM)
    assert answer.status == 303 and answer.header("Location") == leads


@pytest.mark.parametrize("target, login", [
    ("/auth/logout/signed-out", "/auth/login"), ("/bye/signed-out", "/login"), ("/signed-out", "/login")])
def test_signed_out_page(programs, target, login):
    page = programs.ask("logout", "GET", target, {"Accept": "text/html"})
    assert page.status == 200 and f'href="{login}"'.encode() in page.body and not page.all("Set-Cookie")
    assert page.header("Cache-Control") == "no-store"
    for method in ("POST", "PUT"):
        refused = programs.ask("logout", method, target, HERE)
        assert refused.status == 405 and refused.header("Allow") == "GET, HEAD, OPTIONS"


# --- all others --------------------------------------------------------------------------------

def others(programs, token, body=b'{"others":true}', **headers):
    return programs.ask("logout", "POST", "/auth/logout",
                        {"Accept": "application/json", "Authorization": f"Bearer {token}", **headers}, body,
                        "application/json")


def test_all_others(programs):
    password = programs.site.add_user("olga")
    held = [programs.token("olga", password) for _ in range(3)]
    answer = others(programs, held[0])
    assert answer.status == 200 and not answer.all("Set-Cookie")
    fresh = json.loads(answer.body)["token"]
    assert [programs.is_good(token) for token in (*held, fresh)] == [False, False, False, True]


def test_all_others_by_a_form(programs):
    password = programs.site.add_user("otto")
    held = [programs.token("otto", password) for _ in range(2)]
    answer = programs.ask("logout", "POST", "/auth/logout", {**responder.BROWSER, "Cookie": f"__Host-auth={held[0]}"},
                          b"others=1", responder.FORM)
    assert answer.status == 303 and answer.header("Location") == "/bye"
    fresh = responder.cookies(answer)["__Host-auth"][0]
    assert [programs.is_good(token) for token in (*held, fresh)] == [False, False, True]


def test_all_others_where_nothing_can_go_on(programs):
    """A foreign token, or a user without an account here: refused, and nobody is logged out."""
    foreign = tokens.mint("zoe", iss="https://clerk.example", algorithm="HS512", sid="s1")
    for token in (foreign, tokens.mint("zoe")):
        answer = others(programs, token)
        assert answer.status == 409 and "log out everywhere" in json.loads(answer.body)["detail"]
        assert programs.is_good(token)
    assert others(programs, "x").status == 401


@pytest.mark.parametrize("body", [b'{"others":1}', b'{"others":true,"everywhere":true}', b'{"others":"true"}'])
def test_wrong_wishes(programs, body):
    token = tokens.mint()
    assert others(programs, token, body).status == 400 and programs.is_good(token)
