# SPDX-License-Identifier: Apache-2.0
"""An application with a shared secret, and Better Auth: the sentences of that design, one by one, with the shipped
examples, a service of that design, and a real Better Auth server."""

import base64
import json
import re
import subprocess

import pytest

import examples
import harness
import peers
import test_peers_better_auth
import tokens

ROWS = {
    "S2.1": ("the secret from file or environment; missing, empty or short: no start, and why",
             ["test_s2_1_no_start", "test_s2_1_environment"]),
    "S2.2": ("the user's id from sub or user_id; email is optional",
             ["test_s2_2_user_id", "test_s2_2_none"]),
    "S2.3": ("the user in the path must be the token's: 403, never 401",
             ["test_s2_3_path"]),
    "S2.4": ("tokens of that shape are issued here: sub, user_id, email, iat, exp, HS256, seven days",
             ["test_s2_4_issued_here", "test_s2_4_read_there"]),
    "S2.5": ("bcrypt for passwords; htpasswd files as they are",
             ["test_s2_5_bcrypt", "test_s2_5_htpasswd"]),
    "S2.6": ("sign up, sign in, sign out: here, or at such a service",
             ["test_s2_6_sign_in", "test_s2_6_sign_up", "test_s2_6_through_us", "test_s2_6_refused_through_us",
              "test_s2_6_better_auth_through_us"]),
    "S2.7": ("Better Auth as it really is: API tokens by JWKS, its cookie caches, its opaque sessions",
             ["test_s2_7_api_token", "test_s2_7_cookie_cache", "test_s2_7_other_caches",
              "test_s2_7_opaque_session", "test_s2_7_end"]),
}
TASKS = "/api/{}/app.cgi"
ACCOUNT = {"email": "ann@example.com", "password": "Correct-horse-7", "name": "Ann"}


def test_rows():
    assert examples.without_test(ROWS, globals()) == ([], [], [])


@pytest.fixture(scope="module")
def secret():
    return peers.new_secret()


@pytest.fixture(scope="module")
def site(secret):
    with examples.Example("shared-secret", {"secret": secret}, examples.CHEAP,
                          documents=["api/ann", "api/bob"]) as running:
        yield running


@pytest.fixture(scope="module")
def application(secret):
    with peers.Peer("fastapi", BETTER_AUTH_SECRET=secret) as peer:
        yield peer


def part(token, n):
    text = token.split(".")[n]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


# --- the secret ---------------------------------------------------------------------------------------------

FROM_FILE = "secret = file:/etc/fcgi-auth/secret"


def start(*changes, environment=None):
    """How auth-verify takes the example with a line changed: (exit status, what it says)."""
    site = examples.Example("shared-secret", {}, [(FROM_FILE, *changes)])
    try:
        done = subprocess.run([harness.program("auth-verify"), "-t", "-c", str(site.configuration)], text=True,
                              capture_output=True, env=harness.environment() | (environment or {}), timeout=20)
        return done.returncode, done.stdout + done.stderr
    finally:
        site.close()


@pytest.mark.parametrize("line, word", [
    ("", "secret"),
    ("secret =", "secret"),
    ("secret = env:BETTER_AUTH_SECRET", "BETTER_AUTH_SECRET"),
    ("secret = file:/nonexistent/secret", "/nonexistent/secret"),
    ("secret = text:only-31-bytes-are-not-enough-00", "31 bytes"),
], ids=["none", "empty", "not in the environment", "no file", "short"])
def test_s2_1_no_start(line, word):
    status, said = start(line)
    assert status == 78 and word in said
    assert re.search(r"fcgi-auth\.conf:\d+: ", said), said


def test_s2_1_environment():
    status, said = start("secret = env:BETTER_AUTH_SECRET", environment={"BETTER_AUTH_SECRET": peers.new_secret()})
    assert status == 0, said
    status, said = start("secret = env:BETTER_AUTH_SECRET", environment={"BETTER_AUTH_SECRET": ""})
    assert status == 78 and "the secret is empty" in said


# --- tokens of the application ------------------------------------------------------------------------------

@pytest.mark.parametrize("claims, user", [
    ({"sub": "ann", "user_id": "bob"}, "ann"), ({"drop": ["sub"], "user_id": "bob"}, "bob"),
    ({"drop": ["sub"], "user_id": 7}, "7"), ({"drop": ["email"], "sub": "ann"}, "ann"),
])
def test_s2_2_user_id(site, secret, claims, user):
    token = tokens.mint(claims.get("sub", "x"), key=secret, **{"drop": []} | claims)
    assert peers.user(site, peers.bearer(token)) == user
    assert peers.user(site, peers.cookie_line({"session": token})) == user


def test_s2_2_none(site, secret):
    answer = examples.ask(site, tokens.mint(key=secret, drop=["sub"]))
    assert examples.told(answer) == (401, "bad_claim", "Invalid token")


def test_s2_3_path(site, secret):
    token = tokens.mint("ann", key=secret)
    assert peers.user(site, peers.bearer(token), target=TASKS.format("ann")) == "ann"
    answer = examples.ask(site, token, TASKS.format("bob"))
    assert examples.told(answer) == (403, "user_mismatch", "User ID mismatch")
    assert examples.told(site.request(TASKS.format("bob")))[:2] == (401, "no_token")


def test_s2_4_issued_here(site):
    password = site.add_user("dora")
    answer = examples.post(site, "/auth/login", {"username": "dora", "password": password})
    token = tokens.sensitive(answer.json["token"])
    assert part(token, 0)["alg"] == "HS256"
    claims = part(token, 1)
    assert (claims["sub"], claims["user_id"], claims["email"]) == ("dora", "dora", "dora@example.org")
    assert claims["exp"] - claims["iat"] == 7 * 24 * 3600


def test_s2_4_read_there(site, application):
    """The application verifies with python-jose what was issued here, and we what it issues."""
    password = site.add_user("emil")
    answer = examples.post(site, "/auth/login", {"username": "emil", "password": password})
    here = tokens.sensitive(answer.json["token"])
    assert application.get("/api/emil/tasks", [peers.bearer(here)]).json == {"success": True, "data": []}
    mismatch = application.get("/api/ann/tasks", [peers.bearer(here)])
    assert (mismatch.status, mismatch.json["detail"].split(":")[0]) == (403, "User ID mismatch")
    answer = application.post("/api/auth/signup", ACCOUNT)
    there = tokens.sensitive(answer.json["data"]["token"])
    assert set(part(there, 1)) == {"sub", "user_id", "email", "iat", "exp"}
    assert peers.user(site, peers.bearer(there)) == answer.json["data"]["user"]["id"]


# --- passwords ----------------------------------------------------------------------------------------------

def test_s2_5_bcrypt(site):
    password = site.add_user("fred")
    stored = b"".join(path.read_bytes() for path in site.state.glob("accounts.db*"))
    assert password.encode() not in stored
    assert re.search(rb"\$2[by]\$\d\d\$[./A-Za-z0-9]{53}", stored)


def test_s2_5_htpasswd(site, tmp_path):
    """Files of Apache's own tool, in the schemes that it writes."""
    passwords = {name: tokens.password() for name in ("greta", "hans", "ida")}
    file = tmp_path / "htpasswd"
    for options, (name, password) in zip((["-B", "-C", "4"], ["-m"], ["-s"]), passwords.items()):
        create = [] if file.exists() else ["-c"]
        subprocess.run(["htpasswd", "-i", *create, *options, str(file), name], input=password, text=True, check=True,
                       capture_output=True)
    done = site.authctl("users", "import-htpasswd", str(file), check=False)
    for name, password in passwords.items():
        answer = examples.post(site, "/auth/login", {"username": name, "password": password})
        assert answer.status == 200, (name, answer.text, done.stdout, done.stderr)
        tokens.sensitive(answer.json["token"])


def test_s2_6_sign_in(site):
    password = site.add_user("kim")
    answer = examples.post(site, "/auth/signin", {"email": "kim@example.org", "password": password})
    assert answer.status == 200 and tokens.sensitive(answer.json["token"])
    assert (answer.json["user"]["id"], answer.json["user"]["email"]) == ("kim", "kim@example.org")
    assert answer.json["success"] is True
    assert answer.json["data"] == {"token": answer.json["token"], "user": answer.json["user"]}
    wrong = examples.post(site, "/auth/signin", {"email": "kim@example.org", "password": "wrong"})
    unknown = examples.post(site, "/auth/signin", {"email": "nobody@example.org", "password": "wrong"})
    assert examples.told(wrong) == examples.told(unknown)
    assert (wrong.status, wrong.json["detail"]) == (401, "Invalid email or password")


def test_s2_6_sign_up(secret):
    places = {"\n[login]\n": examples.CHEAP["\n[login]\n"] + "registration = on\nverify-email = off\n"}
    with examples.Example("shared-secret", {"secret": secret}, places) as site:
        account = {"email": "lena@example.org", "password": tokens.password(), "name": "Lena"}
        made = examples.post(site, "/auth/signup", account)
        assert made.status == 201, made.text
        assert made.json["user"]["email"] == "lena@example.org"
        taken = examples.post(site, "/auth/signup", account)
        assert (taken.status, taken.json["reason"]) == (400, "bad_request") and "already" in taken.json["detail"]
        weak = examples.post(site, "/auth/signup", account | {"email": "max@example.org", "password": "short"})
        assert weak.status == 400 and weak.json["detail"]
        answer = examples.post(site, "/auth/signin", {"email": account["email"], "password": account["password"]})
        assert answer.status == 200 and tokens.sensitive(answer.json["token"])
        done = site.request("/auth/signout", [peers.bearer(answer.json["token"]), *examples.JSON], "POST", b"")
        assert done.status == 200
        assert peers.refusal(site, peers.bearer(answer.json["token"])) == (401, "token_revoked")


@pytest.fixture(scope="module")
def proxy(secret, application):
    with examples.Example("upstream-application", {"application-secret": secret},
                          {"http://127.0.0.1:8000": application.url, **examples.UNLIMITED}) as running:
        yield running


NEW = {"email": "new@example.com", "password": "Correct-horse-7", "name": "New"}


def test_s2_6_through_us(proxy):
    made = examples.post(proxy, "/auth/signup", NEW)
    assert made.status == 201, made.text
    again = examples.post(proxy, "/auth/signup", NEW)
    assert (again.status, again.json["detail"]) == (400, "Email already exists")
    answer = examples.post(proxy, "/auth/signin", {"email": NEW["email"], "password": NEW["password"]})
    assert answer.status == 200, answer.text
    token = tokens.sensitive(answer.json["token"])
    assert answer.json["success"] is True and answer.json["data"]["token"] == token, "in its own shape as well"
    assert (answer.json["user"]["email"], answer.json["user"]["name"]) == (NEW["email"], "New")
    assert peers.user(proxy, peers.bearer(token)) == answer.json["user"]["id"]
    done = proxy.request("/auth/signout", [peers.bearer(token), *examples.JSON], "POST", b"")
    assert done.status == 200
    assert peers.refusal(proxy, peers.bearer(token)) == (401, "token_revoked")


def test_s2_6_refused_through_us(proxy):
    for email in ("new@example.com", "nobody@example.com"):
        answer = examples.post(proxy, "/auth/signin", {"email": email, "password": "wrong"})
        assert (answer.status, answer.json["detail"]) == (401, "Invalid email or password")
    answer = examples.post(proxy, "/auth/signup", NEW | {"email": "no address", "password": "x"})
    assert answer.status in (400, 422) and isinstance(answer.json["detail"], str) and answer.json["detail"]


def test_s2_6_better_auth_through_us():
    """Its sessions are cookies of its own, which come through as they are."""
    with test_peers_better_auth.serve(CACHE="jwt") as server, examples.Example(
            "upstream-better-auth", {"better-auth-secret": server.secret},
            {"http://127.0.0.1:3000": server.peer.url, **examples.UNLIMITED}) as site:
        account = test_peers_better_auth.ACCOUNT
        answer = examples.post(site, "/auth/login", {"email": account["email"], "password": account["password"]})
        assert answer.status == 200, answer.text
        cookies = peers.set_cookies(answer)
        assert {test_peers_better_auth.SESSION, test_peers_better_auth.DATA} <= set(cookies)
        assert peers.user(site, peers.cookie_line(cookies)) == server.user
        wrong = examples.post(site, "/auth/login", {"email": account["email"], "password": "wrong"})
        assert (wrong.status, wrong.json["detail"]) == (401, "Invalid email or password") and not wrong.cookies
        taken = examples.post(site, "/auth/register", account)
        assert taken.status in (400, 422) and "exists" in taken.json["detail"]
        peers.log_out(site, peers.cookie_line(cookies))
        assert peers.refusal(site, peers.cookie_line(cookies)) == (401, "token_revoked")


# --- Better Auth --------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def better():
    """The real server with the cookie cache that the design believes in, and the example in front of it."""
    with test_peers_better_auth.serve(CACHE="jwt") as server:
        with portal(server) as server.site_of_example:
            yield server


def portal(server):
    return examples.Example("better-auth", {"better-auth-secret": server.secret},
                            {"https://portal.example": server.peer.url})


def test_s2_7_api_token(better):
    """EdDSA by JWKS, no typ."""
    token = tokens.sensitive(better.api_token(better.sign_in()))
    assert part(token, 0)["alg"] == "EdDSA" and "typ" not in part(token, 0)
    got = examples.environment(better.site_of_example, peers.bearer(token))
    assert (got["REMOTE_USER"], got["AUTH_EMAIL"]) == (better.user, test_peers_better_auth.ACCOUNT["email"])


def test_s2_7_cookie_cache(better):
    """HS256 with the shared secret, and the id at user.id: no sub, no user_id."""
    cookies = better.sign_in()
    data = cookies[test_peers_better_auth.DATA]
    assert part(data, 0)["alg"] == "HS256" and not {"sub", "user_id"} & set(part(data, 1))
    got = examples.environment(better.site_of_example, peers.cookie_line({test_peers_better_auth.DATA: data}))
    assert (got["REMOTE_USER"], got["AUTH_EMAIL"]) == (better.user, test_peers_better_auth.ACCOUNT["email"])


def test_s2_7_opaque_session(better):
    """The session's own cookie alone: its server is asked."""
    cookies = better.sign_in()
    line = peers.cookie_line({test_peers_better_auth.SESSION: cookies[test_peers_better_auth.SESSION]})
    assert peers.user(better.site_of_example, line) == better.user


def test_s2_7_end(better):
    """A copy of each is good there for minutes after the sign-out; ended here, it is not."""
    site, cookies = better.site_of_example, better.sign_in()
    token = tokens.sensitive(better.api_token(cookies))
    better.sign_out(cookies)
    assert peers.user(site, peers.bearer(token)) == better.user
    for header in (peers.bearer(token), peers.cookie_line(cookies)):
        peers.log_out(site, header)
        assert peers.refusal(site, header) == (401, "token_revoked")


@pytest.mark.parametrize("strategy", ["compact", "jwe"])
def test_s2_7_other_caches(strategy):
    with test_peers_better_auth.serve(CACHE=strategy) as server, portal(server) as site:
        data = server.sign_in()[test_peers_better_auth.DATA]
        assert peers.user(site, peers.cookie_line({test_peers_better_auth.DATA: data})) == server.user
