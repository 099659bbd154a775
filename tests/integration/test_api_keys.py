# SPDX-License-Identifier: Apache-2.0
"""API keys through lighttpd and as plain CGI: what they open, what ends them, and where they never show up."""

import concurrent.futures
import json
import re
import secrets
import sqlite3
import subprocess
import time
import zlib

import pytest

import harness
import tokens
import ways
from cases import NAVIGATION

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ISS = "urn:fcgi-auth:api-key"
SECTIONS = {
    'policy "site"': {"token-from": "bearer, cookie, api-key", "attribute": "AUTH_SCOPE = claim:scope"},
    'policy "admin"': {"token-from": "api-key, bearer", "require": "scope contains write", "unauthenticated": "auto"},
}


@pytest.fixture(scope="module", params=["fastcgi", "libfcgi"])
def site(request, backend):
    with harness.Site(transport=request.param, processes=2, sections=SECTIONS, backend=backend.port) as running:
        yield running


@pytest.fixture(scope="module")
def one(backend):
    """A site with one transport, for what does not depend on it."""
    with harness.Site(processes=2, sections=SECTIONS, backend=backend.port) as running:
        yield running


def sensitive(key):
    """No log may show the key, nor its secret alone."""
    tokens.sensitive(key.rsplit("_", 1)[-1])
    return tokens.sensitive(key)


def add(site, owner="alice", *more):
    answer = json.loads(site.authctl("api-keys", "add", "--owner", owner, *more, "--json").stdout)
    sensitive(answer["key"])
    return answer


def key_of(site, owner="alice", *more):
    return add(site, owner, *more)["key"]


def id_of(key):
    return key.split("_")[1]


def checked(text):
    """A key with its six characters, of everything before them."""
    crc, check = zlib.crc32(text.encode()), ""
    for _ in range(6):
        crc, digit = divmod(crc, 62)
        check = DIGITS[digit] + check
    return sensitive(text + check)


def made_up(prefix="fak", id=None, secret=None):
    def draw(n):
        return "".join(secrets.choice(DIGITS) for _ in range(n))
    return checked(f"{prefix}_{id or draw(16)}_{secret or draw(43)}")


def header(key):
    return f"X-API-Key: {key}"


def bearer(key):
    return f"Authorization: Bearer {key}"


def last_denial(site):
    lines = [line for line in site.log_text("verify").splitlines() if line.startswith("event=deny ")]
    return dict(re.findall(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|\S*)', lines[-1]))


def refused(site, headers, status=401, reason="unknown_key", target="/app/app.cgi", told=None):
    answer = site.request(target, headers)
    assert answer.status == status, answer.text
    assert answer.json["reason"] == (told or reason)
    assert answer.header("Location") is None and answer.header("Cache-Control") == "no-store"
    assert (answer.header("WWW-Authenticate") is not None) == (status == 401)
    denial = last_denial(site)
    assert denial["reason"] == reason and denial["rid"] == answer.json["request_id"]
    return answer


# --- what a key opens ----------------------------------------------------------------------

SPELLINGS = {"header": header, "bearer": bearer, "folded": lambda key: f"x_api_KEY: {key}",
             "lower-case": lambda key: f"authorization: bearer {key}"}


@pytest.mark.parametrize("form", SPELLINGS.values(), ids=SPELLINGS)
def test_good(site, form):
    added = add(site, "alice", "--scope", "read write", "--expires", "1h")
    answer = site.request("/app/app.cgi", [form(added["key"])])
    assert answer.status == 200, answer.text
    seen = answer.json["environment"]
    assert seen["REMOTE_USER"] == seen["AUTH_USER_ID"] == "alice"
    assert seen["AUTH_API_KEY_ID"] == added["id"] == id_of(added["key"])
    assert seen["AUTH_SCOPE"] == "read write"
    assert seen["AUTH_EXPIRES"] == str(added["expires"]) and abs(added["expires"] - time.time() - 3600) < 60


@pytest.mark.parametrize("form", [header, bearer])
def test_application_does_not_see_it(site, form):
    """Neither in the environment of a script nor in the headers of a proxied application."""
    key = key_of(site, "alice")
    lines = [form(key), "Authorization: Basic dXNlcjpwYXNz"] if form is header else [form(key)]
    script = site.request("/app/app.cgi", lines)
    proxied = site.request("/papp/x", lines)
    assert script.status == proxied.status == 200
    for answer in (script, proxied):
        assert key not in answer.text and key.rsplit("_", 1)[-1] not in answer.text
    assert ("HTTP_AUTHORIZATION" in script.json["environment"]) == (form is header)
    seen = {name.lower(): value for name, value in proxied.json["headers"]}
    assert seen["x-auth-user"] == "alice" and seen["x-auth-api-key-id"] == id_of(key)


@pytest.mark.parametrize("form", [header, lambda key: f"X-Other: old {key}, x"], ids=["header", "another"])
@pytest.mark.parametrize("prefix", ["fak", "Other1"])
def test_application_does_not_see_one_that_did_not_decide(site, form, prefix):
    """Whoever shows a key beside a token has shown it to us, not to the application."""
    key = sensitive(made_up(prefix))
    for target in ("/app/app.cgi", "/papp/x"):
        answer = site.request(target, [bearer(tokens.mint()), form(key), "X-More: yes"])
        assert answer.status == 200 and key not in answer.text, answer.text
        assert "yes" in answer.text and "API_KEY_ID" not in answer.text.upper().replace("-", "_")
    almost = key[:-1]
    assert almost in site.request("/app/app.cgi", [bearer(tokens.mint()), form(almost)]).text


def test_key_of_the_application_is_left_alone(site):
    """A header of that name that decided nothing belongs to the application."""
    answer = site.request("/app/app.cgi", [bearer(tokens.mint()), header("of-the-application")])
    assert answer.status == 200
    assert answer.json["environment"]["HTTP_X_API_KEY"] == "of-the-application"
    assert "AUTH_API_KEY_ID" not in answer.json["environment"]


def test_pass_token_passes_no_key(make_site):
    site = make_site(sections={'policy "site"': SECTIONS['policy "site"'] | {"pass-token": "on"}})
    answer = site.request("/app/app.cgi", [header(key_of(site))])
    assert answer.status == 200 and "AUTH_TOKEN" not in answer.json["environment"]
    token = tokens.mint()
    assert site.request("/app/app.cgi", [bearer(token)]).json["environment"]["AUTH_TOKEN"] == token


def test_beside_tokens(site):
    """The first place in token-from that has something decides."""
    key, token = key_of(site, "bob", "--scope", "write"), tokens.mint("alice", scope="write")

    def user(target, *lines):
        answer = site.request(target, lines)
        return answer.json["environment"]["REMOTE_USER"] if answer.status == 200 else answer.status
    assert user("/app/app.cgi", bearer(token)) == "alice"
    assert user("/app/app.cgi", bearer(token), header(key)) == "alice"
    assert user("/admin/app.cgi", bearer(token), header(key)) == "bob"
    assert user("/admin/app.cgi", bearer(token)) == "alice"
    assert user("/admin/app.cgi", bearer(token), header("x")) == 401
    assert user("/app/app.cgi", f"Cookie: auth={token}", header(key)) == "alice"
    assert user("/app/app.cgi", f"Cookie: auth={key}") == 401


def test_rules(site):
    reader, writer = key_of(site, "alice", "--scope", "read"), key_of(site, "alice", "--scope", "read write")
    assert site.request("/admin/app.cgi", [header(writer)]).status == 200
    refused(site, [header(reader)], 403, "rule_failed", "/admin/app.cgi")
    refused(site, [header(key_of(site))], 403, "rule_failed", "/admin/app.cgi")
    assert site.request("/users/alice/app.cgi", [header(reader)]).status == 200
    refused(site, [header(writer)], 403, "user_mismatch", "/users/bob/app.cgi")


# --- what is refused -----------------------------------------------------------------------

def test_refused(site):
    key = key_of(site)
    for form in (header, bearer):
        refused(site, [form(made_up())], reason="unknown_key")
        wrong = made_up(id=id_of(key))
        refused(site, [form(wrong)], reason="bad_signature", told="unknown_key")
        assert last_denial(site)["issuer"] == "api-key" and last_denial(site)["kid"] == f'"{id_of(key)}"'
        for bad in (key[:-1], key + "A", key[:-1] + ("A" if key[-1] != "A" else "B"), key[:30], "fak_", key.swapcase(),
                    key.replace("_", "-"), key + " x", f'"{key}"', "fak_" + "%41" * 22):
            sensitive(bad)
            refused(site, [form(bad)], reason="token_malformed")
        assert site.request("/app/app.cgi", [form(key)]).status == 200
    refused(site, ["X-API-Key: " + tokens.mint()], reason="token_malformed")
    refused(site, ["X-API-Key:"], reason="no_token")
    refused(site, [bearer(made_up(prefix="other"))], reason="token_malformed")


def test_nothing_tells_ids_from_secrets(site):
    """Outside, an id that is not there and a secret that is wrong are the same."""
    key = key_of(site)
    answers = [site.request("/app/app.cgi", [header(text)]) for text in (made_up(), made_up(id=id_of(key)))]
    shown = [(answer.status, [pair for pair in answer.headers if pair[0] not in ("Date", "Content-Length")],
              answer.json | {"request_id": ""}) for answer in answers]
    assert shown[0] == shown[1]


def test_twice(site):
    a, b = key_of(site, "alice"), key_of(site, "bob")
    refused(site, [header(a), header(b)], reason="ambiguous_token")
    refused(site, [header(a), header(a)], reason="ambiguous_token")
    refused(site, [header(a), f"X_API.Key: {b}"], 400, "bad_request")
    assert last_denial(site)["why"] == '"HTTP_X_API_KEY"'
    refused(site, [bearer(a), bearer(b)], reason="ambiguous_token")
    refused(site, [header(a), bearer(b)], reason="ambiguous_token", target="/admin/app.cgi")
    refused(site, [header(a), bearer(a)], 403, "rule_failed", "/admin/app.cgi")


def test_never_redirected(site):
    for target, lines in (("/app/app.cgi", [header(made_up()), *NAVIGATION]),
                          ("/app/page.txt", [bearer(made_up()), "Accept: text/html"]),
                          ("/admin/app.cgi", [header(key_of(site)), *NAVIGATION])):
        answer = site.request(target, lines)
        assert answer.status in (401, 403) and answer.header("Location") is None
        assert answer.header("Content-Type") == "application/json" and answer.json["reason"]
    assert site.request("/app/app.cgi", NAVIGATION).status == 302


def test_without_api_key_in_token_from(make_site):
    site = make_site()
    key = key_of(site)
    refused(site, [header(key)], reason="no_token")
    refused(site, [bearer(key)], reason="token_malformed")
    assert site.request("/app/app.cgi", [header("a"), "X_API_Key: b", bearer(tokens.mint())]).status == 200


def test_alone_without_issuer(make_site):
    """A site of API keys needs no issuer."""
    site = make_site(start=False)
    site.configuration.write_text(f'[server]\nstate-dir = {site.state}\n[policy "api"]\npath = /**\n'
                                  'token-from = api-key\nunauthenticated = 401\n')
    site.start()
    assert site.request("/app/app.cgi", [bearer(key_of(site))]).status == 200
    refused(site, [bearer(tokens.mint())], reason="no_token")
    refused(site, NAVIGATION, reason="no_token")


# --- what ends a key -----------------------------------------------------------------------

def statuses(site, key, n=12):
    """Of every process that serves: those behind lighttpd and a plain CGI program."""
    found = {site.request("/app/app.cgi", [header(key)]).status for _ in range(n)}
    return found | {ways.run(site, "verify", "/app/app.cgi", [header(key)]).status}


def test_revoked_at_once(site):
    key, other = key_of(site), key_of(site)
    assert statuses(site, key) == {200}
    assert "revoked" in site.authctl("api-keys", "revoke", id_of(key)).stdout
    assert statuses(site, key) == {401} and statuses(site, other) == {200}
    listed = [json.loads(line)["id"] for line in site.authctl("api-keys", "list", "--json").stdout.splitlines()]
    assert id_of(other) in listed and id_of(key) not in listed
    assert "there is no API key" in site.authctl("api-keys", "revoke", id_of(key), check=False).stderr


def test_revocation_outlives_the_record(one):
    """A record that comes back, from another host or a backup, finds the revocation."""
    printed = add(one, "alice", "--print-record")
    line = json.loads(printed["record"])
    file = one.folder / "conf" / "keys"
    file.write_text(printed["record"] + "\n")
    text = one.configuration.read_text()
    one.configuration.write_text(text + f"[api-keys]\nfile = {file}\n")
    try:
        assert "may be taken out" in one.authctl("api-keys", "revoke", line["api_key_id"]).stdout
        assert ways.run(one, "verify", "/app/app.cgi", [header(printed["key"])]).json["reason"] == "token_revoked"
        listed = json.loads(one.authctl("api-keys", "show", line["api_key_id"], "--json").stdout)
        assert listed["state"] == "revoked" and listed["from"] == "file"
        entry, = [e for e in map(json.loads, one.authctl("revocations", "list", "--user", "alice", "--json")
                                 .stdout.splitlines()) if e["note"] == "api-keys revoke"][:1]
        assert entry["kind"] == "token" and entry["expires"] > time.time() + 50 * 365 * 86400
    finally:
        one.configuration.write_text(text)


def test_all_of_an_owner(one):
    keys, other = [key_of(one, "carol") for _ in range(3)], key_of(one, "carol.x")
    one.authctl("revocations", "add", "--user", "carol", "--iss", ISS)
    fresh = key_of(one, "carol")
    for key in keys:
        assert statuses(one, key, 4) == {401}
    assert statuses(one, fresh, 4) == statuses(one, other, 4) == {200}
    states = {entry["id"]: entry["state"] for entry in
              map(json.loads, one.authctl("api-keys", "list", "--owner", "carol", "--json").stdout.splitlines())}
    assert states == {id_of(key): "revoked" for key in keys} | {id_of(fresh): "good"}
    mark, = [e for e in map(json.loads, one.authctl("revocations", "list", "--user", "carol", "--json")
                            .stdout.splitlines()) if e["kind"] == "user"]
    assert mark["expires"] > time.time() + 50 * 365 * 86400, "keys without end must not come back"


@pytest.mark.parametrize("command", ["disable", "remove"])
def test_closed_account(one, command):
    name = "gone-" + command
    one.add_user(name)
    key = key_of(one, name)
    assert statuses(one, key, 2) == {200}
    one.authctl("users", command, name)
    assert statuses(one, key, 4) == {401}


def test_new_password_leaves_keys(one):
    one.add_user("daily")
    key = key_of(one, "daily")
    one.authctl("users", "passwd", "daily", text=tokens.password() + "\n")
    assert statuses(one, key, 2) == {200}


def test_expired(one):
    key = key_of(one, "alice", "--expires", "1s")
    harness.wait_for("the end of the key", lambda: one.request("/app/app.cgi", [header(key)]).status == 401)
    refused(one, [header(key)], reason="token_expired")
    shown = json.loads(one.authctl("api-keys", "show", id_of(key), "--json").stdout)
    assert shown["state"] == "expired" and shown["expires"] - shown["issued"] == 1


# --- rates and last use --------------------------------------------------------------------

def test_rate(site):
    """Exactly five, whichever of the processes they come to; then 429 until the window is over."""
    key = key_of(site, "alice", "--rate", "5/h")
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: site.request("/app/app.cgi", [header(key)]), range(30)))
    assert sorted(answer.status for answer in answers) == [200] * 5 + [429] * 25
    answers += [site.request("/app/app.cgi", [bearer(key), *NAVIGATION]),
                ways.run(site, "verify", "/app/app.cgi", [header(key)])]
    for answer in answers:
        if answer.status != 200:
            assert answer.status == 429 and answer.json["reason"] == "rate_limited"
            assert 0 < int(answer.header("Retry-After")) <= 3600
            assert answer.header("WWW-Authenticate") is None and answer.header("Location") is None
    assert last_denial(site)["reason"] == "rate_limited"
    assert site.request("/app/app.cgi", [header(key_of(site))]).status == 200
    # A wrong secret uses nothing up, and is told nothing of it.
    assert site.request("/app/app.cgi", [header(made_up(id=id_of(key)))]).status == 401
    fresh = key_of(site, "alice", "--rate", "1/h")
    for _ in range(3):
        assert site.request("/app/app.cgi", [header(made_up(id=id_of(fresh)))]).status == 401
    # authctl judges without counting.
    for _ in range(2):
        assert site.authctl("token", "verify", "--policy", "site", text=fresh).returncode == 0
    assert [site.request("/app/app.cgi", [header(fresh)]).status for _ in range(2)] == [200, 429]


def test_window_ends(one):
    key = key_of(one, "alice", "--rate", "2/s")
    answers = [one.request("/app/app.cgi", [header(key)]) for _ in range(3)]
    if [answer.status for answer in answers] == [200, 200, 429]:  # within a second, on a machine that is not busy
        assert answers[2].header("Retry-After") == "1"
    harness.wait_for("the next window", lambda: one.request("/app/app.cgi", [header(key)]).status == 200)


def test_rate_of_the_configuration(make_site):
    site = make_site(processes=2, sections=SECTIONS | {"api-keys": {"rate": "3/d"}})
    default, own, free = key_of(site), key_of(site, "alice", "--rate", "1/d"), key_of(site, "alice", "--rate", "none")
    found = [[site.request("/app/app.cgi", [header(key)]).status for _ in range(5)] for key in (default, own, free)]
    assert found == [[200] * 3 + [429] * 2, [200] + [429] * 4, [200] * 5]
    # Counting outlives a restart.
    for service in site.services.values():
        service.stop()
        service.start()
    assert site.request("/app/app.cgi", [header(default)]).status == 429


def test_nobody_can_count(make_site):
    """Without its counters a key with a rate is no good; one without goes on."""
    site = make_site(start=False, sections=SECTIONS)
    limited, free = key_of(site, "alice", "--rate", "5/h"), key_of(site)
    (site.state / "api-keys.limits").mkdir()
    site.start()
    refused(site, [header(limited)], 503, "store_unavailable")
    assert site.request("/app/app.cgi", [header(free)]).status == 200
    (site.state / "api-keys.limits").rmdir()
    harness.wait_for("counters", lambda: site.request("/app/app.cgi", [header(limited)]).status == 200)


def test_last_use(one):
    """Kept without a write to a database."""
    key, never = key_of(one), key_of(one)
    one.request("/app/app.cgi", [header(key)])
    before = {path.name: path.stat().st_mtime_ns for path in one.state.glob("*.db*") if not path.name.endswith("-shm")}
    for _ in range(50):
        assert one.request("/app/app.cgi", [header(key)]).status == 200
    after = {path.name: path.stat().st_mtime_ns for path in one.state.glob("*.db*") if not path.name.endswith("-shm")}
    assert before == after and "revocations.db" in before
    used = {entry["id"]: entry["last_use"] for entry in
            map(json.loads, one.authctl("api-keys", "list", "--json").stdout.splitlines())}
    assert abs(used[id_of(key)] - time.time()) < 120 and used[id_of(never)] is None


# --- options -------------------------------------------------------------------------------

def test_other_header_and_prefix(make_site):
    site = make_site(sections=SECTIONS | {"api-keys": {"header": "Machine-Key", "prefix": "acme1"}})
    key = key_of(site)
    assert key.startswith("acme1_")
    answer = site.request("/app/app.cgi", [f"Machine-Key: {key}"])
    assert answer.status == 200 and key not in answer.text
    assert site.request("/app/app.cgi", [bearer(key)]).status == 200
    refused(site, [header(key)], reason="no_token")
    refused(site, [f"Machine-Key: {made_up()}"], reason="token_malformed")


@pytest.mark.parametrize("options, message", [
    ({"header": "X_API_Key"}, "is no name of a header"), ({"header": "X API"}, "is no name of a header"),
    ({"header": "authorization"}, "has another meaning"), ({"header": "Cookie"}, "has another meaning"),
    ({"prefix": "a_b"}, "letters and digits"), ({"prefix": "seventeen-bytes-x"}, "letters and digits"),
    ({"secret": "text:short"}, "it needs 32"),
    ({"rate": "100"}, "100/m"), ({"rate": "0/m"}, "100/m"), ({"file": "/nonexistent"}, "No such file"),
])
def test_bad_options(make_site, options, message):
    site = make_site(start=False, sections={"api-keys": options})
    said = site.authctl("check", check=False)
    assert said.returncode == 78 and message in said.stdout, said.stdout
    assert re.search(rf"fcgi-auth\.conf:\d+: {next(iter(options))}: ", said.stdout)


def test_file(make_site):
    """Records in a file: read again when it changes; a bad one leaves the old ones."""
    site = make_site(start=False, sections=SECTIONS)
    file = site.folder / "conf" / "api-keys"
    site.write_configuration(SECTIONS | {"api-keys": {"file": file}})
    file.write_text("# none yet\n\n")
    first, second = (add(site, owner, "--scope", "write", "--print-record") for owner in ("alice", "bob"))
    assert first["key"].rsplit("_", 1)[-1][:43] not in first["record"]
    site.start()
    assert site.request("/app/app.cgi", [header(first["key"])]).status == 401
    file.write_text(f"# keys of this site\n{first['record']}\n\n  {second['record']}")
    harness.wait_for("the file", lambda: site.request("/app/app.cgi", [header(first["key"])]).status == 200)
    for made, owner in ((first, "alice"), (second, "bob")):
        assert site.request("/admin/app.cgi", [header(made["key"])]).json["environment"]["REMOTE_USER"] == owner
    in_store = key_of(site, "carol")
    assert site.request("/app/app.cgi", [header(in_store)]).status == 200
    listed = {entry["owner"]: entry["from"] for entry in
              map(json.loads, site.authctl("api-keys", "list", "--json").stdout.splitlines())}
    assert listed == {"alice": "file", "bob": "file", "carol": "store"}
    for bad, message in ((f"{first['record']}\nnonsense", ":2: no record"),
                         (f"{first['record']}\n{first['record']}", "twice"),
                         (first["record"].replace("alice", "a\\u0000"), ":1: no record")):
        file.write_text(bad)
        harness.wait_for("the complaint", lambda: message in site.log_text("verify"))
        assert message in site.authctl("check", check=False).stdout
        assert site.request("/app/app.cgi", [header(second["key"])]).status == 200
    file.write_text(second["record"])
    harness.wait_for("the key to go", lambda: site.request("/app/app.cgi", [header(first["key"])]).status == 401)
    file.chmod(0o666)
    assert "can be written by everybody" in site.authctl("check", check=False).stdout


def test_records_are_signed(make_site):
    """With a secret, who can write records but does not know it makes no key."""
    old, new = ("text:" + tokens.sensitive(secrets.token_urlsafe(32)) for _ in range(2))
    site = make_site(start=False, sections=SECTIONS)
    unsigned = add(site, "mallory")

    def use(*values):
        site.write_configuration(SECTIONS | {"api-keys": {"secret": list(values)}})

    def reason(made):
        answer = ways.run(site, "verify", "/app/app.cgi", [header(made["key"])])
        return answer.json["reason"] if answer.status != 200 else "ok"
    use(old)
    signed = add(site, "alice", "--scope", "read")
    assert (reason(unsigned), reason(signed)) == ("unknown_key", "ok")
    listed = [json.loads(line)["id"] for line in site.authctl("api-keys", "list", "--json").stdout.splitlines()]
    assert listed == [signed["id"]]
    assert "opens nothing" in site.authctl("api-keys", "show", unsigned["id"], check=False).stderr
    use(new, old)
    newer = add(site, "alice")
    assert (reason(signed), reason(newer)) == ("ok", "ok")
    use(new)
    assert (reason(signed), reason(newer)) == ("unknown_key", "ok")
    use(old, new)
    with sqlite3.connect(site.state / "revocations.db") as db:
        for was, now in (('"sub":"alice"', '"sub":"admin"'), ('"read"', '"root"'), ('"mac":"', '"mac":"A')):
            text, key = db.execute("SELECT record, k FROM record WHERE record LIKE '%\"read\"%'").fetchone()
            db.execute("UPDATE record SET record = ? WHERE k = ?", (text.replace(was, now), key))
            db.commit()
            assert reason(signed) == "unknown_key" and text.replace(was, now) != text
            db.execute("UPDATE record SET record = ? WHERE k = ?", (text, key))
            db.commit()
            assert reason(signed) == "ok"
    assert "is not signed by secret" in (site.folder / "log" / "verify-cgi.log").read_text()


def test_shared_servers_need_a_secret(make_site):
    """Who can write to memcached may not make keys with it."""
    site = make_site(start=False, sections={"store": {"memcached": "127.0.0.1:1"}})
    said = site.authctl("api-keys", "add", "--owner", "alice", check=False)
    assert said.returncode in (1, 78) and said.stdout == ""
    site.write_configuration(SECTIONS | {"store": {"memcached": "127.0.0.1:1"}})
    said = site.authctl("check", check=False)
    assert said.returncode == 78 and "needs secret in [api-keys]" in said.stdout, said.stdout


@pytest.fixture
def memcached():
    port, = harness.free_ports(1)
    server = subprocess.Popen(["memcached", "-l", "127.0.0.1", "-p", str(port), "-U", "0", "-M", "-u", "nobody"],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    yield f"127.0.0.1:{port}"
    server.kill()
    server.wait()


def test_two_hosts(make_site, memcached):
    """A key made on one host is good on the other, and revoked on either it ends on both."""
    shared = SECTIONS | {"store": {"memcached": memcached},
                         "api-keys": {"secret": "text:" + tokens.sensitive(secrets.token_urlsafe(32))}}
    hosts = [make_site(processes=2, sections=shared) for _ in range(2)]

    def status(site, key):
        return site.request("/app/app.cgi", [header(key)]).status
    for site in hosts:
        harness.wait_for("trust in the server",
                         lambda site=site: site.request("/app/app.cgi", [bearer(tokens.mint())]).status == 200)
    for here, there in (hosts, hosts[::-1]):
        first, second, third = (key_of(here, owner) for owner in ("alice", "alice", "bob"))
        for key in (first, second, third):
            harness.wait_for("the key on both hosts", lambda key=key: {status(site, key) for site in hosts} == {200})
        there.authctl("api-keys", "revoke", id_of(first))
        harness.wait_for("the revocation of one", lambda: {status(site, first) for site in hosts} == {401}, 3)
        assert {status(site, key) for site in hosts for key in (second, third)} == {200}
        here.authctl("revocations", "add", "--user", "alice", "--iss", ISS)
        harness.wait_for("the revocation of all", lambda: {status(site, second) for site in hosts} == {401}, 3)
        assert {status(site, third) for site in hosts} == {200}


# --- authctl -------------------------------------------------------------------------------

def test_commands(one):
    said = one.authctl("api-keys", "add", "--owner", "dave", "--name", "Nightly backup", "--scope", "read",
                       "--rate", "9/m", "--expires", "90d")
    key = sensitive(said.stdout.strip())
    assert re.fullmatch(r"fak_[0-9A-Za-z]{16}_[0-9A-Za-z]{49}\n", said.stdout) and said.stderr == ""
    assert checked(key[:-6]) == key
    shown = json.loads(one.authctl("api-keys", "show", id_of(key), "--json").stdout)
    assert shown == {"id": id_of(key), "owner": "dave", "name": "Nightly backup", "scope": "read", "rate": "9/m",
                     "issued": shown["issued"], "expires": shown["issued"] + 90 * 86400, "state": "good",
                     "last_use": None, "from": "store"}
    text = one.authctl("api-keys", "show", id_of(key)).stdout
    assert "Nightly backup" in text and "9/m" in text
    table = one.authctl("api-keys", "list", "--owner", "dave").stdout.splitlines()
    assert len(table) == 2 and table[0].split()[0] == "ID" and id_of(key) in table[1] and "never" not in table[1]
    revoked = json.loads(one.authctl("api-keys", "revoke", id_of(key), "--json").stdout)
    assert revoked == {"id": id_of(key), "owner": "dave", "revoked": True, "removed": True}
    # No file of the site has the key or its secret.
    for path in one.folder.rglob("*"):
        if path.is_file() and not path.name.endswith(".sock"):
            data = path.read_bytes()
            assert key.encode() not in data and key.rsplit("_", 1)[-1][:43].encode() not in data, path


def test_explain(one):
    key = key_of(one, "alice", "--scope", "read")
    said = one.authctl("explain", "--policy", "admin", text=key, check=False)
    assert "FAILED" in said.stdout and "rule" in said.stdout and id_of(key) in said.stdout
    for text, hint in ((made_up(id=id_of(key)), "another secret"), (made_up(), "no key with this id"),
                       (key[:-2] + "__", "copied whole")):
        said = one.authctl("explain", "--policy", "admin", text=sensitive(text), check=False)
        assert hint in said.stdout and text not in said.stdout + said.stderr, said.stdout
    verdict = json.loads(one.authctl("token", "verify", "--policy", "site", text=key).stdout)
    assert verdict["decision"] == "allow" and verdict["user_id"] == "alice"
    assert verdict["claims"] | {"iat": 0} == {"iss": ISS, "api_key_id": id_of(key), "sub": "alice", "scope": "read",
                                              "iat": 0}
    assert verdict["attributes"] == {"AUTH_SCOPE": "read"}


@pytest.mark.parametrize("words, message", [
    ((), "--owner is missing"), (("--owner", " x"), "--owner is"), (("--owner", "x" * 256), "--owner is"),
    (("--owner", "a", "--scope", "a  b"), "--scope is"), (("--owner", "a", "--scope", ""), "--scope is"),
    (("--owner", "a", "--scope", 'a"b'), "--scope is"), (("--owner", "a", "--scope", "x" * 301), "--scope is"),
    (("--owner", "a", "--name", "x" * 101), "--name is"), (("--owner", "a", "--name", "a\nb"), "--name is"),
    (("--owner", "a", "--expires", "10"), "--expires is"), (("--owner", "a", "--expires", "10ms"), "--expires is"),
    (("--owner", "a", "--rate", "10"), "--rate is"), (("--owner", "a", "--rate", "0/m"), "--rate is"),
    (("--owner", "<" * 200,), "too long together"), (("--owner", "a", "b"), "operands given"),
])
def test_wrong_use(one, words, message):
    before = one.authctl("api-keys", "list").stdout
    said = one.authctl("api-keys", "add", *words, check=False)
    assert said.returncode == 64 and message in said.stderr and said.stdout == ""
    assert one.authctl("api-keys", "list").stdout == before


def test_a_key_in_place_of_its_id(one):
    key = key_of(one)
    for command in ("show", "revoke"):
        said = one.authctl("api-keys", command, key, check=False)
        assert said.returncode == 64 and "never the key itself" in said.stderr and key not in said.stderr
    assert one.request("/app/app.cgi", [header(key)]).status == 200


def test_concurrent_adds(one):
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(lambda n: key_of(one, f"crowd-{n}"), range(24)))
    assert len({id_of(key) for key in keys}) == 24
    listed = [json.loads(line)["owner"] for line in one.authctl("api-keys", "list", "--json").stdout.splitlines()]
    assert {f"crowd-{n}" for n in range(24)} <= set(listed)
    for key in keys[::6]:
        assert statuses(one, key, 2) == {200}


def test_without_a_store(make_site):
    """Nobody can tell whether the key is there: denied, and told to come again."""
    site = make_site(sections=SECTIONS)
    key = key_of(site)
    assert site.request("/app/app.cgi", [header(key)]).status == 200
    for name in ("revocations.db", "revocations.db-wal", "revocations.db-shm"):
        (site.state / name).rename(site.folder / name)
    answer = harness.wait_for("the loss to be noticed",
                              lambda: (a := site.request("/app/app.cgi", [header(key)])).status != 200 and a)
    assert answer.status == 503 and answer.json["reason"] == "store_unavailable" and answer.header("Retry-After")
    assert site.authctl("api-keys", "add", "--owner", "a", check=False).returncode == 1
