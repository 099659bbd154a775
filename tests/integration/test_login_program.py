# SPDX-License-Identifier: Apache-2.0
"""auth-login-proxy by itself: every wrong input that a web server or a client can bring."""

import base64
import hashlib
import json
import re
import urllib.parse

import pytest

import responder
import tokens
from responder import BROWSER, FORM, ORIGIN, cookies

COOKIE = "__Host-auth"
ALLOWED = "https://wiki.example"


@pytest.fixture(scope="module")
def programs():
    running = responder.Programs(processes=2, sections={
        "login": {"cookie": None, "return-origins": ALLOWED, "title": "The <Site> & \"more\""}})
    yield running
    running.close()


@pytest.fixture(scope="module")
def account(programs):
    return "carol", programs.site.add_user("carol")


def body_of(answer):
    return json.loads(answer.body)


# --- routes and methods ---------------------------------------------------------

@pytest.mark.parametrize("target", [
    "/auth/nothing", "/auth/", "/", "/auth/login/more", "/auth/LOGIN", "/auth/login.php", "/login%00", "/auth/login;x"])
def test_unknown_route(programs, target):
    answer = programs.ask("login", "GET", target)
    assert answer.status in (400, 404)
    assert body_of(answer)["reason"] in ("bad_request", "not_found")


@pytest.mark.parametrize("method, target, allow", [
    ("PUT", "/auth/login", "GET, HEAD, POST"), ("DELETE", "/auth/signin", "GET, HEAD, POST"),
    ("TRACE", "/auth/login", "GET, HEAD, POST"),
    ("get", "/auth/login", "GET, HEAD, POST"), ("POST", "/auth/profile", "GET, HEAD"),
    ("POST", "/auth/verify-token", "GET, HEAD"), ("GET", "/auth/resume", "POST"),
    ("HEAD", "/auth/resume", "POST"), ("POST", "/auth/health", "GET, HEAD")])
def test_wrong_method(programs, method, target, allow):
    answer = programs.ask("login", method, target)
    assert answer.status == 405
    assert answer.header("Allow") == allow + ", OPTIONS"
    assert method == "HEAD" or body_of(answer)["reason"] == "method_not_allowed"
    assert not answer.all("Set-Cookie")


@pytest.mark.parametrize("script, info", [
    ("/auth/login", ""), ("/auth", "/login"), ("", "/auth/login"), ("/fcgi/auth.fcgi", "/login"), (None, None),
    ("/x", "/logout")])
def test_route_is_found_whatever_the_server_calls_it(programs, script, info):
    answer = programs.ask("login", "GET", "/auth/login", SCRIPT_NAME=script, PATH_INFO=info)
    assert answer.status == 200 and b'name="password"' in answer.body


@pytest.mark.parametrize("target", ["/login", "/auth/login/", "/auth//login", "/auth/x/../login", "/auth/%6cogin",
                                    "/auth/signin", "/auth/login?", "/auth/login?&", "/auth/login?=", "/auth/login?rd"])
def test_ways_to_write_the_route(programs, target):
    assert programs.ask("login", "GET", target).status == 200


@pytest.mark.parametrize("target", ["/auth/login", "/auth/health", "/auth/profile", "/auth/nothing"])
def test_head_is_get_without_body(programs, target):
    head, get = (programs.ask("login", method, target) for method in ("HEAD", "GET"))
    assert head.status == get.status
    assert head.body == b"" and get.body
    assert head.header("Content-Length") == str(len(get.body))


def test_form_never_leads_to_another_host(programs):
    """The request path "//evil.example/login" must not become the form's address."""
    answer = programs.ask("login", "GET", "//evil.example/login", {"Accept": "text/html"})
    assert answer.status == 200 and b"//evil.example" not in answer.body
    refused = programs.ask("login", "GET", "//evil.example/profile", {"Accept": "text/html"})
    assert b'href="//' not in refused.body


# --- the page --------------------------------------------------------------------

def test_page(programs):
    answer = programs.ask("login", "GET", "/auth/login?rd=/wiki/%3Fa%3D1", {"Accept": "text/html"})
    text = answer.body.decode()
    form = responder.Fields(text)
    assert form.fields["rd"] == "/wiki/?a=1"
    assert form.attributes["username"]["autocomplete"] == "username" and "autofocus" in form.attributes["username"]
    assert form.attributes["password"]["autocomplete"] == "current-password"
    assert 'method="post"' in text and 'lang="en"' in text and "viewport" in text and "<script" not in text
    assert text.count("<label for=") == 2
    assert "<title>Sign in – The &lt;Site&gt; &amp; &quot;more&quot;</title>" in text
    assert answer.header("Cache-Control") == "no-store"
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Referrer-Policy") == "same-origin"


def test_content_security_policy(programs):
    answer = programs.ask("login", "GET", "/auth/login", {"Accept": "text/html"})
    styles = re.findall(rb"<style>(.*?)</style>", answer.body, re.S)
    hashes = [base64.b64encode(hashlib.sha256(style).digest()).decode() for style in styles]
    policy = dict(part.strip().split(" ", 1) for part in answer.header("Content-Security-Policy").split(";"))
    assert policy == {"default-src": "'none'", "style-src": " ".join(f"'sha256-{h}'" for h in hashes),
                      "base-uri": "'none'", "frame-ancestors": "'none'", "form-action": f"'self' {ALLOWED}"}
    assert b" style=" not in answer.body


def test_page_escapes(programs):
    evil = "/x\"'><b>&amp;"
    answer = programs.ask("login", "GET", "/auth/login?rd=" + urllib.parse.quote(evil), {"Accept": "text/html"})
    assert b"<b>" not in answer.body
    assert responder.Fields(answer.body.decode()).fields.get("rd", evil) == evil
    fields, jar = programs.page()
    fields.update(username="\"'><b>&amp;\x01", password="x")
    answer = programs.send_form(fields, jar)
    assert answer.status == 401 and b"<b>" not in answer.body
    assert responder.Fields(answer.body.decode()).fields["username"] == fields["username"]


def test_form_token_cookie(programs):
    answer = programs.ask("login", "GET", "/auth/login")
    (name, (_, attributes)), = cookies(answer).items()
    assert name == "__Host-auth-csrf"
    assert {"secure", "httponly"} <= set(attributes) and attributes["path"] == "/"
    assert attributes["samesite"] == "Lax" and 600 <= int(attributes["max-age"]) <= 1800
    plain = programs.ask("login", "GET", "/auth/login", HTTPS=None, SERVER_PORT="80")
    (name, (_, attributes)), = cookies(plain).items()
    assert name == "auth-csrf" and "secure" not in attributes


# --- success ------------------------------------------------------------------------

def test_form_login(programs, account):
    answer = programs.log_in(*account, back="/wiki/?a=1&b=2")
    assert answer.status == 303 and answer.header("Location") == "/wiki/?a=1&b=2"
    value, attributes = cookies(answer)[COOKIE]
    assert {"secure", "httponly"} <= set(attributes) and "domain" not in attributes
    assert (attributes["samesite"], attributes["path"], attributes["max-age"]) == ("Lax", "/", "3600")
    assert set(cookies(answer)) == {COOKIE, responder.SIGNED_IN} and len(answer.all("Set-Cookie")) == 2
    assert programs.is_good(value)


def test_login_by_email(programs, account):
    assert programs.log_in("Carol@example.org", account[1]).status == 303


def test_json_login(programs, account):
    answer = programs.post_json("login", "/auth/login", {"username": account[0], "password": account[1]})
    said = body_of(answer)
    assert answer.status == 200 and set(said) == {"success", "message", "token", "user", "data"}
    assert said["user"]["id"] == account[0] and said["user"]["email"] == "carol@example.org"
    assert set(said["user"]) == {"id", "email", "name"}
    assert not answer.all("Set-Cookie")  # no browser
    assert programs.is_good(said["token"])


def test_json_login_of_a_page(programs, account):
    headers = {"Origin": ORIGIN, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    answer = programs.post_json("login", "/auth/login", {"email": "carol@example.org", "password": account[1]}, headers)
    assert answer.status == 200
    assert cookies(answer)[COOKIE][0] == body_of(answer)["token"]


def test_tokens_differ(programs, account):
    assert len({programs.token(*account) for _ in range(2)}) == 2


def test_what_a_token_says(programs):
    password = programs.site.add_user("rosa", "--role", "admin", "--role", "editor")
    token = programs.token("rosa", password)
    payload = token.split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    assert claims["sub"] == "rosa" and claims["email"] == "rosa@example.org"
    assert claims["roles"] == ["admin", "editor"]
    assert claims["exp"] - claims["iat"] == 3600 and len(claims["jti"]) >= 22
    bearer = {"Authorization": f"Bearer {token}"}
    profile = body_of(programs.ask("login", "GET", "/auth/profile", bearer))
    assert profile["claims"] == claims and "exp" not in profile
    assert (profile["id"], profile["email"], profile["roles"]) == ("rosa", "rosa@example.org", ["admin", "editor"])
    verified = body_of(programs.ask("login", "GET", "/auth/verify-token", bearer))
    assert verified["valid"] is True
    assert verified["user"]["id"] == "rosa" and verified["user"]["roles"] == ["admin", "editor"]
    assert not {"exp", "iat", "jti", "iss", "sub"} & set(verified["user"])


def test_health(programs):
    answer = programs.ask("login", "GET", "/auth/health")
    assert answer.status == 200 and body_of(answer) == {"status": "ok"}


# --- bodies -----------------------------------------------------------------------------

@pytest.mark.parametrize("content_type", [
    None, "", "text/plain", "multipart/form-data; boundary=x", "application/jsonx", "text/json", "application/xml",
    "application/x-www-form-urlencoded2", "application", "*/*", "application/json, text/plain"])
def test_wrong_content_type(programs, account, content_type):
    body = json.dumps({"username": account[0], "password": account[1]}).encode()
    answer = programs.ask("login", "POST", "/auth/login", {}, body, content_type)
    assert answer.status == 415 and not answer.all("Set-Cookie")


@pytest.mark.parametrize("content_type", [
    "application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"])
def test_content_type_with_parameters(programs, account, content_type):
    body = json.dumps({"username": account[0], "password": account[1]}).encode()
    assert programs.ask("login", "POST", "/auth/login", {}, body, content_type).status == 200


@pytest.mark.parametrize("body", [
    b"", b"{", b"[]", b'"x"', b"null", b"1", b"{}", b'{"username":1,"password":"x"}', b'{"username":"a","password":2}',
    b'{"username":null,"password":"x"}', b'{"username":["carol"],"password":"x"}', b'{"username":"carol"}',
    b'{"password":"x"}', b'{"username":"","password":"x"}', b'{"username":"carol","password":""}',
    b'{"username":"carol","username":"root","password":"x"}', b'{"username":"carol","password":"x","password":"y"}',
    b'{"username":"carol","u\\u0073ername":"root","password":"x"}', b'{"username":"carol","email":"c","password":"x"}',
    b'{"username":"carol","password":"x"} trailing', b'{"username":"carol","password":"x"}{}', b"\xef\xbb\xbf{}",
    b'{"username":"carol","password":"\xff"}', b'{"username":"carol","password":"\\u0000"}',
    b'{"username":"carol","password":"\\ud800"}', b'{"username":"carol",}', b"{'username':'carol'}", b"[" * 5000,
    b'{"a":' * 20 + b"1" + b"}" * 20])
def test_broken_json(programs, account, body):
    answer = programs.ask("login", "POST", "/auth/login", {}, body, "application/json")
    assert answer.status == 400
    assert body_of(answer)["reason"] == "bad_request" and not answer.all("Set-Cookie")


def test_huge_body(programs):
    for content_type in (FORM, "application/json"):
        answer = programs.ask("login", "POST", "/auth/login", {}, b"x" * 70000, content_type)
        assert answer.status == 413 and not answer.all("Set-Cookie")
    largest = programs.ask("login", "POST", "/auth/login", {}, b" " * 65536, "application/json")
    assert largest.status == 400


def test_many_fields(programs, account):
    fields, jar = programs.page()
    fields.update(username=account[0], password=account[1])
    body = urllib.parse.urlencode(fields).encode() + b"&x=y" * 15000
    assert programs.send_form(body, jar).status == 303


@pytest.mark.parametrize("twice", ["username", "password", "csrf"])
def test_duplicate_fields(programs, account, twice):
    fields, jar = programs.page()
    fields.update(username=account[0], password=account[1])
    answer = programs.send_form([*fields.items(), (twice, fields[twice])], jar)
    assert answer.status == (403 if twice == "csrf" else 400)
    assert COOKIE not in cookies(answer)


def test_duplicate_return_address(programs, account):
    fields, jar = programs.page()
    fields.update(username=account[0], password=account[1])
    answer = programs.send_form([*fields.items(), ("rd", "/a"), ("rd", "/b")], jar)
    assert answer.status == 303 and answer.header("Location") == "/"


@pytest.mark.parametrize("body", [b"", b"&", b"=", b"&&&", b"%", b"%zz=%zz", b"csrf=%", b"username=%00&password=%00",
                                  b"\x00", b"\xff=\xff", b"username", b"csrf&username&password"])
def test_odd_forms(programs, body):
    _, jar = programs.page()
    answer = programs.send_form(body, jar)
    assert answer.status == 403 and not answer.all("Set-Cookie")


# --- L2: forms of other sites --------------------------------------------------------------

@pytest.mark.parametrize("headers", [
    {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"},
    {"Origin": "null"}, {"Origin": "http://site.example"}, {"Origin": "https://site.example:8443"},
    {"Origin": "https://site.example.evil.example"}, {"Origin": "https://evilsite.example"},
    {"Origin": "https://site.example/"}, {"Origin": ALLOWED}, {"Origin": ORIGIN, "Sec-Fetch-Site": "same-site"},
    {"Origin": None, "Sec-Fetch-Site": "cross-site"}, {"Origin": None, "Sec-Fetch-Site": "same-site"},
    {"Origin": None, "Sec-Fetch-Site": "none"}, {"Origin": ORIGIN, "Sec-Fetch-Site": "nonsense"}])
def test_cross_site(programs, account, headers):
    headers = {"Sec-Fetch-Site": None, **headers}
    fields, jar = programs.page()
    fields.update(username=account[0], password=account[1])
    answer = programs.send_form(fields, jar, headers)
    assert answer.status == 403 and not answer.all("Set-Cookie")
    answer = programs.post_json("login", "/auth/login", {"username": account[0], "password": account[1]},
                                {name: value for name, value in headers.items() if value})
    assert answer.status == 403 and not answer.all("Set-Cookie")
    assert body_of(answer)["reason"] == "cross_site"


def test_old_browser(programs, account):
    """Neither Origin nor Sec-Fetch headers: the form's token decides alone."""
    fields, jar = programs.page()
    fields.update(username=account[0], password=account[1])
    without = {"Origin": None, "Sec-Fetch-Site": None, "Sec-Fetch-Mode": None}
    assert programs.send_form(fields, jar, without).status == 303
    assert programs.send_form(fields | {"csrf": "x"}, jar, without).status == 403


@pytest.mark.parametrize("change", ["missing", "empty", "other", "cut", "longer", "cookie"])
def test_form_token(programs, account, change):
    fields, jar = programs.page()
    fields.update(username=account[0], password=account[1])
    if change == "missing":
        del fields["csrf"]
    else:
        fields["csrf"] = {"empty": "", "other": programs.page()[0]["csrf"], "cut": fields["csrf"][:-1],
                          "longer": fields["csrf"] + "A",
                          "cookie": jar.partition("=")[2].rpartition(".")[2]}[change]
    answer = programs.send_form(fields, jar)
    assert answer.status == 403 and not answer.all("Set-Cookie")


@pytest.mark.parametrize("change", ["missing", "other", "expiry", "unsigned", "empty", "twice", "name"])
def test_form_cookie(programs, account, change):
    fields, jar = programs.page()
    fields.update(username=account[0], password=account[1])
    name, _, value = jar.partition("=")
    expiry, nonce, signature = value.split(".")
    _, other = programs.page()
    jar = {"missing": "", "other": other, "expiry": f"{name}={int(expiry) + 1}.{nonce}.{signature}",
           "unsigned": f"{name}={expiry}.{nonce}", "empty": f"{name}=", "twice": f"{jar}; {other}",
           "name": f"auth-csrf={value}"}[change]
    answer = programs.send_form(fields, jar)
    assert answer.status == 403 and b"<form" in answer.body
    assert set(cookies(answer)) <= {"__Host-auth-csrf"}, "nothing but what the next form needs"


def test_form_token_of_the_logout_page(programs, account):
    page = programs.ask("logout", "GET", "/auth/logout", {"Accept": "text/html"})
    csrf = responder.Fields(page.body.decode()).fields["csrf"]
    jar = page.header("Set-Cookie").split(";")[0]
    answer = programs.send_form({"csrf": csrf, "username": account[0], "password": account[1]}, jar)
    assert answer.status == 403


def test_forms_in_two_tabs(programs, account):
    first, jar = programs.page()
    again = programs.ask("login", "GET", "/auth/login", {"Cookie": jar})
    assert not again.all("Set-Cookie")
    for fields in (responder.Fields(again.body.decode()).fields, first):
        assert programs.send_form(fields | {"username": account[0], "password": account[1]}, jar).status == 303


def test_forms_are_good_in_every_process_and_after_a_restart(programs, account):
    fields, jar = programs.page()
    service = programs.site.services["login"]
    service.stop()
    service.start()
    assert programs.send_form(fields | {"username": account[0], "password": account[1]}, jar).status == 303
    key = programs.site.state / "form.key"
    assert key.stat().st_mode & 0o007 == 0


def test_no_key_no_form(make_programs):
    programs = make_programs()
    password = programs.site.add_user("alice")
    key = programs.site.state / "form.key"
    for damage in (b"", b"0" * 63, b"x" * 64):
        key.touch(mode=0o600)
        key.write_bytes(damage)
        assert programs.ask("login", "GET", "/auth/login").status == 503
    key.write_bytes(b"0" * 64)
    key.chmod(0o604)
    assert programs.ask("login", "GET", "/auth/login").status == 503
    key.chmod(0o600)
    assert programs.log_in("alice", password).status == 303
    assert "event=form_key" in programs.site.log_text("login")


# --- L1, L4: where to go afterwards ------------------------------------------------------------

BAD_RETURNS = [
    "//evil.example", "///evil.example", "////evil.example/", "/\\evil.example", "\\\\evil.example", "\\/evil.example",
    "/%5cevil.example", "/%5Cevil.example", "/%2fevil.example", "/%2F/evil.example", "/\t/evil.example",
    "/\n/evil.example", "/\r/evil.example", "\t//evil.example", " //evil.example", "/ /evil.example",
    "//evil.example@site.example", "https://evil.example", "https:evil.example", "https:/evil.example",
    "https:///evil.example", "HTTPS://evil.example",
    "https://site.example@evil.example/", "https://site.example:pw@evil.example/", "https://site.example.evil.example/",
    "https://site.exampleevil.example", "https://site.example:8443/", "https://evil.example/site.example",
    "https://site.example\\@evil.example", "https://evil.example\\.site.example", "http://site.example/",
    "https://wiki.example.evil.example/", "https://wiki.example@evil.example", "https://wiki.example:8443/x",
    "https://evilwiki.example/", "http://wiki.example/", "javascript:alert(1)", "java\tscript:alert(1)",
    "data:text/html,x", "vbscript:x", "file:///etc/passwd", "x", "login", "../x", "?x", "#x", "", ".",
    "/..//evil.example", "/x/..//evil.example",
    "/.//evil.example", "/x/../..//evil.example", "/%2e%2e//evil.example", "/%252fevil.example", "/%09/evil.example",
    "/%0d%0aSet-Cookie:%20a=b", "/x\r\nSet-Cookie: a=b", "/x\nLocation: https://evil.example", "/\u2215evil.example",
    "/\uff0fevil.example", "https://evil\u3002example", "https://site.example/\\evil",
    "https://site.example//evil.example",
    "/x\u0000", "https://[::1]/", "https://0x7f.1/", "/" + "x" * 3000]


@pytest.mark.parametrize("back", BAD_RETURNS)
def test_open_redirect(programs, account, back):
    answer = programs.log_in(*account, back=back)
    assert answer.status == 303 and answer.header("Location") == "/", answer.header("Location")
    assert set(cookies(answer)) == {COOKIE, responder.SIGNED_IN}


@pytest.mark.parametrize("back", [
    "/", "/wiki", "/wiki/", "/wiki/a%20b?x=1&y=/z#part", "/?next=https://evil.example/", "https://site.example/x",
    "https://site.example", "https://wiki.example", "https://wiki.example/", "https://wiki.example/a?b=c"])
def test_good_return_address(programs, account, back):
    answer = programs.log_in(*account, back=back)
    assert answer.status == 303 and answer.header("Location") == back


def test_bad_return_address_is_logged_without_its_query(programs, account):
    programs.log_in(*account, back="https://evil.example/place?code=QUERYSECRET")
    line, = [line for line in programs.site.log_text("login").splitlines() if "evil.example/place" in line][-1:]
    assert "event=return_refused" in line and "client=203.0.113.9" in line and "QUERYSECRET" not in line


def test_bad_return_address_is_not_in_the_page(programs):
    fields, _ = programs.page("/auth/login?rd=" + urllib.parse.quote("https://evil.example/"))
    assert "rd" not in fields


@pytest.mark.parametrize("host", [
    "site.example@evil.example", "site.example/x", "site.example\\", "a b", "\"><script>", ""])
def test_odd_host(programs, host):
    target = f"/auth/login?rd=https://{urllib.parse.quote(host)}/"
    answer = programs.ask("login", "GET", target, {"Accept": "text/html"}, HTTP_HOST=host)
    assert answer.status == 200 and b"<script" not in answer.body


# --- L13: wrong credentials ----------------------------------------------------------------------

def alike(answer):
    """Everything of an answer but the request id and what was typed."""
    text = re.sub(rb"\b[0-9a-f]{16}\b", b"ID", answer.raw)
    return re.sub(rb"(Content-Length: )\d+|value=\"[^\"]*\"", b"", text)


def test_wrong_credentials_look_alike(programs, account):
    programs.site.add_user("dora")
    programs.site.authctl("users", "disable", "dora")
    fields, jar = programs.page()
    answers, json_answers = [], []
    for user in (account[0], "nobody", "dora", "x" * 300, "carol\x01"):
        wrong = {"username": user, "password": "wrong-password"}
        answers.append(programs.send_form(fields | wrong, jar))
        json_answers.append(programs.post_json("login", "/auth/login", wrong))
    for some in (answers, json_answers):
        assert [answer.status for answer in some] == [401] * 5
        assert len({alike(answer) for answer in some}) == 1
        assert not any(answer.all("Set-Cookie") for answer in some)
    said = body_of(json_answers[0])
    assert (said["error"], said["reason"]) == ("bad_credentials", "bad_credentials")
    assert said["detail"] == "Invalid user name or password" and len(said["request_id"]) == 16
    assert b'role="alert"' in answers[0].body and b"wrong-password" not in answers[0].raw


def test_disabled_account_with_the_right_password(programs):
    password = programs.site.add_user("edith")
    programs.site.authctl("users", "disable", "edith")
    answer = programs.post_json("login", "/auth/login", {"username": "edith", "password": password})
    assert answer.status == 401 and body_of(answer)["reason"] == "bad_credentials"


def test_failed_login_is_logged(programs):
    programs.post_json("login", "/auth/login", {"username": "not\nhere\x1b[31m", "password": "SECRETPASSWORD"})
    log = programs.site.log_text("login")
    line = [line for line in log.splitlines() if "event=login_failed" in line and "here" in line][-1]
    assert line.index("client=203.0.113.9") < line.index("status=401") < line.index("reason=bad_credentials")
    assert line.rstrip().split(" user=")[1].startswith('"not') and "\x1b" not in line
    assert "SECRETPASSWORD" not in log


def test_failed_login_sets_and_clears_nothing(programs, account):
    token = programs.token(*account)
    answer = programs.log_in(account[0], "wrong", cookie=f"{COOKIE}={token}")
    assert answer.status == 401 and not answer.all("Set-Cookie")
    assert programs.is_good(token)


def test_password_of_one_account_is_not_anothers(programs, account):
    other = programs.site.add_user("otto")
    assert programs.log_in(account[0], other).status == 401


# --- L3, L5: cookies brought along ------------------------------------------------------------------

def test_session_fixation(programs, account):
    planted = programs.token(*account)
    answer = programs.log_in(*account, cookie=f"{COOKIE}={planted}")
    fresh = cookies(answer)[COOKIE][0]
    assert fresh != planted
    assert programs.is_good(fresh) and not programs.is_good(planted)


def test_worthless_cookies_write_nothing(programs):
    account = "sybil", programs.site.add_user("sybil")
    before = programs.site.authctl("revocations", "list", "--json").stdout
    for cookie in (tokens.mint(key=tokens.OTHER_SECRET), tokens.tampered(tokens.mint()), tokens.unsigned(),
                   tokens.mint(lifetime=-60), "x", "a.b.c", "", "."):
        assert programs.log_in(*account, cookie=f"{COOKIE}={cookie}").status == 303
    assert programs.site.authctl("revocations", "list", "--json").stdout == before


def test_two_cookies_of_one_name(programs, account):
    one, two = programs.token(*account), programs.token(*account)
    jar = f"{COOKIE}={one}; {COOKIE}={two}"
    assert programs.ask("login", "GET", "/auth/profile", {"Cookie": jar}).status == 401
    answer = programs.log_in(*account, cookie=jar)
    assert answer.status == 303 and cookies(answer)[COOKIE][0].count(".") == 2
    assert not programs.is_good(one) and not programs.is_good(two)


# --- the other routes --------------------------------------------------------------------------------

@pytest.mark.parametrize("target", ["/auth/profile", "/auth/verify-token"])
def test_token_routes_refuse(programs, target):
    for header, reason in ((None, "no_token"), ("Bearer x", "token_malformed"), ("Basic YTpi", "no_token"),
                           (f"Bearer {tokens.mint(key=tokens.OTHER_SECRET)}", "bad_signature"),
                           (f"Bearer {tokens.mint(lifetime=-60)}", "token_expired"),
                           (f"Bearer {tokens.mint()}, Bearer {tokens.mint()}", "ambiguous_token")):
        answer = programs.ask("login", "GET", target, {"Authorization": header})
        assert answer.status == 401
        assert body_of(answer)["reason"] == reason
        assert answer.header("WWW-Authenticate").startswith('Bearer realm="')
        assert answer.header("Cache-Control") == "no-store"
    page = programs.ask("login", "GET", target, {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"})
    if target == "/auth/profile":
        assert page.status == 303 and page.header("Location") == "/auth/login?rd=/auth/profile"
    else:
        assert page.status == 401 and b'href="/auth/login"' in page.body


def test_profile_by_cookie(programs, account):
    answer = programs.ask("login", "GET", "/auth/profile", {"Cookie": f"{COOKIE}={programs.token(*account)}"})
    assert answer.status == 200 and body_of(answer)["id"] == account[0]


def test_profile_is_safe_as_html(programs):
    token = tokens.mint(name="</script><script>alert(1)</script>", deep={"a": [1, None, True, "<", {"b": 1.5}]})
    for target in ("/auth/profile", "/auth/verify-token"):
        answer = programs.ask("login", "GET", target, {"Authorization": f"Bearer {token}"})
        assert b"<" not in answer.body and b"1.5" in answer.body
        assert "script" in json.dumps(body_of(answer))


def change(programs, token, value, headers=None, **params):
    headers = {"Authorization": f"Bearer {token}", **(headers or {})}
    return programs.post_json("login", "/auth/change-password", value, headers, **params)


def test_change_password(programs):
    old, new = programs.site.add_user("paula"), tokens.password()
    token, elsewhere = programs.token("paula", old), programs.token("paula", old)
    answer = change(programs, token, {"current": old, "new": new})
    assert answer.status == 200, answer.raw
    assert not programs.is_good(token) and not programs.is_good(elsewhere)
    assert programs.is_good(body_of(answer)["token"])  # although issued in the second of the revocation
    assert programs.is_good(programs.token("paula", new))
    assert programs.post_json("login", "/auth/login", {"username": "paula", "password": old}).status == 401


def test_change_password_refused(programs):
    old, new = programs.site.add_user("quinn"), tokens.password()
    token = programs.token("quinn", old)
    for value, status in (({"current": "wrong", "new": new}, 401), ({"current": old, "new": "short"}, 400),
                          ({"current": old, "new": "\u00e4" * 11}, 400), ({"current": old, "new": old}, 400),
                          ({"current": old, "new": "x" * 100}, 400),
                          ({"current": old, "new": "tab\tin the middle"}, 400),
                          ({"current": old}, 400), ({"new": new}, 400), ({"current": old, "new": 123456789012}, 400),
                          ([], 400)):
        answer = change(programs, token, value)
        assert answer.status == status, (value, answer.raw)
    assert programs.post_json("login", "/auth/change-password", {"current": old, "new": new}).status == 401
    assert change(programs, tokens.mint("quinn", key=tokens.OTHER_SECRET), {"current": old, "new": new}).status == 401
    cross = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert change(programs, token, {"current": old, "new": new}, cross).status == 403
    assert programs.is_good(token)
    assert programs.post_json("login", "/auth/login", {"username": "quinn", "password": old}).status == 200


def test_change_password_by_form(programs):
    old, new = programs.site.add_user("ruth"), tokens.password()
    jar = {"Cookie": f"{COOKIE}={programs.token('ruth', old)}", "Accept": "text/html"}
    body = urllib.parse.urlencode({"current": old, "new": new}).encode()
    foreign = programs.ask("login", "POST", "/auth/change-password", jar, body, FORM)
    assert foreign.status == 403
    answer = programs.ask("login", "POST", "/auth/change-password", {**BROWSER, **jar}, body, FORM)
    assert answer.status == 303 and programs.is_good(cookies(answer)[COOKIE][0])


def test_change_password_page(programs):
    """Its form is trusted by its own token where a browser says nothing of where it comes from."""
    old, new = programs.site.add_user("tess"), tokens.password()
    session = f"{COOKIE}={programs.token('tess', old)}"
    assert programs.ask("login", "GET", "/auth/change-password", {"Accept": "text/html"}).status == 303
    assert programs.ask("login", "GET", "/auth/change-password", {"Accept": "application/json"}).status == 401
    page = programs.ask("login", "GET", "/auth/change-password", {"Accept": "text/html", "Cookie": session})
    assert page.status == 200
    fields = responder.Fields(page.body.decode()).fields
    jar = f"{session}; " + "; ".join(f"{name}={value}" for name, (value, _) in cookies(page).items())

    def send(**changes):
        body = urllib.parse.urlencode(fields | {"current": old, "new": new} | changes).encode()
        headers = {"Accept": "text/html", "Cookie": jar}
        return programs.ask("login", "POST", "/auth/change-password", headers, body, FORM)

    for changes, status in (({"csrf": "x"}, 403), ({"current": "wrong"}, 401), ({"new": "short"}, 400)):
        answer = send(**changes)
        assert answer.status == status and b"<form" in answer.body and COOKIE not in cookies(answer)
        assert old.encode() not in answer.body and new.encode() not in answer.body
    assert send().status == 303 and programs.token("tess", new)


def test_login_in_the_second_of_a_logout_everywhere(programs):
    password = programs.site.add_user("sven")
    for _ in range(3):
        token = programs.token("sven", password)
        bearer = {"Authorization": f"Bearer {token}"}
        answer = programs.post_json("logout", "/auth/logout", {"everywhere": True}, bearer)
        assert answer.status == 200 and not programs.is_good(token)
        assert programs.is_good(programs.token("sven", password))


# --- our own trouble ---------------------------------------------------------------------------------

@pytest.fixture
def make_programs():
    made = []

    def make(**how):
        made.append(responder.Programs(**how))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_accounts_that_cannot_be_read(make_programs):
    programs = make_programs()
    password = programs.site.add_user("alice")
    assert programs.ask("login", "GET", "/auth/health").status == 200
    service = programs.site.services["login"]
    service.stop()
    for path in programs.site.state.glob("accounts.db*"):
        path.unlink()
    (programs.site.state / "accounts.db").mkdir()
    service.start()
    answer = programs.ask("login", "GET", "/auth/health")
    assert answer.status == 503 and body_of(answer) == {"status": "unavailable"}
    answer = programs.log_in("alice", password)
    assert answer.status == 503 and answer.header("Retry-After") and not answer.all("Set-Cookie")


def test_cookie_with_domain_and_path(make_programs):
    programs = make_programs(sections={"login": {
        "cookie": "sso", "cookie-domain": "example", "cookie-path": "/app", "cookie-samesite": "Strict",
        "cookie-secure": "on", "lifetime": "10m"}})
    answer = programs.log_in("alice", programs.site.add_user("alice"))
    _, attributes = cookies(answer)["sso"]
    assert (attributes["domain"], attributes["path"], attributes["samesite"]) == ("example", "/app", "Strict")
    assert attributes["max-age"] == "600" and "secure" in attributes
