# SPDX-License-Identifier: Apache-2.0
"""Sessions of NextAuth, Auth.js and Better Auth through lighttpd: cookies that their libraries made, and sessions
that only their server knows."""

import base64
import concurrent.futures
import hashlib
import hmac
import itertools
import json
import pathlib
import threading
import urllib.parse

import harness
import pytest
import session_server
import tokens

HERE = pathlib.Path(__file__).resolve().parent
ROWS = {row["name"]: row for name in ("vectors-jwe.json", "vectors-better-auth.json")
        for row in json.loads((HERE.parent / "data" / name).read_text())}
SECRET = "better-auth-lab-secret-0123456789abcdef"
DATA, TOKEN = "better-auth.session_data", "better-auth.session_token"
PAGE = "/app/app.cgi"
THREADS = 4
NUMBERS = itertools.count()


def secrets(name):
    return [f"text:{secret}" for secret in ROWS[name]["key"]["secrets"]]


@pytest.fixture(scope="module")
def server():
    running = session_server.SessionServer()
    yield running
    running.close()


@pytest.fixture(scope="module")
def site(server):
    names = ("nextauth", "authjs", "chunked", "better")
    with harness.Site(
            more="server.max-request-field-size = 65536\n",
            sections={
                "server": {"threads": THREADS},
                'issuer "nextauth"': {"type": "nextauth", "secret": secrets("nextauth4-ok"), "max-token": "64k"},
                'issuer "authjs"': {"type": "authjs", "secret": secrets("authjs5-authjs.session-token-ok"),
                                    "cookie": "authjs.session-token"},
                'issuer "chunked"': {"type": "authjs", "secret": secrets("authjs5-authjs.session-token-ok"),
                                     "cookie": "__Secure-authjs.session-token"},
                'issuer "better"': {"type": "better-auth", "secret": f"text:{SECRET}", "session-url": server.url},
                'policy "site"': {"issuer": ", ".join(("main", *names))},
                'policy "other"': {"path": "/users/**", "issuer": "nextauth"},
            }) as running:
        yield running


def ask(site, *headers, target=PAGE):
    answer = site.request(target, ["Accept: application/json", *headers])
    if answer.status == 200:
        return answer.json["environment"]["REMOTE_USER"]
    return answer.json["reason"]


def cookie(name, value):
    return f"Cookie: a=b; {name}={value}; c=d"


def signed(token, secret=SECRET):
    mac = base64.b64encode(hmac.digest(secret.encode(), token.encode(), "sha256")).decode()
    return f"{token}.{urllib.parse.quote(mac, safe='')}"


def new_token():
    """32 letters and digits, another one each time."""
    return hashlib.sha256(b"%d" % next(NUMBERS)).hexdigest()[:32]


def compact(session, expires=4102444800000, secret=SECRET):
    text = session[:-1] + f',"expiresAt":{expires}}}'
    mac = base64.urlsafe_b64encode(hmac.digest(secret.encode(), text.encode(), "sha256")).decode().rstrip("=")
    outer = f'{{"session":{session},"expiresAt":{expires},"signature":"{mac}"}}'
    return base64.urlsafe_b64encode(outer.encode()).decode().rstrip("=")


# --- cookies that can be read here --------------------------------------------------------

@pytest.mark.parametrize("name", [
    "nextauth4-ok", "authjs5-authjs.session-token-ok", "authjs5-old-secret-rotation-ok",
    "better-auth-jwe-session_data-ok", "better-auth-jwt-session_data-HS256-ok"])
def test_cookie(site, name):
    row = ROWS[name]
    user = "d1iiUGBFZ67SBOwERMOU0uUVApiFjflB" if name.startswith("better") else "cmgoip1nt0001s89pzkw7bzlg"
    assert ask(site, cookie(row["cookieName"], row["token"])) == user


@pytest.mark.parametrize(("name", "reason"), [
    ("nextauth4-wrong-secret", "decrypt_failed"), ("nextauth4-expired", "token_expired"),
    ("nextauth4-tag-bitflip", "decrypt_failed"), ("authjs5-unknown-secret", "unknown_key"),
    ("authjs5-no-kid-second-secret", "decrypt_failed"), ("authjs5-salt-mismatch", "unknown_key"),
    ("better-auth-jwe-wrong-secret", "unknown_key"), ("better-auth-jwt-session_data-expired", "token_expired")])
def test_bad_cookie(site, name, reason):
    row = ROWS[name]
    assert ask(site, cookie(row["cookieName"], row["token"])) == reason


def test_token_of_another_cookie(site):
    """E6: the cookie's name is part of the key."""
    row = ROWS["authjs5-authjs.session-token-ok"]
    assert ask(site, cookie("__Secure-authjs.session-token", row["token"])) == "unknown_key"
    assert ask(site, cookie("next-auth.session-token", row["token"])) == "bad_algorithm"


@pytest.mark.parametrize("name", [
    "nextauth4-cookie-4chunks-ok", "nextauth4-cookie-chunks-reversed-ok", "nextauth4-12-cookie-11chunks-ok",
    "authjs5-cookie-3chunks-ok", "authjs5-cookie-chunks-reversed-ok"])
def test_chunks(site, name):
    assert ask(site, f"Cookie: {ROWS[name]['cookieHeader']}") == "cmgoip1nt0001s89pzkw7bzlg"


def test_missing_chunk(site):
    assert ask(site, f"Cookie: {ROWS['authjs5-cookie-chunk-missing']['cookieHeader']}") == "token_malformed"


def test_chunks_among_other_cookies(site):
    """NextAuth itself would join the foreign cookie, too."""
    token, name = ROWS["nextauth4-ok"]["token"], "next-auth.session-token"
    parts = f"{name}.2={token[200:]}; {name}-x=1; {name}.0={token[:90]}; {name}.x=2; {name}.1={token[90:200]}"
    assert ask(site, f"Cookie: {parts}") == ROWS["nextauth4-ok"]["user"]


def test_compact_cache(site):
    inner = '{"session":{"token":"%s","more":"\\u00e9"},"user":{"id":"u-compact"},"updatedAt":1}' % new_token()
    assert ask(site, cookie(DATA, compact(inner))) == "u-compact"
    assert ask(site, cookie(DATA, compact(inner, secret="x" + SECRET))) == "bad_signature"
    assert ask(site, cookie(DATA, compact(inner, 1700000000000))) == "token_expired"
    assert ask(site, cookie(DATA, compact(inner.replace("u-compact", ""), 4102444800000))) == "bad_claim"
    assert ask(site, f"Authorization: Bearer {compact(inner)}") == "token_malformed"


@pytest.mark.parametrize("name", ["better-auth-jwe-session_data-ok", "better-auth-jwt-session_data-HS256-ok"])
def test_cache_is_no_api_token(site, name):
    assert ask(site, f"Authorization: Bearer {ROWS[name]['token']}") in ("bad_algorithm", "unknown_key", "bad_issuer")
    assert ask(site, cookie(TOKEN, ROWS[name]["token"])) == "bad_algorithm"


def log_out(site, *headers):
    answer = site.request("/auth/logout", ["Accept: application/json", f"Origin: http://127.0.0.1:{site.port}",
                                           "Sec-Fetch-Site: same-origin", *headers], "POST", b"")
    assert answer.status == 200
    return answer


@pytest.mark.parametrize("name", ["nextauth4-ok", "authjs5-cookie-3chunks-ok"])
def test_logout_of_cookies(make_site, name):
    row = ROWS[name]
    kind = "authjs" if row["kind"] == "authjs-v5" else "nextauth"
    keys = {"type": kind, "secret": [f"text:{secret}" for secret in row["key"]["secrets"]],
            "cookie": row["cookieName"]}
    site = make_site(more="server.max-request-field-size = 65536\n",
                     sections={'issuer "main"': {**dict.fromkeys(("iss", "audience", "algorithms")), **keys},
                               "login": {"issuer": None, "backend": None}})
    line = f"Cookie: {row['cookieHeader']}" if "cookieHeader" in row else cookie(row["cookieName"], row["token"])
    assert ask(site, line) == "cmgoip1nt0001s89pzkw7bzlg"
    answer = log_out(site, line)
    assert answer.json["detail"] == "Token has been invalidated"
    assert ask(site, line) == "token_revoked"
    came = {pair.partition("=")[0].strip() for pair in line.removeprefix("Cookie: ").split(";")}
    assert {name for name in came if row["cookieName"] in name} <= set(answer.cookies)


# --- sessions that only the server knows --------------------------------------------------

def test_session(site, server):
    token = new_token()
    server.answers[token] = session_server.session(token, "u-cookie")
    for _ in range(5):
        assert ask(site, cookie(TOKEN, signed(token))) == "u-cookie"
    assert server.count(token) == 1
    path, _, headers = next(asked for asked in server.asked if asked[1] == token)
    assert path == "/api/auth/get-session" and headers["Cookie"] == f"{TOKEN}={signed(token)}"
    assert "Authorization" not in headers
    assert ask(site, f"Authorization: Bearer {token}") == "u-cookie"
    assert server.count(token) == 2


def test_signed_bearer(site, server):
    token = new_token()
    server.answers[token] = session_server.session(token, "u-bearer")
    assert ask(site, f"Authorization: Bearer {signed(token)}") == "u-bearer"
    assert ask(site, f"Authorization: Bearer {urllib.parse.unquote(signed(token))}") == "u-bearer"
    assert server.count(token) == 1


def test_wrong_signature_asks_nobody(site, server):
    token = new_token()
    server.answers[token] = session_server.session(token)
    assert ask(site, cookie(TOKEN, signed(token, "x" + SECRET))) == "bad_signature"
    assert ask(site, cookie(TOKEN, token)) == "token_malformed"
    assert server.count(token) == 0


def test_signed_out(site, server):
    token = new_token()
    for _ in range(3):
        assert ask(site, cookie(TOKEN, signed(token))) == "token_expired"
    assert server.count(token) == 1


#: What the server says instead of a good answer.
NO_ANSWERS = {
    "500": lambda good: (500, {}, good),
    "502": lambda good: (502, {}, "null"),
    "401": lambda good: (401, {}, good),
    "403": lambda good: (403, {}, "null"),
    "404": lambda good: (404, {}, ""),
    "201": lambda good: (201, {}, good),
    "302": lambda good: (302, {"Location": "/elsewhere"}, good),
    "html": lambda good: (200, {"Content-Type": "text/html"}, "<html>sign in</html>"),
    "empty": lambda good: "",
    "object": lambda good: "{}",
    "cut": lambda good: good[:-1],
    "two": lambda good: good + good,
    "other-token": lambda good: session_server.session(new_token()),
    "other-user": lambda good: good.replace('"userId": "d1', '"userId": "d2'),
    "no-end": lambda good: good.replace("expiresAt", "expires"),
    "large": lambda good: good[:-1] + " " * 20000 + "}",
    "short-body": lambda good: (200, {"Content-Length": len(good) + 9, "Connection": "close"}, good),
}


@pytest.mark.parametrize("kind", NO_ANSWERS)
def test_no_answer_that_counts(site, server, kind):
    token = new_token()
    server.answers[token] = NO_ANSWERS[kind](session_server.session(token))
    assert ask(site, cookie(TOKEN, signed(token))) == "profile_unavailable"
    assert not [asked for asked in server.asked if asked[0].endswith("elsewhere")]


def test_session_that_is_over(site, server):
    token = new_token()
    server.answers[token] = session_server.session(token, expires="2026-01-01T00:00:00.000Z")
    assert ask(site, cookie(TOKEN, signed(token))) == "token_expired"


def test_hanging_server_stops_nobody_else(site, server):
    """Half of the workers wait at most; the others go on, and say so to those who would wait, too."""
    held = [new_token() for _ in range(THREADS // 2)]
    known, late = new_token(), new_token()
    for token in (*held, known, late):
        server.answers[token] = session_server.session(token, "u-held")
    assert ask(site, cookie(TOKEN, signed(known))) == "u-held"
    server.held.update(held)
    server.released.clear()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        waiting = [pool.submit(ask, site, cookie(TOKEN, signed(token))) for token in held]
        harness.wait_for("all to be asked", lambda: all(server.count(token) for token in held))
        assert ask(site, cookie(TOKEN, signed(late))) == "profile_unavailable"
        assert ask(site, cookie(TOKEN, signed(held[0]))) == "profile_unavailable"
        assert ask(site, cookie(TOKEN, signed(known))) == "u-held"
        assert ask(site, f"Authorization: Bearer {tokens.mint('alice')}") == "alice"
        assert server.count(late) == 0
        # It never answers: they are told so when the time is over.
        assert {one.result() for one in waiting} == {"profile_unavailable"}
    server.released.set()
    assert ask(site, cookie(TOKEN, signed(late))) == "u-held"


def test_one_call_for_many(site, server):
    token = new_token()
    server.answers[token] = session_server.session(token, "u-many")
    server.held.add(token)
    server.released.clear()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        begun = [pool.submit(ask, site, cookie(TOKEN, signed(token))) for _ in range(16)]
        harness.wait_for("the call", lambda: server.count(token))
        threading.Timer(0.2, server.released.set).start()
        ends = [one.result() for one in begun]
    assert server.count(token) == 1
    assert set(ends) <= {"u-many", "profile_unavailable"} and "u-many" in ends


def test_logout_of_a_session(site, server):
    """Whatever carries the session is good no more, though the server goes on."""
    token, other = new_token(), new_token()
    for one in (token, other):
        server.answers[one] = session_server.session(one, "u-out")
    inner = '{"session":{"token":"%s"},"user":{"id":"u-out"},"updatedAt":1}' % token
    assert ask(site, cookie(TOKEN, signed(token))) == "u-out"
    assert ask(site, cookie(DATA, compact(inner))) == "u-out"
    answer = log_out(site, cookie(TOKEN, signed(token)))
    assert answer.json["detail"] == "Token has been invalidated" and TOKEN in answer.cookies
    assert ask(site, cookie(TOKEN, signed(token))) == "token_revoked"
    assert ask(site, f"Authorization: Bearer {token}") == "token_revoked"
    assert ask(site, cookie(DATA, compact(inner))) == "token_revoked"
    assert ask(site, cookie(TOKEN, signed(other))) == "u-out"


def test_logout_of_made_up_sessions(site):
    before = site.authctl("revocations", "list", "--json").stdout
    for _ in range(20):
        answer = log_out(site, f"Authorization: Bearer {new_token()}")
        assert answer.json["message"] == "Logout completed"
    assert site.authctl("revocations", "list", "--json").stdout == before


def test_logout_while_the_server_is_gone(site, server):
    token = new_token()
    server.answers[token] = (500, {}, "")
    answer = log_out(site, cookie(TOKEN, signed(token)))
    assert answer.json["message"] == "Logout completed" and TOKEN in answer.cookies


# --- configuration ------------------------------------------------------------------------

@pytest.mark.parametrize(("keys", "key", "words"), [
    ({"type": "authjs", "secret": f"text:{SECRET}"}, "cookie", ["__Secure-authjs.session-token"]),
    ({"type": "authjs", "secret": f"text:{SECRET}", "cookie": "a, b"}, "cookie", ["one name"]),
    ({"type": "nextauth"}, "secret", ["authctl secret generate"]),
    ({"type": "nextauth", "secret": "text:"}, "secret", ["empty"]),
    ({"type": "nextauth", "secret": "text:x", "algorithms": "HS256"}, "algorithms", ["nextauth"]),
    ({"type": "nextauth", "secret": "text:x", "encryption": "A256CBC-HS512"}, "encryption", ["A256GCM"]),
    ({"type": "better-auth"}, None, ["jwks", "secret", "session-url"]),
    ({"type": "better-auth", "secret": "text:short"}, "secret", ["32", "allow-short-secret"]),
    ({"type": "better-auth", "session-url": "http://auth.example/get-session"}, "session-url", ["http"]),
    ({"type": "better-auth", "secret": f"text:{SECRET}", "session-url": "file:/etc/passwd"},
     "session-url", ["https://"]),
])
def test_wrong_configuration(keys, key, words):
    nothing = dict.fromkeys(("iss", "audience", "algorithms", "secret"))
    site = harness.Site(sections={'issuer "main"': nothing | keys, "login": {"issuer": None, "backend": None}})
    try:
        done = site.authctl("check", check=False)
        assert done.returncode != 0
        said = done.stdout + done.stderr
        assert key is None or f"{key}: " in said, said
        assert all(word in said for word in words), said
    finally:
        site.close()
