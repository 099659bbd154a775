# SPDX-License-Identifier: Apache-2.0
"""A login service and an application made with FastAPI behind auth-login-proxy."""

import pytest

import examples
import harness
import peers
import tokens
from upstreams import COOKIE, Upstream, kept, log_out, no_session, refused, shown, sign_in

BASE = "http://127.0.0.1:8000"
PASSWORD = tokens.sensitive("a long password")


@pytest.fixture(scope="module")
def peer():
    secrets = {"JWT_SECRET_KEY": peers.new_secret(), "BETTER_AUTH_SECRET": peers.new_secret()}
    with peers.Peer("fastapi", **secrets) as running:
        running.secrets = secrets
        yield running


@pytest.fixture(scope="module")
def service(peer):
    with Upstream("fastapi", "jwt-secret-key", peer.secrets["JWT_SECRET_KEY"], peer, BASE) as site:
        made = site.post("/auth/register", {"email": "ann@example.org", "password": PASSWORD, "name": "Ann"})
        assert made.status == 201 and made.json["email"] == "ann@example.org", made.text
        yield site


@pytest.fixture(scope="module")
def application(peer):
    with Upstream("application", "application-secret", peer.secrets["BETTER_AUTH_SECRET"], peer, BASE,
                  documents=["users/ann"]) as site:
        made = sign_up(site, "ann")
        assert made.status == 201, made.text
        site.user = made.json["user"]["id"]
        yield site


# --- the login service ------------------------------------------------------------------------

def test_login_by_form_there(service):
    """A JSON body is 422 there: the service wants a form, whichever way we were asked."""
    answer = kept(service.post("/auth/login", {"username": "ann@example.org", "password": PASSWORD}))
    assert answer.status == 200, answer.text
    assert answer.json["message"] == "Login successful" and answer.json["token_type"] == "bearer"
    assert answer.json["token"] == answer.json["access_token"]
    assert answer.json["user"] == {"id": "ann@example.org"}
    assert peers.user(service, peers.bearer(answer.json["token"])) == "ann@example.org"
    profile = service.request("/auth/profile", [peers.bearer(answer.json["token"])])
    assert (profile.status, profile.json) == (200, {"email": "ann@example.org"})
    other = kept(service.post("/auth/login", {"email": "ann@example.org", "password": PASSWORD}))
    assert other.json["token"] != answer.json["token"]


def test_wrong_password_at_the_service(service):
    for user in ("ann@example.org", "nobody@example.org"):
        answer = no_session(service, service.post("/auth/login", {"username": user, "password": "wrong"}))
        assert refused(answer) == (401, "Incorrect username or password")
        assert answer.header("WWW-Authenticate").startswith("Bearer")
    page = no_session(service, sign_in(service.browser(), "ann@example.org", "wrong"))
    assert page.status == 401 and shown(page) == "Incorrect username or password"


def test_registration_at_the_service(service):
    again = service.post("/auth/register", {"email": "ann@example.org", "password": PASSWORD})
    assert refused(again) == (400, "Email already registered")
    short = service.post("/auth/register", {"email": "bob@example.org", "password": "short"})
    assert refused(short) == (422, "password: ensure this value has at least 8 characters")
    assert short.json["error"] and short.json["reason"] == "bad_request"


def test_logout_is_told_to_the_service(service):
    """With the token: the service would answer 401 without."""
    browser = service.browser()
    answer = sign_in(browser, "ann@example.org", PASSWORD)
    token = browser.jar[COOKIE]
    assert 1790 <= int(answer.cookies[COOKIE][1]["max-age"]) <= 1800, "as long as the token"
    assert service.peer.get("/auth/users/me", [peers.bearer(token)]).status == 200
    log_out(service, peers.cookie_line({COOKIE: token}))
    told = service.peer.get("/auth/users/me", [peers.bearer(token)])
    assert (told.status, told.json["detail"]) == (401, "Token has been invalidated")
    assert peers.refusal(service, peers.cookie_line({COOKIE: token})) == (401, "token_revoked")
    # Once more: both have ended it already, and nobody is troubled by that.
    log_out(service, peers.cookie_line({COOKIE: token}))
    assert not [line for line in service.lines("logout") if "upstream_failed" in line]


def test_profile_of_a_session_that_has_ended_there(service):
    token = kept(service.post("/auth/login", {"username": "ann@example.org", "password": PASSWORD})).json["token"]
    assert service.peer.post("/auth/logout", None, [peers.bearer(token)]).status == 200
    assert service.request("/auth/profile", [peers.bearer(token)]).status == 401
    assert peers.user(service, peers.bearer(token)) == "ann@example.org", "only we can end it here"


def test_logout_of_a_token_that_is_none_troubles_nobody(service):
    answer = examples.post(service, "/auth/logout", b"", peers.bearer(tokens.unsigned()))
    assert answer.status == 200 and answer.json["message"] == "Logout completed"


# --- the application ----------------------------------------------------------------------------

def sign_up(site, name, **changes):
    return kept(site.post("/auth/signup", {"email": f"{name}@example.org", "password": PASSWORD, "name": name}
                          | changes))


def test_signup(application):
    answer = sign_up(application, "bob")
    assert answer.status == 201 and answer.json["success"] is True
    token, user = answer.json["data"]["token"], answer.json["data"]["user"]
    assert (answer.json["token"], answer.json["user"]) == (token, user)
    assert user == {"id": user["id"], "email": "bob@example.org", "name": "bob"}
    assert peers.user(application, peers.bearer(token)) == user["id"]
    again = no_session(application, sign_up(application, "bob"))
    assert refused(again) == (400, "Email already exists")
    wrong = no_session(application, sign_up(application, "carl", email="carl", password="short"))
    assert wrong.status == 422
    assert wrong.json["detail"].startswith("email: string does not match regex")
    assert "; password: ensure this value has at least 8 characters" in wrong.json["detail"]


def test_signup_of_a_page_signs_in(application):
    browser = application.browser()
    page = browser.get("/auth/register?rd=/app/app.cgi")
    answer = browser.submit(page, "/auth/register", {"email": "dora@example.org", "password": PASSWORD, "name": "Dora",
                                                     "username": ""})
    kept(answer)
    assert answer.status == 303 and answer.header("Location") == "/app/app.cgi", answer.text
    assert browser.get("/app/app.cgi").json["environment"]["AUTH_EMAIL"] == "dora@example.org"
    taken = application.browser()
    page = taken.get("/auth/register")
    again = taken.submit(page, "/auth/register", {"email": "dora@example.org", "password": PASSWORD, "name": "Dora"})
    assert again.status == 400 and shown(again) == "Email already exists" and PASSWORD not in again.text
    assert "dora@example.org" in again.text


def test_signin(application):
    answer = kept(application.post("/auth/signin", {"email": "ann@example.org", "password": PASSWORD}))
    assert answer.status == 200 and answer.json["success"] is True
    assert answer.json["data"]["user"]["id"] == answer.json["user"]["id"] == application.user
    wrong = no_session(application, application.post("/auth/signin", {"email": "ann@example.org", "password": "x"}))
    assert refused(wrong) == (401, "Invalid email or password")


def test_the_path_of_another_user(application):
    browser = application.browser()
    assert sign_in(browser, "ann@example.org", PASSWORD).status == 303
    answer = browser.get("/users/ann/app.cgi", Accept="application/json", **{"Sec-Fetch-Mode": "cors"})
    assert refused(answer) == (403, "User ID mismatch")


def test_signout(application):
    token = kept(application.post("/auth/signin", {"email": "ann@example.org", "password": PASSWORD})).json["token"]
    answer = log_out(application, peers.bearer(token), target="/auth/signout")
    assert answer.json["success"] is True
    assert peers.refusal(application, peers.bearer(token)) == (401, "token_revoked")


def test_two_tokens_of_one_second(application):
    """They are one token: who logged out in this second, and logs in again, is told to wait for the next."""
    def again():
        answer = kept(application.post("/auth/signin", {"email": "ann@example.org", "password": PASSWORD}))
        if answer.status == 200:
            log_out(application, peers.bearer(answer.json["token"]))
        return answer

    told = harness.wait_for("two logins within a second", lambda: (answer := again()).status == 503 and answer)
    assert told.header("Retry-After") == "1" and "in a moment" in told.json["detail"]
    harness.wait_for("the next second", lambda: again().status == 200)
