# SPDX-License-Identifier: Apache-2.0
"""Tokens that login servers really issue, signed with a shared secret: Sinatra with ruby-jwt, FastAPI with PyJWT and
python-jose."""

import base64
import contextlib
import json

import pytest

import peers

PASSWORD = "Correct-horse-7"


@contextlib.contextmanager
def served(secret, **options):
    with peers.site({"type": "jwt", "algorithms": "HS256", "secret": f"text:{secret}"} | options) as site:
        yield site


def part(token, n):
    text = token.split(".")[n]
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))


@pytest.fixture(scope="module")
def sinatra():
    secret = peers.new_secret()
    with peers.Peer("sinatra", JWT_SECRET=secret) as peer, served(secret, **{"user-id": "user_id"}) as site:
        peer.site = site
        yield peer


def sinatra_token(peer, name):
    account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    assert peer.post("/register", account).status == 201
    answer = peer.post("/login", {"username": name, "password": PASSWORD})
    assert answer.status == 200, answer.text
    return answer.json["token"], answer.json["user"]["id"]


def test_sinatra(sinatra):
    """An integer as the user's id, and no typ, sub, iat, jti."""
    token, user_id = sinatra_token(sinatra, "ann")
    assert part(token, 0) == {"alg": "HS256"} and not {"sub", "iat", "jti"} & set(part(token, 1))
    assert isinstance(user_id, int)
    assert peers.user(sinatra.site, peers.bearer(token)) == str(user_id)
    assert peers.refusal(sinatra.site, peers.bearer(token), target="/users/alice/app.cgi") == (403, "user_mismatch")
    peers.log_out(sinatra.site, peers.bearer(token))
    assert peers.refusal(sinatra.site, peers.bearer(token)) == (401, "token_revoked")


def test_sinatra_logout_ends_one(sinatra):
    first, _ = sinatra_token(sinatra, "bob")
    second, user_id = sinatra_token(sinatra, "carol")
    peers.log_out(sinatra.site, peers.bearer(first))
    assert peers.user(sinatra.site, peers.bearer(second)) == str(user_id)


def test_sinatra_expired():
    secret = peers.new_secret()
    with peers.Peer("sinatra", JWT_SECRET=secret, JWT_HOURS="-1") as peer, \
            served(secret, **{"user-id": "user_id"}) as site:
        token, _ = sinatra_token(peer, "ann")
        assert peers.refusal(site, peers.bearer(token)) == (401, "token_expired")


def test_sinatra_other_secret(sinatra):
    token, _ = sinatra_token(sinatra, "dora")
    with served(peers.new_secret(), **{"user-id": "user_id"}) as site:
        assert peers.refusal(site, peers.bearer(token)) == (401, "bad_signature")


@pytest.fixture(scope="module")
def fastapi():
    login, tasks = peers.new_secret(), peers.new_secret()
    with peers.Peer("fastapi", JWT_SECRET_KEY=login, BETTER_AUTH_SECRET=tasks) as peer, \
            served(login) as peer.login_site, served(tasks) as peer.tasks_site:
        yield peer


def login_token(peer):
    answer = peer.post_form("/auth/login", {"username": "test@example.com", "password": "password"})
    assert answer.status == 200, answer.text
    return answer.json["access_token"]


def test_fastapi_login(fastapi):
    """sub is an e-mail address, jti may hold - and _."""
    token, other = login_token(fastapi), login_token(fastapi)
    assert part(token, 1)["jti"] != part(other, 1)["jti"]
    site = fastapi.login_site
    assert peers.user(site, peers.bearer(token)) == "test@example.com"
    peers.log_out(site, peers.bearer(token))
    assert peers.refusal(site, peers.bearer(token)) == (401, "token_revoked")
    assert peers.user(site, peers.bearer(other)) == "test@example.com"
    assert peers.refusal(fastapi.tasks_site, peers.bearer(other)) == (401, "bad_signature")


def test_fastapi_tasks(fastapi):
    """sub and user_id, but no jti: the token itself is what logout ends."""
    account = {"email": "ann@example.com", "password": PASSWORD, "name": "Ann"}
    answer = fastapi.post("/api/auth/signup", account)
    assert answer.status == 201, answer.text
    token, user_id = answer.json["data"]["token"], answer.json["data"]["user"]["id"]
    assert "jti" not in part(token, 1)
    site = fastapi.tasks_site
    assert peers.user(site, peers.bearer(token)) == user_id
    assert peers.refusal(fastapi.login_site, peers.bearer(token)) == (401, "bad_signature")
    peers.log_out(site, peers.bearer(token))
    assert peers.refusal(site, peers.bearer(token)) == (401, "token_revoked")


def test_fastapi_tasks_of_one_second(fastapi):
    """Two sign-ins within a second give the same token: ending one ends both."""
    account = {"email": "bob@example.com", "password": PASSWORD, "name": "Bob"}
    fastapi.post("/api/auth/signup", account)
    for _ in range(20):
        first, second = (fastapi.post("/api/auth/signin", account).json["data"]["token"] for _ in range(2))
        if first == second:
            break
    assert first == second, "no two sign-ins within one second in 20 tries"
    peers.log_out(fastapi.tasks_site, peers.bearer(first))
    assert peers.refusal(fastapi.tasks_site, peers.bearer(second)) == (401, "token_revoked")


def test_sinatra_profile(sinatra):
    """What its proxy answers: the id as it is in the token, a number."""
    token, user_id = sinatra_token(sinatra, "emil")
    wanted = {"id": user_id, "username": "emil", "email": "emil@example.com", "is_admin": False}
    profile = sinatra.site.request("/auth/profile", [peers.bearer(token)]).json
    assert {name: profile[name] for name in wanted} == wanted
    verified = sinatra.site.request("/auth/verify-token", [peers.bearer(token)]).json
    assert verified["valid"] is True and {name: verified["user"][name] for name in wanted} == wanted
