# SPDX-License-Identifier: Apache-2.0
"""An auth server in Ruby and the proxy in front of it: the sentences of that design, one by one, with the shipped
example, and the server in both of its shapes: as its documentation says, and as a real client had to take it."""

import base64
import json
import re
import secrets
import subprocess

import pytest

import examples
import harness
import peers
import tokens

ROWS = {
    "S4.1": ("register, login, profile, verify-token, logout, auth-server-health; forgot_password, verify_email, "
             "health",
             ["test_s4_1_register", "test_s4_1_login", "test_s4_1_logout", "test_s4_1_health",
              "test_s4_1_forgot_and_verify", "test_s4_1_people"]),
    "S4.2": ("its tokens as they are: integer user_id, no sub, jti, typ; ended by their digest",
             ["test_s4_2_token", "test_s4_2_ended"]),
    "S4.3": ("its lockout, rate limit and e-mail verification come through",
             ["test_s4_3_lockout", "test_s4_3_rate_limit", "test_s4_3_unverified", "test_s4_3_refusals",
              "test_s4_3_local_accounts"]),
    "S4.4": ("profile and verify-token from the token alone, the revocation included",
             ["test_s4_4_profile", "test_s4_4_verify_token", "test_s4_4_refused"]),
    "S4.5": ("503 Auth server unavailable when it cannot be reached, at once",
             ["test_s4_5_unavailable", "test_s4_5_times"]),
    "S4.6": ("cross-origin rules, security headers, bodies that are limited and looked at",
             ["test_s4_6_headers", "test_s4_6_bodies", "test_s4_6_preflight"]),
    "S4.7": ("one secret for both, made by authctl; two of them are noticed, and the mistake is named",
             ["test_s4_7_one_secret", "test_s4_7_two_secrets", "test_s4_7_explained"]),
    "S4.8": ("the Host that it is asked for can be set",
             ["test_s4_8_host"]),
}
EXAMPLE, BASE, SECRET = "upstream-ruby", "http://127.0.0.1:4567", "auth-server-secret"
PASSWORD = "Correct-horse-7"
DETAIL = {"error", "detail", "reason", "request_id"}
#: Of a 401: where one signs in.
ALSO = DETAIL | {"login_url"}


def test_rows():
    assert examples.without_test(ROWS, globals()) == ([], [], [])


class Proxy(examples.Example):
    """The example in front of a server of its own, with the same secret unless another one is given."""

    def __init__(self, secret=None, places=(), url=None, tls=False, server="lighttpd", **settings):
        self.key = peers.new_secret()
        self.peer = None if url else peers.Peer("sinatra", JWT_SECRET=self.key, **settings)
        try:
            super().__init__(EXAMPLE, {SECRET: secret or self.key},
                             {BASE: url or self.peer.url, **examples.UNLIMITED, **dict(places)},
                             tls=tls, server=server)
        except BaseException:
            self.close_peer()
            raise

    def close_peer(self):
        if self.peer:
            self.peer.close()

    def close(self):
        try:
            super().close()
        finally:
            self.close_peer()

    def register(self, name, **changes):
        account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD} | changes
        return examples.post(self, "/auth/register", account)

    def log_in(self, name, password=PASSWORD):
        answer = examples.post(self, "/auth/login", {"username": name, "password": password})
        if answer.status == 200:
            tokens.sensitive(answer.json["token"])
        return answer

    def token(self, name):
        self.register(name)
        return self.log_in(name).json["token"]


@pytest.fixture(scope="module", params=[("doc", "lighttpd"), ("real", "apache-direct")], ids=["doc", "real"])
def shape(request):
    shape, server = request.param
    with Proxy(SHAPE=shape, tls=True, server=server) as running:
        running.shape = shape
        yield running


@pytest.fixture(scope="module")
def proxy():
    with Proxy() as running:
        yield running


def part(token, n):
    text = token.split(".")[n]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


def new_name():
    return f"user_{secrets.token_hex(4)}"


# --- what it proxies ----------------------------------------------------------------------------------------

def test_s4_1_register(shape):
    name = new_name()
    answer = shape.register(name)
    assert answer.status == 201, answer.text
    if shape.shape == "doc":
        assert answer.json["message"] == "User registered successfully. Please check your email for verification."
        assert answer.json["user"] == {"id": answer.json["user"]["id"], "username": name, "is_admin": False,
                                       "email": f"{name}@example.com", "email_verified": False}
    else:
        assert answer.json["message"].startswith("Registration successful.")
        assert isinstance(answer.json["user_id"], int)
    again = shape.register(name)
    assert (again.status, again.json["detail"]) == (400, "Username or email already exists")
    # What stands for its mail stays between the server and us.
    assert not [key for key, _ in answer.headers if key.lower().startswith("x-test")]


def test_s4_1_login(shape):
    name = new_name()
    user_id = shape.register(name).json
    user_id = user_id["user"]["id"] if shape.shape == "doc" else user_id["user_id"]
    answer = shape.log_in(name)
    assert answer.status == 200 and answer.json["message"] == "Login successful"
    assert answer.json["user"]["id"] in (user_id, str(user_id))
    if shape.shape == "doc":
        assert (answer.json["user"]["username"], answer.json["user"]["is_admin"]) == (name, False)
    got = examples.environment(shape, peers.bearer(answer.json["token"]))
    assert got["REMOTE_USER"] == str(user_id)
    # Its users may give their address instead.
    by_address = shape.log_in(f"{name}@example.com")
    assert by_address.status == 200


def test_s4_1_people(shape):
    """The form: a cookie, and back to where one was."""
    name = new_name()
    shape.register(name)
    browser = shape.browser()
    sent_away = browser.get("/app/app.cgi")
    page = browser.get(sent_away.header("Location"))
    answer = browser.submit(page, sent_away.header("Location"), {"username": name, "password": PASSWORD})
    assert answer.status == 303 and answer.header("Location").endswith("/app/app.cgi"), answer.text
    value, attributes = answer.cookies["__Host-auth"]
    assert tokens.sensitive(value) and "httponly" in attributes and attributes["samesite"] == "Lax"
    assert browser.get("/app/app.cgi").json["environment"]["AUTH_EMAIL"] == f"{name}@example.com"
    page = browser.get("/auth/login")
    wrong = browser.submit(page, "/auth/login", {"username": name, "password": "wrong"})
    assert wrong.status == 401 and "Invalid credentials" in wrong.text


def test_s4_1_logout(shape):
    token = shape.token(new_name())
    answer = shape.request("/auth/logout", [peers.bearer(token), *examples.JSON], "POST", b"")
    assert (answer.status, answer.json["message"]) == (200, "Successfully logged out")
    assert peers.refusal(shape, peers.bearer(token)) == (401, "token_revoked")


def test_s4_1_health(shape):
    assert shape.request("/auth/health").status == 200
    answer = shape.request("/auth/auth-server-health")
    assert answer.status == 200, answer.text


def test_s4_1_forgot_and_verify(shape):
    name = new_name()
    shape.register(name)
    for address in (f"{name}@example.com", "nobody@example.com"):
        answer = examples.post(shape, "/auth/forgot-password", {"email": address})
        assert (answer.status, answer.json["message"]) == \
            (200, "If that email exists, a password reset link has been sent.")
    direct = shape.peer.post("/register", {"username": name + "_2", "email": f"{name}@b.example", "password": PASSWORD})
    code = direct.header("X-Test-Verify-Token")
    answer = examples.post(shape, "/auth/verify-email", {"token": code})
    assert (answer.status, answer.json["message"]) == (200, "Email verified successfully")
    again = examples.post(shape, "/auth/verify-email", {"token": code})
    assert (again.status, again.json["detail"]) == (400, "Invalid or expired verification token")


# --- its tokens ---------------------------------------------------------------------------------------------

def test_s4_2_token(proxy):
    token = proxy.token(new_name())
    assert part(token, 0) == {"alg": "HS256"}
    claims = part(token, 1)
    assert isinstance(claims["user_id"], int) and set(claims) == {"user_id", "username", "email", "is_admin", "exp"}
    assert peers.user(proxy, peers.bearer(token)) == str(claims["user_id"])


def test_s4_2_ended(proxy):
    token, other = proxy.token(new_name()), proxy.token(new_name())
    peers.log_out(proxy, peers.bearer(token))
    assert peers.refusal(proxy, peers.bearer(token)) == (401, "token_revoked")
    assert peers.user(proxy, peers.bearer(other))


# --- what it refuses ----------------------------------------------------------------------------------------

def refused(answer):
    assert DETAIL <= set(answer.json) <= ALSO and not answer.cookies, answer.text
    return answer.status, answer.json["detail"]


def test_s4_3_lockout(proxy):
    name = new_name()
    proxy.register(name)
    for _ in range(5):
        assert refused(proxy.log_in(name, "wrong")) == (401, "Invalid credentials")
    locked = proxy.log_in(name)
    assert refused(locked) == (423, "Account locked due to too many failed attempts")
    assert 0 < int(locked.header("Retry-After")) <= 900
    assert refused(proxy.log_in("nobody_at_all", "wrong")) == (401, "Invalid credentials")


def test_s4_3_rate_limit():
    with Proxy(RATE="2") as proxy:
        answers = [proxy.log_in("nobody_at_all", "wrong") for _ in range(3)]
        assert [answer.status for answer in answers] == [401, 401, 429]
        assert refused(answers[2]) == (429, "Too many requests")
        assert answers[2].header("Retry-After") == "60"


def test_s4_3_unverified():
    with Proxy(REQUIRE_VERIFIED="1") as proxy:
        name = new_name()
        proxy.register(name)
        assert refused(proxy.log_in(name)) == (401, "Email not verified")


@pytest.mark.parametrize("changes, detail", [
    ({"password": "Sh0rt!"}, "Password must be at least 8 characters"),
    ({"email": "no address"}, "Email is invalid"),
    ({"username": "a b"}, "name"),
])
def test_s4_3_refusals(proxy, changes, detail):
    answer = proxy.register(new_name(), **changes)
    assert answer.status == 400 and detail in answer.json["detail"]
    assert DETAIL <= set(answer.json) <= ALSO


def test_s4_3_local_accounts():
    """Accounts of our own are locked, and then limited, in the same way."""
    with examples.Example("shared-secret", {"secret": peers.new_secret()}, examples.CHEAP) as site:
        password = site.add_user("ann")

        def try_it(word):
            return examples.post(site, "/auth/login", {"username": "ann", "password": word})
        assert [try_it("wrong").status for _ in range(5)] == [401] * 5
        locked = try_it(password)
        assert refused(locked) == (423, "Too many attempts")
        assert 0 < int(locked.header("Retry-After")) <= 900
    places = {"\n[login]\n": "\n[login]\npassword-cost = 4\n"}
    with examples.Example("shared-secret", {"secret": peers.new_secret()}, places) as site:
        answers = [examples.post(site, "/auth/login", {"username": f"user-{n}", "password": "x"}) for n in range(11)]
        assert refused(answers[-1]) == (429, "Too many attempts") and answers[-1].header("Retry-After")


# --- from the token alone -----------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def gone():
    """Somebody has logged in, and the server is away."""
    with Proxy() as proxy:
        proxy.name = new_name()
        proxy.given = proxy.token(proxy.name)
        proxy.close_peer()
        yield proxy


def test_s4_4_profile(gone):
    answer = gone.request("/auth/profile", [peers.bearer(gone.given)])
    assert answer.status == 200, answer.text
    wanted = {"id": 1, "username": gone.name, "email": f"{gone.name}@example.com", "is_admin": False}
    assert {name: answer.json.get(name) for name in wanted} == wanted


def test_s4_4_verify_token(gone):
    answer = gone.request("/auth/verify-token", [peers.bearer(gone.given)])
    assert answer.status == 200 and answer.json["valid"] is True
    user = answer.json["user"]
    assert (user["id"], user["username"], user["is_admin"]) == (1, gone.name, False)


def test_s4_4_refused(gone):
    ended = tokens.mint(key=gone.key, drop=["sub", "jti"], user_id=7)
    peers.log_out(gone, peers.bearer(ended))
    for token, detail in ((ended, "Token has been invalidated"), (tokens.tampered(gone.given), "Invalid token"),
                          (tokens.mint(key=gone.key, user_id=7, lifetime=-1), "Token has expired")):
        for target in ("/auth/profile", "/auth/verify-token"):
            answer = gone.request(target, [peers.bearer(token), *examples.JSON])
            assert (answer.status, answer.json["detail"]) == (401, detail)
    assert gone.request("/auth/profile", examples.JSON).status == 401


def test_s4_5_unavailable(gone):
    for answer in (gone.log_in("anybody"), gone.register("anybody")):
        assert refused(answer) == (503, "Auth server unavailable")
        assert answer.json["reason"] == "upstream_unavailable"
    answer = gone.request("/auth/auth-server-health")
    assert answer.status == 503
    assert examples.lines_with(gone, "login", "reason=upstream_unavailable")


def test_s4_5_times():
    """5 s, and 10 s for a login, where nothing else is written; how they hold: test_upstream_faults.py."""
    text = subprocess.run([harness.program("authctl"), "reference"], text=True, capture_output=True, check=True,
                          env=harness.environment()).stdout
    assert "\n#timeout = 5s\n" in text and "\n#login-timeout = 10s\n" in text


# --- what is sent and taken ---------------------------------------------------------------------------------

def test_s4_6_headers(proxy):
    page = proxy.request("/auth/login", ["Accept: text/html"])
    answer = proxy.log_in("nobody_at_all", "wrong")
    for one in (page, answer):
        assert one.header("Cache-Control") == "no-store"
        assert one.header("X-Content-Type-Options") == "nosniff"
    assert "default-src 'none'" in page.header("Content-Security-Policy")
    assert "frame-ancestors 'none'" in page.header("Content-Security-Policy")


@pytest.mark.parametrize("body, type_, statuses", [
    (b"{", "application/json", (400,)), (b"[]", "application/json", (400,)),
    (b'{"username":1,"password":2}', "application/json", (400,)),
    (b'{"username":"a"}', "application/json", (400,)),
    (b"<user/>", "text/xml", (415,)),
    (json.dumps({"username": "a", "password": "x" * (2 << 20)}).encode(), "application/json", (400, 413)),
], ids=["half", "list", "numbers", "no password", "xml", "2 MB"])
def test_s4_6_bodies(proxy, body, type_, statuses):
    before = len(proxy.log_text("login"))
    answer = proxy.request("/auth/login", [f"Content-Type: {type_}", "Accept: application/json"], "POST", body)
    assert answer.status in statuses and not answer.cookies
    assert "upstream_failed" not in proxy.log_text("login")[before:]


def test_s4_6_preflight():
    """websocket-cors.conf: pages of the origins that are named may use the API with the cookie, others not."""
    with examples.Example("websocket-cors", {"secret": peers.new_secret()}, documents=["api"]) as site:
        def preflight(origin):
            return site.request("/api/app.cgi", [f"Origin: {origin}", "Access-Control-Request-Method: POST",
                                                 "Access-Control-Request-Headers: authorization"], "OPTIONS")
        good, bad = preflight("https://app.example"), preflight("https://evil.example")
        assert good.header("Access-Control-Allow-Origin") == "https://app.example"
        assert good.header("Access-Control-Allow-Credentials") == "true"
        assert bad.header("Access-Control-Allow-Origin") is None


# --- one secret for both ------------------------------------------------------------------------------------

def test_s4_7_one_secret():
    made = subprocess.run([harness.program("authctl"), "secret", "generate"], text=True, capture_output=True,
                          check=True, env=harness.environment()).stdout.strip()
    tokens.sensitive(made)
    with Proxy(secret=made) as proxy:
        proxy.close_peer()
    with peers.Peer("sinatra", JWT_SECRET=made) as peer, Proxy(secret=made, url=peer.url) as proxy:
        assert peers.user(proxy, peers.bearer(proxy.token(new_name()))).isdigit()


def test_s4_7_two_secrets():
    """A login there that succeeds is none here, and the log says why."""
    with Proxy(secret=peers.new_secret()) as proxy:
        name = new_name()
        assert proxy.register(name).status == 201
        assert refused(proxy.log_in(name)) == (502, "The auth server's answer could not be used")
        assert examples.lines_with(proxy, "login", "signature does not match: same secret on both sides?")


def test_s4_7_explained(proxy):
    """The same, for a token at hand."""
    done = proxy.authctl("explain", "--url", "/app/app.cgi", text=tokens.mint(user_id=1), check=False)
    assert done.returncode == 1
    assert re.search("signature does not match: same secret on both sides", done.stdout)


def test_s4_8_host():
    host = "auth.internal.example"
    with Proxy(PERMITTED_HOSTS=host + ",127.0.0.1") as proxy:
        assert proxy.register(new_name()).status == 201
    key = peers.new_secret()
    with peers.Peer("sinatra", JWT_SECRET=key, PERMITTED_HOSTS="127.0.0.1") as peer:
        port = peer.url.rpartition(":")[2]
        with Proxy(secret=key, url=f"http://localhost:{port}") as proxy:
            assert proxy.register(new_name()).status == 502
            assert examples.lines_with(proxy, "login", "Host")
        with Proxy(secret=key, url=f"http://localhost:{port}\nhost = 127.0.0.1:{port}") as proxy:
            assert proxy.register(new_name()).status == 201
