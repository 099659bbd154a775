# SPDX-License-Identifier: Apache-2.0
"""Issuing by a key ring through lighttpd: every algorithm, /jwks.json, and keys that change under load."""

import base64
import collections
import hashlib
import json
import os
import signal
import threading

import jwt
import pytest
from jwcrypto import jwk, jws

import harness
import tokens

ALGORITHMS = ("HS256", "RS256", "PS256", "ES256", "EdDSA")
PUBLIC_MEMBERS = {"kty", "use", "alg", "kid", "n", "e", "crv", "x", "y"}
ROTATIONS, CLIENTS = 100, 3


def make(make_site, algorithms, processes=1):
    """A site, not started, whose issuer has a ring that is not there yet, and an account that is quick to log in."""
    site = make_site(start=False, processes=processes)
    site.ring = site.folder / "conf" / "ring.json"
    site.write_configuration({'issuer "main"': {"algorithms": algorithms, "secret": None,
                                                "key-ring": f"file:{site.ring}"}})
    return site


def add_key(site, *words):
    kid = site.authctl("keys", "add", *words).stdout.strip()
    for key in json.loads(site.ring.read_text())["keys"]:
        tokens.SENSITIVE.update(key[name] for name in ("d", "k") if name in key)
    return kid


def log_in(site, user, password):
    answer = site.request("/auth/login", ["Content-Type: application/json", "Accept: application/json"], "POST",
                          json.dumps({"username": user, "password": password}).encode())
    assert answer.status == 200, (answer.status, answer.text)
    return tokens.sensitive(answer.json["token"])


def bearer(token):
    return [f"Authorization: Bearer {token}", "Accept: application/json"]


def kid_of(token):
    return jwt.get_unverified_header(token)["kid"]


def jwks(site):
    answer = site.request("/auth/jwks.json")
    return answer.json["keys"] if answer.status == 200 else []


# Issuing -------------------------------------------------------------------------

@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_login_with_every_algorithm(make_site, algorithm):
    site = make(make_site, algorithm)
    kid = add_key(site)
    password = site.add_user("alice")
    site.start()
    token = log_in(site, "alice", password)
    assert jwt.get_unverified_header(token) == {"alg": algorithm, "typ": "JWT", "kid": kid}
    answer = site.request("/app/app.cgi", bearer(token))
    assert answer.status == 200 and answer.json["environment"]["REMOTE_USER"] == "alice"
    answer = site.request("/auth/verify-token", bearer(token))
    assert answer.status == 200 and answer.json["user"]["id"] == "alice"
    check_elsewhere(site, token, algorithm)

    browser = site.browser()
    page = browser.get("/auth/login")
    assert browser.submit(page, "/auth/login", {"username": "alice", "password": password}).status == 303
    assert kid_of(browser.jar["auth"]) == kid and browser.get("/app/page.txt").status == 200

    issued = tokens.sensitive(site.authctl("token", "issue", "--user", "bob").stdout.strip())
    assert kid_of(issued) == kid and site.request("/app/page.txt", bearer(issued)).status == 200
    for one in (token, issued):
        assert site.request("/auth/logout", bearer(one), "POST", b"").status == 200
        assert site.request("/app/page.txt", bearer(one)).status == 401
    assert site.request("/app/page.txt", bearer(tokens.tampered(log_in(site, "alice", password)))).status == 401


def check_elsewhere(site, token, algorithm):
    """As another service would: by nothing but /jwks.json."""
    if algorithm.startswith("HS"):
        answer = site.request("/auth/jwks.json", ["Accept: application/json"])
        assert answer.status == 404 and answer.json["reason"] == "not_found"
        return
    key = jwt.PyJWKSet(jwks(site)).keys[0]
    assert key.key_id == kid_of(token)
    assert jwt.decode(token, key.key, [algorithm], audience=tokens.AUDIENCE, issuer=tokens.ISSUER)["sub"] == "alice"
    checked = jws.JWS()
    checked.allowed_algs = [algorithm]
    checked.deserialize(token, jwk.JWKSet.from_json(json.dumps({"keys": jwks(site)})).get_key(kid_of(token)))
    assert json.loads(checked.payload)["sub"] == "alice"


def test_jwks_json(make_site):
    site = make(make_site, ", ".join(ALGORITHMS))
    kids = [add_key(site, "--algorithm", algorithm) for algorithm in ALGORITHMS]
    site.start()
    answer = site.request("/auth/jwks.json")
    assert answer.status == 200
    assert answer.header("Content-Type") == "application/jwk-set+json"
    assert answer.header("Cache-Control") == "public, max-age=300"
    assert answer.header("ETag").startswith('"') and answer.header("ETag").endswith('"')
    assert [(key["kid"], key["alg"]) for key in answer.json["keys"]] == list(zip(kids[1:], ALGORITHMS[1:]))
    assert all(key.keys() <= PUBLIC_MEMBERS and key["use"] == "sig" for key in answer.json["keys"])
    head = site.request("/auth/jwks.json", method="HEAD")
    assert (head.status, head.body, head.header("ETag")) == (200, b"", answer.header("ETag"))
    assert head.header("Content-Type") == "application/jwk-set+json"
    assert site.request("/auth/jwks.json").header("ETag") == answer.header("ETag")
    wrong = site.request("/auth/jwks.json", ["Accept: application/json"], "POST", b"")
    assert wrong.status == 405 and wrong.header("Allow") == "GET, HEAD, OPTIONS"
    added = add_key(site, "--algorithm", "ES256")
    harness.wait_for("the new key", lambda: added in [key["kid"] for key in jwks(site)])
    assert site.request("/auth/jwks.json").header("ETag") != answer.header("ETag")


@pytest.mark.parametrize("bad", ["{", None])
def test_bad_ring_leaves_the_old_keys(make_site, bad):
    """None: the file is gone. What is bad is said once; when it is good again it counts."""
    site = make(make_site, "ES256")
    old, good = add_key(site), site.ring.read_text()
    site.start()
    if bad is None:
        site.ring.unlink()
    else:
        site.ring.write_text(bad)
    harness.wait_for("the complaint", lambda: all("event=reload_failed" in site.log_text(name)
                                                  for name in harness.SOCKETS))
    token = site_token(site, good, old)
    assert site.request("/app/page.txt", bearer(token)).status == 200
    site.ring.touch(mode=0o600)
    site.ring.write_text(good)
    new = add_key(site, "--first")
    harness.wait_for("the new ring", lambda: {key["kid"] for key in jwks(site)} == {old, new})
    assert all(site.log_text(name).count("event=reload_failed") <= 2 for name in harness.SOCKETS)


def site_token(site, ring, kid):
    """A token as the site would sign it, by the private key of a ring's text."""
    key, = (key for key in json.loads(ring)["keys"] if key["kid"] == kid)
    private = jwt.algorithms.ECAlgorithm.from_jwk(json.dumps(key))
    return tokens.mint(key=private, algorithm=key["alg"], header={"kid": kid})


@pytest.mark.parametrize("options", [
    'algorithms = ES256\npublic-key = {folder}/public.pem\n',
    'algorithms = ES256\njwks = https://sso.example/jwks.json\n'])
def test_issuer_that_cannot_sign_is_no_login_issuer(make_site, options):
    site = make(make_site, "ES256")
    add_key(site)
    key = jwk.JWK(**{name: value for name, value in json.loads(site.ring.read_text())["keys"][0].items()
                     if name != "iat"})
    (site.folder / "public.pem").write_bytes(key.export_to_pem())
    site.configuration.write_text(
        f"[server]\nstate-dir = {site.state}\n" '[issuer "x"]\niss = x\n' + options.format(folder=site.folder)
        + '[policy "p"]\npath = /**\n[login]\nissuer = x\n')
    done = site.authctl("check", check=False)
    assert done.returncode == 78 and "can't sign tokens" in done.stdout and "key-ring" in done.stdout


# Rotation under load -----------------------------------------------------------------

class Processes:
    """Two processes of each program, each with a log of its own, so that it can be told which has read the ring."""

    def __init__(self, site):
        self.logs = {}
        for name, service in site.services.items():
            service.start_one()
            first = service.log
            service.log = site.folder / "log" / f"{name}-second.log"
            harness.LOGS.append(service.log)
            service.start_one()
            self.logs.update(zip(service.workers(), (first, service.log)))
        site.web.start()

    def reload(self):
        """Returns when each process has read the ring as it is now: faster than to wait for each one's next look."""
        sizes = {pid: log.stat().st_size for pid, log in self.logs.items()}
        for pid in self.logs:
            os.kill(pid, signal.SIGHUP)
        for pid, log in self.logs.items():
            harness.wait_for("a reload", lambda log=log, size=sizes[pid]: b"event=reload " in log.read_bytes()[size:])


class Client(threading.Thread):
    """Logs in, uses the token, and again. It keeps no token beyond a round, as if tokens lived no longer."""

    def __init__(self, site, user, password):
        super().__init__()
        self.site, self.user, self.password = site, user, password
        self.rounds, self.failures, self.ending = 0, [], threading.Event()
        self.tokens = collections.OrderedDict()  # the last of each key

    def run(self):
        while not self.ending.is_set():
            try:
                self.round()
            except (OSError, AssertionError, KeyError, ValueError) as failure:
                self.failures.append(repr(failure))
            self.rounds += 1

    def round(self):
        token = log_in(self.site, self.user, self.password)
        self.tokens[kid_of(token)] = token
        for target in ("/app/page.txt", "/auth/verify-token", "/app/page.txt"):
            answer = self.site.request(target, bearer(token))
            assert answer.status == 200, (target, answer.status, answer.text)
        assert kid_of(token) in [key["kid"] for key in jwks(self.site)]


def make_accounts(site):
    """As many as there are clients, with hashes that cost nothing, so that logins and not hashes are measured."""
    made = {f"user{i}": tokens.password() for i in range(CLIENTS)}
    file = site.folder / "htpasswd"
    file.write_text("".join(f"{user}:{{SHA}}{base64.b64encode(hashlib.sha1(word.encode()).digest()).decode()}\n"
                            for user, word in made.items()))
    site.authctl("users", "import-htpasswd", str(file))
    return made


def test_rotation_under_load(make_site):
    """Add, promote, retire, a hundred times: no good token refused, none of a retired key accepted."""
    site = make(make_site, "ES256, EdDSA")
    current = add_key(site)
    clients = [Client(site, *account) for account in make_accounts(site).items()]
    processes = Processes(site)
    for client in clients:
        client.start()

    def wait_for_rounds(n):
        begun = [client.rounds for client in clients]
        harness.wait_for("rounds", lambda: all(client.rounds >= before + n for client, before in zip(clients, begun)),
                         30)

    try:
        for i in range(ROTATIONS):
            before, current = current, add_key(site, "--algorithm", ("ES256", "EdDSA")[i % 2])
            processes.reload()
            site.authctl("keys", "promote", "--at-once", current)
            processes.reload()
            wait_for_rounds(2)  # the one that was under way, and a whole one
            site.authctl("keys", "retire", before)
            processes.reload()
            for client in clients:
                assert not client.failures, client.failures[:5]
                old = client.tokens.get(before) if i else None
                assert old or i == 0, "no client had a token of this key"
                for target in ("/app/page.txt", "/auth/verify-token") * 2 if old else ():
                    assert site.request(target, bearer(old)).status == 401
    finally:
        for client in clients:
            client.ending.set()
        for client in clients:
            client.join()
    assert not any(client.failures for client in clients)
    assert [key["kid"] for key in json.loads(site.ring.read_text())["keys"]] == [current]
    assert all(len(client.tokens) >= ROTATIONS for client in clients)
