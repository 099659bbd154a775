# SPDX-License-Identifier: Apache-2.0
"""Clerk in front of an API: the sentences of that design, one by one, with doc/examples/clerk.conf as it is shipped,
and a provider that signs tokens of Clerk's shape."""

import json
import time

import pytest

import cases
import examples
import harness
import peers
import test_api_keys
import test_peers_jwks
import tokens

ROWS = {
    "S3.1": ("RS256 by JWKS and kid; fetched once, again for an unknown kid under a cool-down, ahead of its end, and "
             "the last good set while the source is down",
             ["test_s3_1_one_fetch", "test_s3_1_unknown_kid", "test_s3_1_ahead_of_its_end", "test_s3_1_source_down"]),
    "S3.2": ("tokens of Clerk as they are: no aud, azp, a minute, in __session; 5 s of leeway; versions 1 and 2",
             ["test_s3_2_version_1", "test_s3_2_version_2", "test_s3_2_parties", "test_s3_2_leeway",
              "test_s3_2_suffix", "test_s3_2_audience"]),
    "S3.3": ("the token goes on to the service as Authorization: Bearer, with each web server",
             ["test_s3_3_bearer_for_the_service"]),
    "S3.4": ("a record of the user, found or made",
             ["test_s3_4_local_user"]),
    "S3.5": ("another user's part of the API: 403",
             ["test_s3_5_another_user"]),
    "S3.6": ("tokens are remembered, calls are limited, API keys, revocation at once",
             ["test_s3_6_api_keys_and_their_rate", "test_s3_6_revoked_at_once", "test_s3_6_verdicts_are_kept"]),
    "S3.7": ("the test plan: signature, expiry, issuer, others' resources, tampering, renewal, with each web server",
             ["test_s3_7_plan", "test_s3_7_renewal", "test_s3_7_people"]),
}
ISSUER, APPLICATION = "https://clerk.example.org", "https://www.example.org"
JWKS = f"{ISSUER}/.well-known/jwks.json"
SERVERS = ["lighttpd", "apache-direct", "nginx"]
API = "/api/user_1/app.cgi"
V2 = {"v": 2, "fva": [1, -1], "sts": "active", "fea": "o:invoices,u:profile",
      "o": {"id": "org_1", "slg": "acme", "rol": "admin", "per": "read,write", "fpm": "3"}}


def test_rows():
    assert examples.without_test(ROWS, globals()) == ([], [], [])


class Provider(test_peers_jwks.Provider):
    """Signs what a Clerk instance signs by itself: no aud, a minute."""

    def token(self, user="user_1", header=None, **claims):
        now = int(time.time())
        given = {"sub": user, "iss": ISSUER, "azp": APPLICATION, "iat": now, "nbf": now - 10, "exp": now + 60,
                 "sid": "sess_1"} | claims
        return tokens.sensitive(super().token({"cat": "cl_B7d4PD111AAA"} | (header or {}), **given))

    def site(self, places=(), **more):
        where = {JWKS: f"{self.url}/.well-known/jwks.json", **dict(places)}
        return examples.Example("clerk", {}, where, documents=["api/user_1", "api/user_2"], **more)


@pytest.fixture(scope="module")
def provider():
    with Provider() as peer:
        yield peer


@pytest.fixture(scope="module")
def site(provider):
    with provider.site() as running:
        yield running


def refused(site, token, target=peers.APP):
    return examples.told(examples.ask(site, token, target))


def session(token):
    return peers.cookie_line({"__session": token})


# --- keys ---------------------------------------------------------------------------------------------------

def test_s3_1_one_fetch(provider, site):
    before = provider.fetches
    assert {examples.ask(site, provider.token(jti=f"t{n}")).status for n in range(10)} == {200}
    assert provider.fetches == before


def test_s3_1_unknown_kid(provider, site):
    """A flood of unknown kids is one call at most, and none of them gets in."""
    before = provider.fetches
    for n in range(20):
        assert refused(site, provider.token(header={"kid": f"unknown-{n}"}))[:2] == (401, "unknown_key")
    assert provider.fetches - before <= 1
    assert examples.ask(site, provider.token()).status == 200


def test_s3_1_ahead_of_its_end():
    """With nobody asking, the set is fetched again before it is too old; so a rotation costs nobody anything."""
    with Provider(MAX_AGE="1") as provider, \
            provider.site({"type = clerk": "type = clerk\njwks-cooldown = 1s"}) as site:
        begun = provider.fetches
        provider.rotate()
        harness.wait_for("a fetch", lambda: provider.fetches > begun)
        harness.wait_for("the new key", lambda: examples.ask(site, provider.token()).status == 200)


def test_s3_1_source_down():
    """The last good set is on the disk: it serves after a restart, too."""
    with Provider() as provider, provider.site() as site:
        token = provider.token()
        assert examples.ask(site, token).status == 200
        provider.close()
        assert examples.ask(site, token).status == 200
        site.services["verify"].stop()
        site.services["verify"].start()
        assert examples.ask(site, token).status == 200


# --- tokens -------------------------------------------------------------------------------------------------

def test_s3_2_version_1(provider, site):
    token = provider.token(org_id="org_1", org_role="org:admin", org_permissions=["org:invoices:read"])
    got = examples.environment(site, session(token))
    assert (got["REMOTE_USER"], got["AUTH_ORG"]) == ("user_1", "org_1")
    assert got["AUTH_PERMISSIONS"] == "org:invoices:read"
    assert site.request("/admin/app.cgi", [session(token)]).status == 200
    member = provider.token(org_id="org_1", org_role="org:member")
    assert refused(site, member, "/admin/app.cgi") == (403, "rule_failed", "Not allowed")


def test_s3_2_version_2(provider, site):
    token = provider.token(**V2)
    got = examples.environment(site, session(token))
    assert got["AUTH_ORG"] == "org_1"
    assert got["AUTH_PERMISSIONS"] == "org:invoices:read,org:invoices:write"
    assert site.request("/admin/app.cgi", [session(token)]).status == 200


def test_s3_2_parties(provider, site):
    assert refused(site, provider.token(azp="https://evil.example"))[:2] == (401, "bad_party")
    assert refused(site, provider.token(azp=None))[:2] == (401, "bad_party")
    assert refused(site, provider.token(header={"cat": "cl_B7d4PD333AAA"}))[:2] == (401, "bad_claim")
    assert refused(site, provider.token("mch_1"))[:2] == (401, "bad_claim")


def test_s3_2_leeway(provider, site):
    now = int(time.time())
    assert examples.ask(site, provider.token(iat=now - 62, exp=now - 2)).status == 200
    assert refused(site, provider.token(iat=now - 68, exp=now - 8)) == (401, "token_expired", "Token has expired")
    assert refused(site, provider.token(nbf=now + 60))[:2] == (401, "not_yet_valid")


def test_s3_2_suffix(provider):
    """The cookie of a development instance."""
    with provider.site({"type = clerk": "type = clerk\ncookie = __session_k1x7aB3_"}) as site:
        token = provider.token()
        assert peers.user(site, peers.cookie_line({"__session_k1x7aB3_": token})) == "user_1"
        assert peers.refusal(site, session(token)) == (401, "no_token")


def test_s3_2_audience(provider):
    """Where it is written, it counts: only tokens of a JWT template have one."""
    with provider.site({"type = clerk": "type = clerk\naudience = api"}) as site:
        assert examples.ask(site, provider.token(aud="api")).status == 200
        assert refused(site, provider.token())[:2] == (401, "bad_audience")


# --- with each web server -----------------------------------------------------------------------------------

@pytest.fixture(scope="module", params=SERVERS)
def each(request, provider, backend, application):
    with provider.site(server=request.param, backend=backend.port, application=application) as running:
        yield running


def test_s3_3_bearer_for_the_service(provider, each):
    token = provider.token()
    answer = each.request("/api/user_1/list", [session(token)], kind="proxied")
    assert answer.status == 200, answer.text
    got = {name.lower(): value for name, value in answer.json["headers"]}
    assert got["authorization"] == f"Bearer {token}"
    # Elsewhere it stays here.
    answer = each.request("/papp/x", [session(token)], kind="proxied")
    assert answer.status == 200 and "authorization" not in {name.lower() for name, _ in answer.json["headers"]}


def test_s3_5_another_user(provider, each):
    assert examples.ask(each, provider.token(), API).status == 200
    assert refused(each, provider.token(), "/api/user_2/app.cgi") == (403, "user_mismatch", "User ID mismatch")


def test_s3_7_plan(provider, each):
    now, good = int(time.time()), provider.token()
    middle = len(good) - 20
    assert refused(each, good[:middle] + ("A" if good[middle] != "A" else "B") + good[middle + 1:], API) == \
        (401, "bad_signature", "Invalid token")
    assert refused(each, tokens.tampered(good), API) == (401, "bad_signature", "Invalid token")
    assert refused(each, provider.token(iat=now - 120, exp=now - 60), API) == \
        (401, "token_expired", "Token has expired")
    assert refused(each, provider.token(iss="https://clerk.evil.example"), API)[0] == 401
    assert refused(each, tokens.unsigned("user_1"), API)[0] == 401
    assert examples.told(each.request(API)) == (401, "no_token", "Authentication required")
    assert examples.ask(each, good, API).status == 200


def test_s3_7_renewal(provider, each):
    """Every minute there is a new one; the old one is good until its own end, whatever the new one is."""
    old, new = provider.token(jti="1"), provider.token(jti="2")
    assert [peers.user(each, session(token)) for token in (old, new, old)] == ["user_1"] * 3


def test_s3_7_people(provider, each):
    """Without a token people go to the sign-in page, and come back to where they were."""
    answer = each.request(peers.APP + "?a=1", cases.NAVIGATION)
    assert answer.status == 302
    assert answer.header("Location").startswith("/sign-in?rd=") and "app.cgi%3Fa%3D1" in answer.header("Location")
    assert each.request(API, cases.NAVIGATION).status == 401


# --- what the design had planned ----------------------------------------------------------------------------

def test_s3_4_local_user(provider):
    state = "state-dir = /var/lib/fcgi-auth"
    places = {state: f"{state}\nuser-records = /var/lib/fcgi-auth-records",
              "login-url = /sign-in": "login-url = /sign-in\nlocal-user = on"}
    site = provider.site(places)
    (site.folder / "state-records").mkdir(mode=0o750)
    with site:
        numbers = [examples.environment(site, session(provider.token(user)))["AUTH_LOCAL_USER_ID"]
                   for user in ("user_1", "user_2", "user_1")]
    assert numbers[0].isdigit() and numbers[0] == numbers[2] != numbers[1]


def test_s3_6_api_keys_and_their_rate(provider):
    places = {"path-user = /api/{user}/**": "path-user = /api/{user}/**\ntoken-from = bearer, cookie, api-key"}
    with provider.site(places) as site:
        key = test_api_keys.key_of(site, "user_1", "--rate", "5/m")
        answers = [site.request(API, [f"X-API-Key: {key}"]) for _ in range(12)]
        limited = [answer for answer in answers if answer.status == 429]
        assert answers[0].status == 200 and len(limited) >= 6, [answer.status for answer in answers]
        assert examples.told(limited[0])[1:] == ("rate_limited", "Too many attempts")
        assert int(limited[0].header("Retry-After")) > 0
        assert examples.ask(site, provider.token(), API).status == 200


def test_s3_6_revoked_at_once(provider, site):
    """With all tokens of the session, the one of the next minute too; another session of the user goes on."""
    token, renewed, other = provider.token(), provider.token(nbf=None), provider.token(sid="sess_2")
    assert peers.user(site, session(token)) == "user_1"
    answer = peers.log_out(site, session(token))
    assert answer.cookies["__session"][0] == ""
    assert {peers.refusal(site, session(one)) for one in (token, renewed)} == {(401, "token_revoked")}
    assert peers.user(site, session(other)) == "user_1"
    kinds = {json.loads(line)["kind"] for line in site.authctl("revocations", "list", "--json").stdout.splitlines()}
    assert kinds == {"token", "session"}


def test_s3_6_verdicts_are_kept(provider):
    """Apache's module may use a verdict again, and forgets it at the logout."""
    token = provider.token()
    with provider.site(server="apache-direct", more="AuthRequestCache on\n") as site:
        assert [peers.user(site, session(token)) for _ in range(3)] == ["user_1"] * 3
        peers.log_out(site, session(token))
        assert peers.refusal(site, session(token)) == (401, "token_revoked")
