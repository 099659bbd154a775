# SPDX-License-Identifier: Apache-2.0
"""JWK Sets that are fetched: picked up, rotated, lost, poisoned, and asked for by those who want to do harm."""

import json
import os
import secrets
import signal
import sqlite3
import subprocess
import threading
import time

import pytest

import harness
import jwks_source
import raw_server
import tokens
import ways
from jwks_source import Key, Source, jwk_set

PAGE = "/app/page.txt"


@pytest.fixture
def source():
    made = []

    def make(*keys, **more):
        made.append(Source(*keys, **more))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def site_of(make_site):
    """A site that takes the tokens of an issuer elsewhere as well as its own."""

    def make(url, options=None, **how):
        sections = {'issuer "elsewhere"': {"algorithms": ["RS256", "ES256", "EdDSA"], "iss": jwks_source.ISSUER,
                                           "jwks": url, "jwks-cooldown": "30s"} | (options or {}),
                    'policy "site"': {"issuer": ["main", "elsewhere"]}}
        return make_site(**{"sections": sections, "processes": 2} | how)

    return make


def ask(site, token):
    return site.request(PAGE, [f"Authorization: Bearer {token}"])


def status(site, token):
    return ask(site, token).status


def reason(site, token):
    answer = site.request(PAGE, [f"Authorization: Bearer {token}", "Accept: application/json"])
    return answer.json["reason"] if answer.status != 200 else "ok"


def until(site, token, want, timeout=10):
    harness.wait_for(f"status {want}", lambda: status(site, token) == want, timeout)


def log_lines(site, text):
    return [line for name in harness.SOCKETS for line in site.log_text(name).splitlines() if text in line]


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
def test_keys_are_there_when_a_site_has_started(source, site_of, algorithm):
    key, server = Key("one", algorithm), None
    server = source(key)
    site = site_of(server.url)
    assert [status(site, key.mint()) for _ in range(8)] == [200] * 8
    assert status(site, tokens.mint()) == 200
    # Six processes: two of each program.
    assert server.fetches == 1
    assert len(log_lines(site, "event=keys")) == 6


def test_a_new_key_is_fetched_when_a_token_names_it(source, site_of):
    old, new = Key("old"), Key("new")
    server = source(old)
    site = site_of(server.url, {"jwks-cooldown": "1s"})
    assert status(site, old.mint()) == 200
    # The cool-down of the first fetch is over when the key is taken up.
    server.publish(old, new)
    until(site, new.mint(), 200)
    harness.wait_for("every process", lambda: [status(site, new.mint()) for _ in range(16)] == [200] * 16)
    assert status(site, old.mint()) == 200
    assert server.fetches == 2


def test_a_key_that_was_taken_back_is_refused_after_the_refresh(source, site_of):
    old, new = Key("old"), Key("new")
    server = source(old, new, fields=b"Cache-Control: max-age=1\r\n")
    site = site_of(server.url, {"jwks-cooldown": "1s"})
    assert status(site, old.mint()) == 200
    server.publish(new, fields=b"Cache-Control: max-age=1\r\n")
    until(site, old.mint(), 401)
    harness.wait_for("every process", lambda: [status(site, old.mint()) for _ in range(16)] == [401] * 16)
    assert reason(site, old.mint()) == "unknown_key"
    assert status(site, new.mint()) == 200


def test_the_same_keys_again_are_no_change(source, site_of):
    key = Key("one")
    server = source(key, fields=b"Cache-Control: max-age=1\r\n")
    site = site_of(server.url, {"jwks-cooldown": "1s"}, processes=1)
    harness.wait_for("three fetches", lambda: server.fetches >= 3)
    assert status(site, key.mint()) == 200
    assert len(log_lines(site, "event=keys")) == 3


class Flood:
    """Clients that show a thousand tokens a second, beside one that shows good ones."""

    CLIENTS, PAUSE = 8, 0.008

    def __init__(self, site, good, make, seconds):
        self.site, self.good, self.make = site, good, make
        self.end = time.monotonic() + seconds
        self.answers, self.lasted = [], []

    def run(self):
        threads = [threading.Thread(target=self.shower) for _ in range(self.CLIENTS)]
        for thread in threads:
            thread.start()
        while time.monotonic() < self.end:
            begun = time.monotonic()
            assert status(self.site, self.good) == 200
            self.lasted.append(time.monotonic() - begun)
        for thread in threads:
            thread.join()
        return self

    def shower(self):
        due = time.monotonic()
        while time.monotonic() < self.end:
            self.answers.append(status(self.site, self.make()))
            due += self.PAUSE
            while time.monotonic() < due:
                time.sleep(0.001)  # until its turn


def p99(times):
    return sorted(times)[len(times) * 99 // 100]


def slow():
    """Five seconds and a bit, then an empty set."""
    threading.Event().wait(5.2)
    yield raw_server.plain(b'{"keys":[]}')


#: What becomes of the source before unknown kids come in.
WEATHER = {"up": lambda server, key: server.publish(key), "down": lambda server, key: server.go_down(),
           "empty": lambda server, key: server.publish(), "slow": lambda server, key: server.publish_raw(slow)}


@pytest.mark.parametrize("change", WEATHER.values(), ids=WEATHER)
def test_a_flood_of_unknown_kids(source, site_of, change):
    key = Key("one")
    server = source(key)
    site = site_of(server.url, {"jwks-cooldown": "3s"})
    good = key.mint()
    rest = good.split(".", 1)[1]

    def unknown():
        # The signature is never looked at: one token with another kid each time.
        return tokens.b64(json.dumps({"alg": "ES256", "kid": secrets.token_hex(8)}).encode()) + "." + rest

    calm = Flood(site, good, lambda: good, 2).run()
    change(server, key)
    begun, fetched = time.monotonic(), server.fetches
    flood = Flood(site, good, unknown, 10).run()
    seconds, fetches = time.monotonic() - begun, server.fetches - fetched
    print(f"{len(flood.answers)} in {seconds:.1f} s, {fetches} fetches, p99 {p99(calm.lasted) * 1000:.1f} ms ->"
          f" {p99(flood.lasted) * 1000:.1f} ms, 401: {flood.answers.count(401)}, 503: {flood.answers.count(503)}")
    assert 1 <= fetches <= seconds // 3 + 1
    # A kept connection that was closed would be asked twice.
    assert server.connections == server.fetches
    assert set(flood.answers) <= {401, 503}
    assert status(site, good) == 200


def test_a_kid_that_was_not_found_is_remembered(source, site_of):
    key, missing = Key("one"), Key("missing")
    server = source(key)
    site = site_of(server.url, {"jwks-cooldown": "2s"}, processes=1)
    token = missing.mint()
    harness.wait_for("the fetch", lambda: status(site, token) == 401 and server.fetches == 2)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        assert status(site, token) == 401
    assert server.fetches == 2
    # Another one is worth a fetch, and with a new set the first one is too.
    server.publish(key, missing)
    until(site, Key("third").mint(), 401)
    until(site, token, 200)
    assert server.fetches == 3


# --- what is refused -----------------------------------------------------------


def big_set():
    """Whole and right, but of more than 256 kB."""
    return jwk_set(Key("new"), {"kty": "unknown", "kid": "x" * 300000})


def typed(kind, body=None):
    return raw_server.plain(body or jwk_set(Key("new")), b"Content-Type: " + kind + b"\r\n")


#: Answers that must not become the keys, and a word of the reason in the log.
POISON = {
    "status 500": (raw_server.plain(jwk_set(Key("new")), status=b"500 Oh"), "status 500"),
    "status 204": (b"HTTP/1.1 204 No Content\r\nContent-Type: application/json\r\n\r\n", "status 204"),
    "redirect": (raw_server.plain(b"", b"Location: /other\r\n", b"302 Found"), "redirect"),
    "redirect to a file": (raw_server.plain(b"", b"Location: file:///etc/passwd\r\n", b"301 Moved"), "redirect"),
    "HTML": (typed(b"text/html"), "text/html"),
    "text": (typed(b"text/plain"), "text/plain"),
    "no type": (raw_server.plain(jwk_set(Key("new")), b""), "type"),
    "almost JSON": (typed(b"application/jsonp"), "jsonp"),
    "compressed": (raw_server.plain(b"\x1f\x8b", raw_server.JSON + b"Content-Encoding: gzip\r\n"), "compressed"),
    "too large": (raw_server.plain(big_set()), "size"),
    "too large, in chunks": (raw_server.chunked([big_set()]), "longer"),
    "no JSON": (raw_server.plain(b"<keys/>"), "JSON"),
    "cut JSON": (raw_server.plain(jwk_set(Key("new"))[:-1]), "JSON"),
    "a name twice": (raw_server.plain(b'{"keys":[],"keys":[]}'), "JSON"),
    "no object": (raw_server.plain(b"[]"), ""),
    "no keys": (raw_server.plain(b"{}"), ""),
    "an empty set": (raw_server.plain(jwk_set()), ""),
    "a secret": (raw_server.plain(jwk_set(Key("new"), {"kty": "oct", "k": "AAAA", "kid": "s"})), ""),
    "a private key": (raw_server.plain(jwk_set(Key("more"), Key("new").private())), ""),
    "ten thousand keys": (raw_server.plain(b'{"keys":[' + b",".join([b'{"kty":"x"}'] * 10000) + b"]}"), ""),
    "only keys of other kinds": (raw_server.plain(jwk_set({"kty": "EC", "crv": "P-999", "x": "AA", "y": "AA"})), ""),
}


@pytest.mark.parametrize("answer, word", POISON.values(), ids=POISON)
def test_poison_changes_nothing(source, site_of, answer, word):
    key = Key("one")
    server = source(key, fields=b"Cache-Control: max-age=1\r\n")
    site = site_of(server.url, {"jwks-cooldown": "1s"}, processes=1)
    server.publish_raw(answer)
    seen = server.fetches
    harness.wait_for("two fetches", lambda: server.fetches >= seen + 2)
    assert status(site, key.mint()) == 200
    # Named once by each process that has asked, whatever number of times it was tried.
    told = log_lines(site, "the last good set stays in use")
    assert 1 <= len(told) <= 3 and all(word in line for line in told), told
    assert all(request.startswith("GET /jwks ") for request in server.requests)


def test_good_types(source, site_of):
    key = Key("one")
    for kind in (b"application/jwk-set+json", b"Application/JSON; charset=utf-8", b"application/vnd.keys+json"):
        server = source()
        server.publish_raw(raw_server.plain(jwk_set(key), b"Content-Type: " + kind + b"\r\n"))
        assert status(site_of(server.url, processes=1), key.mint()) == 200


# --- attacks by tokens ---------------------------------------------------------


def test_a_secret_of_nothing_is_no_key(source, site_of):
    """An RSA key without alg is no HMAC key of length 0, nor one whose secret is its own text."""
    key = Key("one", "RS256")
    public = key.public()
    del public["alg"]
    site = site_of(source(public).url, {"algorithms": ["RS256"]})
    assert status(site, key.mint()) == 200
    payload = json.dumps({"sub": "alice", "iss": jwks_source.ISSUER, "exp": int(time.time()) + 600}).encode()
    for secret in ("", key.jwk.export_to_pem().decode(), json.dumps(public), public["n"]):
        token = tokens.sign({"alg": "HS256", "kid": "one", "typ": "JWT"}, payload, secret)
        assert reason(site, token) == "bad_algorithm"


def test_nobody_asks_where_a_token_says(source, site_of):
    key, own, foreign = Key("one"), Key("two"), source()
    foreign.publish(own)
    site = site_of(source(key).url, {"jwks-cooldown": "1s"})
    for member in ("jku", "x5u"):
        assert status(site, own.mint(header={member: foreign.url})) in (401, 503)
        assert status(site, own.mint(kid=foreign.url, header={member: foreign.url})) in (401, 503)
    embedded = own.mint(kid="one", header={"jwk": own.public()})
    assert reason(site, embedded) == "bad_signature"
    assert foreign.connections == 0


# --- losing and finding --------------------------------------------------------


def test_the_last_good_set_outlives_a_restart(source, site_of):
    key, new = Key("one"), Key("new")
    server = source(key)
    site = site_of(server.url, {"jwks-cooldown": "1s"})
    server.go_down()
    site.services["verify"].stop()
    site.services["verify"].start()
    assert [status(site, key.mint()) for _ in range(8)] == [200] * 8
    until(site, new.mint(), 401)
    server.publish(key, new)
    until(site, new.mint(), 200)


def test_a_set_that_is_too_old_is_not_used(source, site_of):
    key = Key("one")
    server = source(key)
    site = site_of(server.url, {"jwks-cooldown": "1s", "jwks-stale": "1h"})
    server.go_down()
    for service in site.services.values():
        service.stop()
    with sqlite3.connect(site.state / "keys.db") as database:
        database.execute("UPDATE source SET fetched = fetched - 3600 * 1000")
    database.close()
    site.services["verify"].start()
    answer = ask(site, key.mint())
    assert answer.status == 503 and answer.header("Retry-After")
    assert reason(site, key.mint()) == "keys_unavailable"
    # The site's own tokens have nothing to do with it.
    assert status(site, tokens.mint()) == 200
    server.publish(key)
    until(site, key.mint(), 200)


def test_a_set_becomes_too_old_while_it_is_used(source, site_of):
    key = Key("one")
    server = source(key)
    site = site_of(server.url, {"jwks-cooldown": "1s", "jwks-refresh": "10s", "jwks-stale": "0"}, processes=1)
    server.go_down()
    assert status(site, key.mint()) == 200
    until(site, key.mint(), 503, timeout=20)
    assert log_lines(site, "too old to be used")
    server.publish(key)
    until(site, key.mint(), 200)


def test_a_site_starts_while_the_source_is_down(source, site_of):
    key = Key("one")
    server = source(key)
    server.go_down()
    site = site_of(server.url, {"jwks-cooldown": "1s"})
    assert reason(site, key.mint()) == "keys_unavailable"
    assert status(site, tokens.mint()) == 200
    server.publish(key)
    until(site, key.mint(), 200)


def test_a_killed_process_is_no_loss(source, site_of):
    """Also one that was about to fetch: its claim ends by itself."""
    key, new = Key("one"), Key("new")
    server = source(key)
    site = site_of(server.url, {"jwks-cooldown": "1s"}, managed=True)
    server.publish_raw(slow)
    # The first ones come within the cool-down.
    harness.wait_for("a fetch", lambda: server.fetches == 2 or status(site, new.mint()) == 0)
    for pid in site.services["verify"].workers():
        os.kill(pid, signal.SIGKILL)
    server.publish(key, new)
    harness.wait_for("service", lambda: status(site, key.mint()) == 200)
    until(site, new.mint(), 200, timeout=20)


def test_a_damaged_file_costs_a_fetch(source, site_of):
    key = Key("one")
    server = source(key)
    site = site_of(server.url)
    for service in site.services.values():
        service.stop()
    (site.state / "keys.db").write_bytes(b"no database" * 1000)
    site.services["verify"].start()
    assert status(site, key.mint()) == 200
    assert server.fetches == 2
    assert (site.state / "keys.db.damaged").exists()


def test_the_cooldown_holds_without_the_shared_one(source, site_of):
    key = Key("one")
    server = source(key)
    site = site_of(server.url, {"jwks-cooldown": "2s"}, processes=1)
    with sqlite3.connect(site.state / "keys.db") as database:
        database.execute("DROP TABLE source")
    database.close()
    good = key.mint()
    rest = good.split(".", 1)[1]
    begun, fetched = time.monotonic(), server.fetches

    def unknown():
        return tokens.b64(json.dumps({"alg": "ES256", "kid": secrets.token_hex(8)}).encode()) + "." + rest

    flood = Flood(site, good, unknown, 5).run()
    seconds = time.monotonic() - begun
    assert 1 <= server.fetches - fetched <= seconds // 2 + 1
    assert set(flood.answers) <= {401, 503}


# --- the library ---------------------------------------------------------------


def maps(site):
    return ["libcurl" in open(f"/proc/{pid}/maps").read() for pid in site.services["verify"].workers()]


def test_the_library_is_loaded_where_it_is_needed(source, site_of, make_site):
    assert maps(make_site()) == [False]
    assert maps(site_of(source(Key("one")).url)) == [True, True]


def test_the_library_is_missing(source, cgi, tmp_path):
    (tmp_path / "libcurl.so.4").write_bytes(b"no library")
    key = Key("one")
    site, verify = cgi(source(key).url)
    here = harness.environment() | {"LD_LIBRARY_PATH": str(tmp_path)}
    done = subprocess.run([harness.program("auth-verify"), "-c", site.configuration, "-l", f"unix:{tmp_path}/socket"],
                          capture_output=True, text=True, env=here, timeout=20)
    assert done.returncode == 1 and "libcurl.so.4" in done.stderr and "install it" in done.stderr
    assert "no libcurl" in subprocess.run([harness.program("auth-verify"), "--version"], capture_output=True,
                                          text=True, env=here, timeout=20).stdout
    assert verify(key.mint()) == 200, "with the library"


# --- reloads -------------------------------------------------------------------


def reload(site, name="verify"):
    seen = site.log_text(name).count("event=reload ")
    pids = site.services[name].workers()
    for pid in pids:
        os.kill(pid, signal.SIGHUP)
    harness.wait_for("reload", lambda: site.log_text(name).count("event=reload ") >= seen + len(pids))


def replace(site, old, new):
    site.configuration.write_text(site.configuration.read_text().replace(old, new))


def test_reloads_leave_no_gap(source, site_of):
    key = Key("one")
    server = source(key)
    site = site_of(server.url)
    flood = Flood(site, key.mint(), key.mint, 3)
    running = threading.Thread(target=flood.run)
    running.start()
    for _ in range(10):
        reload(site)
    running.join()
    assert set(flood.answers) == {200} and len(flood.answers) > 100
    assert server.fetches == 1


def test_a_reload_with_other_options_keeps_the_set(source, site_of):
    key = Key("one")
    server = source(key)
    site = site_of(server.url)
    server.go_down()
    replace(site, "jwks-cooldown = 30s", "jwks-cooldown = 31s")
    reload(site)
    assert [status(site, key.mint()) for _ in range(8)] == [200] * 8


def test_a_reload_with_another_url(source, site_of):
    old, new = Key("old"), Key("new")
    first, second = source(old), source(new)
    site = site_of(first.url)
    replace(site, first.url, second.url)
    reload(site)
    assert [status(site, new.mint()) for _ in range(8)] == [200] * 8
    assert [status(site, old.mint()) for _ in range(8)] == [401] * 8
    seen = first.fetches
    # And to one that needs none.
    kept, _ = site.configuration.read_text().split('[issuer "elsewhere"]')
    site.configuration.write_text(f'{kept}[issuer "elsewhere"]\nalgorithms = HS256\niss = {jwks_source.ISSUER}\n'
                                  f"secret = file:{site.secret}\n")
    reload(site)
    assert reason(site, new.mint()) == "bad_algorithm"
    assert first.fetches == seen == 1 and second.fetches == 1


def test_the_first_url_comes_by_a_reload(source, make_site):
    key = Key("one")
    server = source(key)
    site = make_site(processes=2)
    with open(site.configuration, "a") as configuration:
        configuration.write(f'[issuer "elsewhere"]\nalgorithms = ES256\niss = {jwks_source.ISSUER}\n'
                            f'jwks = {server.url}\n[policy "more"]\npath = /public/**\nissuer = elsewhere\n')
    reload(site)
    assert site.request("/public/page.txt", [f"Authorization: Bearer {key.mint()}"]).status == 200


@pytest.mark.parametrize("url, word", [("http://issuer.example/jwks", "plain http"), ("ftp://issuer.example/", "jwks"),
                                       ("https://user:word@issuer.example/", "password"), ("issuer.example", "jwks")])
def test_a_url_that_may_not_be_asked(make_site, url, word):
    site = make_site(start=False, sections={'issuer "main"': {"algorithms": "ES256", "secret": None, "jwks": url},
                                            "login": {"issuer": None}})
    done = site.authctl("check", check=False)
    assert done.returncode == 78 and word in done.stdout + done.stderr, done
    assert "fcgi-auth.conf:" in done.stdout + done.stderr


def test_plain_http_where_it_is_allowed(source, site_of):
    """0.0.0.0 is this machine, but no address of it that is known to stay here."""
    key = Key("one")
    server = source(key)
    site = site_of(server.url.replace("127.0.0.1", "0.0.0.0"), {"allow-plain-http": "on"}, processes=1)
    assert status(site, key.mint()) == 200


@pytest.mark.parametrize("option", ["jwks", "public-key"])
def test_a_key_file_that_changes_is_read_again(make_site, tmp_path, option):
    old, new = Key("old"), Key("new")
    path = tmp_path / "keys"

    def write(key):
        (tmp_path / "fresh").write_bytes(jwk_set(key) if option == "jwks" else key.jwk.export_to_pem())
        (tmp_path / "fresh").chmod(0o644)
        (tmp_path / "fresh").rename(path)

    tmp_path.chmod(0o755)
    write(old)
    site = make_site(processes=2, sections={
        'issuer "elsewhere"': {"algorithms": "ES256", "iss": jwks_source.ISSUER,
                               option: f"file:{path}" if option == "jwks" else path},
        'policy "site"': {"issuer": ["main", "elsewhere"]}})
    assert status(site, old.mint()) == 200
    write(new)
    until(site, new.mint(), 200, timeout=30)
    harness.wait_for("every process", lambda: [status(site, old.mint()) for _ in range(8)] == [401] * 8, 30)


# --- programs of one request ---------------------------------------------------


@pytest.fixture
def cgi(make_site):
    """Programs that are started for each request, with the issuer of that source."""

    def make(url, **options):
        site = make_site(start=False, sections={
            'issuer "elsewhere"': {"algorithms": "ES256", "iss": jwks_source.ISSUER, "jwks": url} | options,
            'policy "site"': {"issuer": ["main", "elsewhere"]}})
        return site, lambda token: ways.run(site, "verify", PAGE, [f"Authorization: Bearer {token}"]).status

    return make


def test_cgi_fetches_once_for_all(source, cgi):
    key, new = Key("one"), Key("new")
    server = source(key)
    _, verify = cgi(server.url)
    assert verify(tokens.mint()) == 200 and server.fetches == 0, "only when a token needs it"
    assert [verify(key.mint()) for _ in range(5)] == [200] * 5
    assert server.fetches == 1
    # Within the cool-down nobody asks again.
    server.publish(new)
    assert [verify(new.mint()) for _ in range(5)] == [401] * 5
    server.go_down()
    assert verify(key.mint()) == 200
    assert server.fetches == 1


def test_cgi_takes_up_new_keys_and_lives_without_the_source(source, cgi):
    key, new = Key("one"), Key("new")
    server = source(key)
    site, verify = cgi(server.url, **{"jwks-cooldown": "1s", "jwks-refresh": "1h"})
    assert verify(key.mint()) == 200
    server.publish(key, new)
    harness.wait_for("the new key", lambda: verify(new.mint()) == 200)
    assert server.fetches == 2

    def set_back(hours):
        with sqlite3.connect(site.state / "keys.db") as database:
            database.execute(f"UPDATE source SET fetched = fetched - {hours} * 3600000, claimed = claimed - 60000")
        database.close()

    # Old enough to be fetched again, and good while that fails.
    set_back(2)
    server.go_down()
    assert [verify(new.mint()) for _ in range(3)] == [200] * 3
    assert server.fetches == 3
    set_back(24)
    assert verify(new.mint()) == 503


def test_cgi_without_a_folder_for_state(source, cgi):
    """Every request is refused for want of revocations, but none crashes for want of kept keys."""
    key = Key("one")
    site, verify = cgi(source(key).url)
    site.state.rmdir()
    assert verify(key.mint()) == 503


def test_cgi_obeys_no_proxy_header(source, cgi):
    key, proxy = Key("one"), source()
    site, _ = cgi(source(key).url)
    answer = ways.run(site, "verify", PAGE, [f"Authorization: Bearer {key.mint()}",
                                             f"Proxy: http://127.0.0.1:{proxy.port}"])
    assert answer.status == 200 and proxy.connections == 0


# --- authctl -------------------------------------------------------------------


def check_line(site):
    done = site.authctl("check", check=False)
    return done.returncode, next(line for line in done.stdout.splitlines() if "jwks http" in line)


def test_authctl_check_asks(source, cgi):
    key = Key("one")
    server = source(key)
    site, verify = cgi(server.url + "?api-key=hidden")
    server.answers["/jwks?api-key=hidden"] = server.answers["/jwks"]
    # Whatever the cool-down says: somebody wants to know.
    for fetches in (1, 2):
        _, line = check_line(site)
        assert line.startswith("ok ") and "fetched, 1 key in use" in line and "hidden" not in line
        assert server.fetches == fetches
    assert verify(key.mint()) == 200 and server.fetches == 2, "what it has fetched is of use to others"
    server.answers["/jwks?api-key=hidden"] = raw_server.plain(b"{}", status=b"404 Gone")
    _, line = check_line(site)
    assert line.startswith("warning ") and "status 404" in line and "1 key, fetched " in line
    (site.state / "keys.db").unlink()
    returncode, line = check_line(site)
    assert returncode != 0 and line.startswith("FAILED ") and "503" in line


def test_authctl_verifies_with_fetched_keys(source, cgi):
    key = Key("one")
    server = source(key)
    site, _ = cgi(server.url)
    for _ in range(2):
        done = site.authctl("token", "verify", "--policy", "site", text=key.mint())
        assert done.returncode == 0, done
    # A time of its own says nothing about when the keys were fetched.
    site.authctl("token", "verify", "--policy", "site", "--now", str(int(time.time()) + 300), text=key.mint())
    assert server.fetches == 1
    with sqlite3.connect(site.state / "keys.db") as database:
        fetched, claimed = database.execute("SELECT fetched, claimed FROM source").fetchone()
    database.close()
    assert abs(fetched / 1000 - time.time()) < 60 and abs(claimed / 1000 - time.time()) < 60
