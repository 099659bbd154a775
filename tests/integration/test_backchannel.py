# SPDX-License-Identifier: Apache-2.0
"""OpenID Connect Back-Channel Logout 1.0: an issuer elsewhere says that a session has ended."""

import json
import secrets
import sqlite3
import time
import urllib.parse

import jwt
import pytest

import jwks_source
import peers
import responder
import tokens

PROVIDER, CLIENT = "https://idp.example", "site-client"
EVENT = "http://schemas.openid.net/event/backchannel-logout"
KEY, FOREIGN = jwks_source.Key("k1"), jwks_source.Key("k1")


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    keys = tmp_path_factory.mktemp("keys") / "provider.jwks"
    keys.write_bytes(jwks_source.jwk_set(KEY))
    keys.parent.chmod(0o755)
    running = responder.Programs(processes=2, sections={
        'issuer "provider"': {"type": "jwt", "algorithms": "ES256", "jwks": f"file:{keys}", "iss": PROVIDER,
                              "audience": "site", "authorized-parties": CLIENT, "leeway": "10s"},
        'issuer "by-mail"': {"type": "jwt", "algorithms": "HS512", "secret": f"text:{tokens.OTHER_SECRET}",
                             "iss": "https://mail.example", "audience": "site", "user-id": "email"},
        'issuer "plain"': {"type": "jwt", "algorithms": "HS384", "secret": f"text:{tokens.OTHER_SECRET}"},
        'policy "site"': {"issuer": ["main", "provider"]},
        "login": {"cookie": None, "issuer": "main"}})
    running.site.services["verify"].start()
    yield running
    running.close()


def access(user="ann", **claims):
    now = int(time.time())
    return KEY.mint(**({"sub": user, "iss": PROVIDER, "aud": "site", "azp": CLIENT, "iat": now - 1,
                        "jti": secrets.token_hex(8)} | claims))


def logout_token(key=KEY, header=None, drop=(), **claims):
    now = int(time.time())
    payload = {"iss": PROVIDER, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": secrets.token_hex(8),
               "events": {EVENT: {}}} | claims
    for name in "iat", "exp":  # a small number counts from now
        if isinstance(payload[name], int) and abs(payload[name]) < 10**6:
            payload[name] += now
    return tokens.sensitive(jwt.encode({name: value for name, value in payload.items() if name not in drop}, key.pem,
                                       algorithm="ES256", headers={"kid": key.kid, "typ": "logout+jwt"} |
                                       (header or {})))


def send(programs, token, target="/auth/logout/backchannel", **how):
    return programs.ask("logout", "POST", target, {}, urllib.parse.urlencode({"logout_token": token}).encode(),
                        responder.FORM, **how)


def told(programs, token, **how):
    answer = send(programs, token, **how)
    assert answer.header("Cache-Control") == "no-store"
    return answer.status


def entries(programs):
    with sqlite3.connect(f"file:{programs.site.state}/revocations.db?mode=ro", uri=True) as db:
        return db.execute("SELECT (SELECT count(*) FROM revoked), (SELECT total(not_before) FROM mark)").fetchone()


def refused(programs, token):
    before = entries(programs)
    answer = send(programs, token)
    assert answer.status == 400 and answer.header("Cache-Control") == "no-store"
    value = json.loads(answer.body)
    assert set(value) == {"error", "error_description"} and value["error"] == "invalid_request"
    assert entries(programs) == before
    return value["error_description"]


# --- what it ends -----------------------------------------------------------------------

def test_a_session(programs):
    user = "sid-user"
    ended, later, other = (access(user, sid=sid) for sid in ("s-1", "s-1", "s-2"))
    assert programs.is_good(ended)
    assert told(programs, logout_token(sub=user, sid="s-1")) == 200
    assert [programs.is_good(token) for token in (ended, later, other)] == [False, False, True]
    assert told(programs, logout_token(sid="s-2")) == 200
    assert not programs.is_good(other)


def test_a_user(programs):
    held, other = [access("sub-user", sid="a"), access("sub-user")], access("sub-user-2")
    assert told(programs, logout_token(sub="sub-user")) == 200
    assert [programs.is_good(token) for token in (*held, other)] == [False, False, True]
    assert programs.is_good(access("sub-user", iat=int(time.time()) + 2))


def test_of_that_issuer_alone(programs):
    """Another issuer's sessions and users may have the same names."""
    mine = tokens.mint("shared-name", sid="shared-sid")
    assert told(programs, logout_token(sub="shared-name")) == 200
    assert told(programs, logout_token(sid="shared-sid")) == 200
    assert programs.is_good(mine)


def test_the_answer_is_empty(programs):
    answer = send(programs, logout_token(sid="empty"))
    assert answer.status == 200 and answer.body == b"" and answer.header("Content-Length") == "0"
    assert not answer.all("Set-Cookie")
    line = [line for line in programs.site.log_text("logout").splitlines() if "event=backchannel_logout" in line][-1]
    assert "one session" in line


@pytest.mark.parametrize("how", [
    {"header": {"typ": "JWT"}}, {"header": {"typ": None}}, {"header": {"typ": "application/LOGOUT+JWT"}},
    {"aud": ["other", CLIENT]}, {"aud": "site"}, {"events": {EVENT: {"x": 1}, "urn:other": {}}},
    {"exp": -5}, {"iat": 30}, {"sub": 7}], ids=str)
def test_good_ones(programs, how):
    assert told(programs, logout_token(**{"sid": "good", **how})) == 200


# --- what it refuses ----------------------------------------------------------------------

@pytest.mark.parametrize("how, said", [
    ({"key": FOREIGN}, "signature"), ({"header": {"kid": "unknown"}}, "signature"),
    ({"header": {"typ": "at+jwt"}}, "typ"),
    ({"header": {"typ": "secevent+jwt"}}, "typ"), ({"iss": "https://evil.example"}, "iss"), ({"drop": ["iss"]}, "iss"),
    ({"aud": "other"}, "aud"), ({"aud": []}, "aud"), ({"drop": ["aud"]}, "aud"), ({"drop": ["iat"]}, "iat"),
    ({"iat": "now"}, "iat"), ({"iat": 600}, "future"), ({"drop": ["exp"]}, "exp"),
    ({"exp": -60}, "exp"), ({"drop": ["jti"]}, "jti"), ({"jti": ""}, "jti"), ({"jti": 1}, "jti"),
    ({"drop": ["events"]}, "events"), ({"events": {}}, "events"), ({"events": [EVENT]}, "events"),
    ({"events": {EVENT: True}}, "events"), ({"events": {EVENT + "x": {}}}, "events"), ({"nonce": "n"}, "nonce"),
    ({"nonce": None}, "nonce"), ({"drop": ["sid"]}, "neither sid nor sub"), ({"sid": ""}, "neither sid nor sub"),
    ({"sid": 5}, "neither sid nor sub"), ({"sid": "", "sub": ""}, "sub"), ({"crit": ["x"], "drop": ["sid"]}, "sid")],
    ids=str)
def test_bad_ones(programs, how, said):
    assert said in refused(programs, logout_token(**{"sid": "bad", **how}))


def test_forgeries(programs):
    good = logout_token(sid="forged")
    header, payload, signature = good.split(".")
    none = tokens.b64(b'{"alg":"none","typ":"logout+jwt"}')
    confused = tokens.sign({"alg": "HS256", "typ": "logout+jwt", "kid": "k1"},
                           json.dumps({"iss": PROVIDER, "sid": "forged"}).encode(), json.dumps(KEY.public()))
    for token in (f"{none}.{payload}.", f"{header}.{payload}.", f"{header}.{payload}",
                  f"{header}.{payload}.{signature}x", "x", "a.b.c", ".", confused, "a" * 20000):
        assert refused(programs, token)
    assert told(programs, good) == 200


def test_other_tokens_are_none(programs):
    """Neither a token for access nor an ID token logs anybody out."""
    for token in (access("kept", sid="kept"), access("kept", sid="kept", aud=CLIENT),
                  KEY.mint(sub="kept", iss=PROVIDER, aud=CLIENT, iat=int(time.time()), nonce="n", jti="x", sid="kept")):
        assert refused(programs, token)
    assert programs.is_good(access("kept", sid="kept"))


def test_once_alone(programs):
    user = "replay-user"
    token = logout_token(sub=user)
    assert told(programs, token) == 200
    fresh = access(user, iat=int(time.time()) + 5)
    assert programs.is_good(fresh)
    assert "before" in refused(programs, token)
    assert "before" in refused(programs, logout_token(sid="x", jti=jwt.decode(
        token, options={"verify_signature": False})["jti"]))
    assert programs.is_good(fresh)


def test_users_by_another_claim(programs):
    """user-id = email: a sub says nothing, unless the claim comes too."""
    def by_mail(**claims):
        now = int(time.time())
        return tokens.sensitive(jwt.encode(
            {"iss": "https://mail.example", "aud": "site", "iat": now, "exp": now + 60, "jti": secrets.token_hex(8),
             "events": {EVENT: {}}, "sub": "4711"} | claims, tokens.OTHER_SECRET, algorithm="HS512"))
    assert "another claim" in refused(programs, by_mail())
    assert told(programs, by_mail(email="ann@example.org")) == 200


def test_issuer_without_a_list_of_iss(programs):
    """Its tokens may say anything of themselves."""
    now = int(time.time())
    token = jwt.encode({"iss": "https://anybody.example", "aud": "site", "iat": now, "exp": now + 60, "jti": "j",
                        "events": {EVENT: {}}, "sub": "ann"}, tokens.OTHER_SECRET, algorithm="HS384")
    assert "iss" in refused(programs, tokens.sensitive(token))


def test_wrong_requests(programs):
    token = logout_token(sid="asked-wrongly")
    body = urllib.parse.urlencode({"logout_token": token}).encode()
    target = "/auth/logout/backchannel"
    for content, content_type in ((json.dumps({"logout_token": token}).encode(), "application/json"),
                                  (b"", responder.FORM),
                                  (body + b"&" + body, responder.FORM), (body, "text/plain"), (token.encode(), None)):
        answer = programs.ask("logout", "POST", target, {}, content, content_type)
        assert answer.status == 400 and json.loads(answer.body)["error"] == "invalid_request"
    assert programs.ask("logout", "POST", f"{target}?{body.decode()}", {}, b"", responder.FORM).status == 400
    for method in ("GET", "HEAD", "PUT"):
        answer = programs.ask("logout", method, target)
        assert answer.status == 405 and answer.header("Allow") == "POST, OPTIONS"
    assert programs.ask("logout", "POST", target, {}, b"x" * 70000, responder.FORM).status == 413
    assert programs.is_good(access("bob", sid="asked-wrongly"))


# --- no access by a logout token --------------------------------------------------------------

@pytest.mark.parametrize("header", [{"typ": "logout+jwt"}, {"typ": "JWT"}, {"typ": "application/logout+jwt"},
                                    {"typ": "secevent+jwt"}])
def test_never_for_access(programs, header):
    """Signed by the same key, for the same audience: by what it is alone."""
    token = logout_token(header=header, sub="ann", aud="site", azp=CLIENT, sid="none")
    if header["typ"] == "secevent+jwt":
        token = logout_token(header=header, sub="ann", aud="site", azp=CLIENT, sid="none", drop=["events"])
    good = programs.ask("verify", "GET", "/app/", {"Authorization": f"Bearer {access()}"})
    assert good.status == 200
    asked = programs.ask("login", "GET", "/auth/verify-token", {"Authorization": f"Bearer {token}"})
    assert asked.status == 401 and json.loads(asked.body)["reason"] == "bad_claim"
    verdict = programs.ask("verify", "GET", "/app/", {"Authorization": f"Bearer {token}"})
    assert verdict.status == 401 and json.loads(verdict.body)["reason"] == "bad_claim"


# --- trouble ----------------------------------------------------------------------------------

def test_store_locked(programs):
    """Not kept: said so, and taken when it is sent once more."""
    token, held = logout_token(sid="locked"), access("liz", sid="locked")
    holder = sqlite3.connect(programs.site.state / "revocations.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    answer = send(programs, token)
    assert answer.status == 503 and int(answer.header("Retry-After")) > 0
    assert json.loads(answer.body)["error"] == "temporarily_unavailable"
    holder.execute("ROLLBACK")
    holder.close()
    assert told(programs, token) == 200 and not programs.is_good(held)


def test_switched_off():
    programs = responder.Programs(sections={"logout": {"backchannel": "off"}})
    try:
        for method in ("GET", "POST", "OPTIONS"):
            assert programs.ask("logout", method, "/auth/logout/backchannel", {}, b"", None).status == 404
    finally:
        programs.close()


# --- a provider of its own, through a web server -------------------------------------------------

def test_provider_whose_keys_are_fetched():
    """Signed by panva/jose, with a key that nobody here has seen yet, through lighttpd."""
    with peers.Peer("jwks", ALG="ES256") as provider:
        issuer = {"type": "jwt", "algorithms": "ES256", "jwks": f"{provider.url}/jwks", "iss": provider.url,
                  "audience": CLIENT, "jwks-cooldown": "1s"}

        def sign(header=None, **claims):
            return provider.post("/sign", {"claims": {"iss": provider.url, "aud": CLIENT, "sub": "eve", "sid": "e1"} |
                                           claims, "header": header or {}}).json["token"]
        with peers.site(issuer) as site:
            token = sign()
            assert peers.user(site, peers.bearer(token)) == "eve"
            provider.post("/rotate?drop=1")
            out = sign({"typ": "logout+jwt"}, events={EVENT: {}}, jti="once")
            body = urllib.parse.urlencode({"logout_token": out}).encode()

            def tell():
                return site.request("/auth/logout/backchannel", [f"Content-Type: {responder.FORM}"], "POST", body)
            peers.harness.wait_for("the new key", lambda: tell().status != 400 or
                                   "before" in tell().text)
            assert peers.refusal(site, peers.bearer(sign())) == (401, "token_revoked")
