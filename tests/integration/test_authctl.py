# SPDX-License-Identifier: Apache-2.0
"""authctl as an admin uses it: every command, wrong use, exit states, and where secrets may show."""

import base64
import hashlib
import hmac
import json
import os
import pathlib
import pty
import pwd
import re
import secrets
import select
import signal
import sqlite3
import subprocess
import tempfile
import time

import jwt
import pytest

BUILD_DIR = pathlib.Path(os.environ.get("BUILD_DIR") or pathlib.Path(__file__).resolve().parents[2] / "build")
AUTHCTL = str(BUILD_DIR / "src" / "bin" / "authctl")
ISS = "https://sso.example"
NOW = 1_790_000_000
PASSWORD = "correct horse battery"
CONFIGURATION = """\
[server]
state-dir = {state}

[issuer "main"]
algorithms = HS256
secret = file:{secret}
iss = https://sso.example
audience = wiki, shop
cookie = sso

[policy "site"]
path = /**
path-user = /users/{{user}}/**
attribute = AUTH_EMAIL = claim:email, text:none
attribute = AUTH_ROLES = claim:roles

[policy "admin"]
path = /admin/**
require = claim:roles = admin

[policy "public"]
path = /public/**
unauthenticated = anonymous

[login]
issuer = main
cookie = auth
lifetime = 1h
"""


def environment(**more):
    kept = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ} | more


class Site:
    """A configuration, a secret and a state directory."""

    def __init__(self, folder):
        self.folder, self.state = folder, folder / "state"
        self.secret_file, self.configuration = folder / "secret", folder / "fcgi-auth.conf"
        self.secret = secrets.token_urlsafe(48)
        self.state.mkdir(mode=0o700)
        self.secret_file.touch(mode=0o600)
        self.secret_file.write_text(self.secret + "\n")
        self.configuration.write_text(CONFIGURATION.format(state=self.state, secret=self.secret_file))

    def edit(self, old, new):
        text = self.configuration.read_text()
        assert old in text
        self.configuration.write_text(text.replace(old, new))

    def call(self, *words, text=""):
        """Run; a secret in the output fails whatever the test is about."""
        done = subprocess.run([AUTHCTL, "-c", str(self.configuration), *words], input=text.encode(), env=environment(),
                              capture_output=True, timeout=60, check=False)
        done.stdout, done.stderr = done.stdout.decode(), done.stderr.decode()
        shown = done.stdout + done.stderr
        assert self.secret not in shown and PASSWORD not in shown and "$2b$" not in shown
        return done

    def run(self, *words, text="", status=0):
        done = self.call(*words, text=text)
        assert done.returncode == status, done.stdout + done.stderr
        assert status != 0 or done.stderr == ""
        for line in done.stderr.splitlines():
            assert line.startswith("authctl: "), line
        return done

    def json(self, *words, text="", status=0):
        done = self.run("--json", *words, text=text, status=status)
        return [json.loads(line) for line in done.stdout.splitlines()]

    def mint(self, key=None, algorithm="HS256", headers=None, drop=(), **claims):
        payload = {"sub": "alice", "iss": ISS, "aud": "wiki", "iat": NOW, "exp": NOW + 600,
                   "jti": secrets.token_hex(8), "email": "alice@example.org"} | claims
        for name in drop:
            del payload[name]
        return jwt.encode(payload, key or self.secret, algorithm=algorithm, headers=headers)

    def verify(self, token, *words, now=NOW):
        chosen = words if {"--policy", "--url"} & set(words) else ("--policy", "site", *words)
        clock = ["--now", str(now)] if now else []
        done = self.call("token", "verify", *clock, *chosen, text=token + "\n")
        assert done.stderr == "" and done.stdout.count("\n") == 1, done.stderr
        answer = json.loads(done.stdout)
        assert list(answer) == ["decision", "reason", "status", "user_id", "claims", "attributes"]
        assert done.returncode == (0 if answer["decision"] == "allow" else 1)
        assert (answer["status"] == 200) == (answer["decision"] == "allow")
        return answer

    def reason(self, token, *words, now=NOW):
        return self.verify(token, *words, now=now)["reason"]


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


# The command line -------------------------------------------------------------

COMMANDS = ("check", "reference", "secret generate", "keys list", "keys add", "keys promote", "keys retire",
            "token issue", "token verify", "explain", "users add", "users passwd", "users list", "users show",
            "users disable", "users confirm", "users enable", "users unlock", "users remove", "users import-htpasswd",
            "revocations list", "revocations show", "revocations add", "revocations remove", "revocations stats",
            "api-keys add", "api-keys list", "api-keys show", "api-keys revoke")


def plain(*words, **more):
    return subprocess.run([AUTHCTL, *words], capture_output=True, text=True, env=environment(**more),
                          stdin=subprocess.DEVNULL, timeout=60, check=False)


@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help(option):
    done = plain(option)
    assert done.returncode == 0 and not done.stderr
    for command in COMMANDS:
        assert re.search(f"^  {command}( |$)", done.stdout, re.M), command
        own = plain(*command.split(), option)
        assert own.returncode == 0 and not own.stderr and command in own.stdout.splitlines()[0]
    group = plain("users", option)
    assert group.returncode == 0 and "users add" in group.stdout and "token issue" not in group.stdout


def test_version():
    for option in ("-V", "--version"):
        done = plain(option)
        assert done.returncode == 0 and done.stdout.startswith("authctl ")
        assert "OpenSSL" in done.stdout and "SQLite" in done.stdout


WRONG = {
    "nothing": ([], "--help"),
    "unknown": (["frobnicate"], "no such command"),
    "near": (["users", "lits"], 'did you mean "users list"?'),
    "group": (["users"], "second word"),
    "option": (["token", "issue", "--usr", "x"], "did you mean --user?"),
    "letter": (["-x"], "-x"),
    "value-missing": (["token", "issue", "--user"], "needs a value"),
    "twice": (["token", "issue", "--user", "a", "--user", "b"], "too often"),
    "needed": (["token", "issue"], "--user is missing"),
    "operand": (["users", "show"], "ID"),
    "operands": (["users", "show", "a", "b"], "ID"),
    "explain-id": (["explain", "0123456789abcdef"], "standard input"),
    "token-in-argv": (["revocations", "add", "--token", "eyJhbGciOiJub25lIn0.e30."], "standard input"),
    "bytes": (["secret", "generate", "--bytes", "8"], "--bytes"),
    "flag-value": (["users", "add", "x", "--generate=yes"], "--generate"),
}


@pytest.mark.parametrize("words, message", WRONG.values(), ids=WRONG)
def test_wrong_use(words, message):
    done = plain(*words)
    assert done.returncode == 64 and done.stdout == ""
    assert done.stderr.startswith("authctl: ") and message in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["users", "passwd", "alice", PASSWORD], [PASSWORD],
                                   ["users", "add", "alice", f"--password={PASSWORD}"],
                                   ["token", "verify", PASSWORD], ["users", PASSWORD],
                                   ["explain", "--token", PASSWORD]])
def test_slipped_secrets_are_not_repeated(words):
    done = plain(*words)
    assert done.returncode == 64 and "horse" not in done.stdout + done.stderr


def test_options_in_any_place(site):
    config = str(site.configuration)
    for words in (["-c", config, "--json", "users", "list"], ["users", "list", "-c", config, "--json"],
                  [f"--config={config}", "users", "list", "--json"]):
        assert plain(*words).returncode == 0
    assert plain("users", "list", FCGI_AUTH_CONF=config).returncode == 0


CONFIGURATION_COMMANDS = [["token", "issue", "--user", "x"], ["token", "verify"], ["explain"], ["users", "list"],
                          ["users", "add", "x", "--generate"], ["revocations", "stats"]]


@pytest.mark.parametrize("words", CONFIGURATION_COMMANDS, ids=" ".join)
def test_bad_configuration(site, words):
    site.edit("cookie = sso", "cookei = sso")
    done = site.run(*words, status=78)
    line = site.configuration.read_text().splitlines().index("cookei = sso") + 1
    assert done.stdout == "" and done.stderr.startswith(f"authctl: {site.configuration}:{line}: cookei: ")
    assert "cookie" in done.stderr and not list(site.state.iterdir())


def test_no_configuration():
    done = plain("users", "list", FCGI_AUTH_CONF="/nonexistent/x.conf")
    assert done.returncode == 78 and "/nonexistent/x.conf" in done.stderr


def test_full_disk_is_said():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([AUTHCTL, "reference"], stdout=full, stderr=subprocess.PIPE, env=environment(),
                              check=False)
    assert done.returncode == 1 and b"standard output" in done.stderr


# reference, secret -------------------------------------------------------------

def test_reference():
    done = plain("reference")
    assert done.returncode == 0 and not done.stderr
    for section in ("[server]", '[issuer "NAME"]', '[policy "NAME"]', "[login]", "[logout]"):
        assert section in done.stdout.splitlines()
    assert "#state-dir = /var/lib/fcgi-auth" in done.stdout
    rows = [json.loads(line) for line in plain("reference", "--json").stdout.splitlines()]
    assert {"server", "issuer", "policy", "login", "logout"} <= {row["section"] for row in rows}
    assert all(row["help"] for row in rows)
    assert len(re.findall("^#[a-z-]+ =", done.stdout, re.M)) == len(rows)


def test_secret():
    texts = {plain("secret", "generate").stdout for _ in range(3)}
    assert len(texts) == 3 and all(re.fullmatch(r"[A-Za-z0-9_-]{64}\n", text) for text in texts)
    assert len(plain("secret", "generate", "--bytes", "32").stdout) == 44
    assert len(json.loads(plain("secret", "generate", "--json").stdout)["secret"]) == 64


# check ---------------------------------------------------------------------------

def lines(site, status, *results):
    rows = site.json("check", status=status)
    assert {row["result"] for row in rows} <= {"ok", "warning", "FAILED"}
    return [row["what"] + ": " + row["text"] for row in rows if row["result"] in results]


def test_check_good(site):
    good = "\n".join(lines(site, 0, "ok"))
    for what in ("configuration: ", 'issuer "main": ', 'policy "site": ', 'policy "admin": ', "login: ", "state-dir: ",
                 "revocations: ", "accounts: ", "clock: "):
        assert what in good
    text = site.run("check").stdout
    assert re.search(r"^ok +clock +20\d\d-", text, re.M) and "FAILED" not in text


def test_check_api_keys(site):
    """Said where a policy takes them, or where there are some that nobody takes."""
    def rows():
        return {row["result"]: row["text"] for row in site.json("check") if row["what"] == "api-keys"}
    assert not rows()
    site.json("api-keys", "add", "--owner", "backup")
    assert "no policy takes them" in rows()["warning"]
    site.edit('[policy "site"]', '[policy "site"]\ntoken-from = bearer, cookie, api-key')
    assert 'policies: "site"; header X-API-Key, prefix fak; keys in the file: 0, in the store: 1' in rows()["ok"]
    site.json("api-keys", "revoke", site.json("api-keys", "list")[0]["id"])
    assert "there is none" in rows()["warning"]


def test_check_configuration(site):
    site.edit("cookie = sso", "cookei = sso")
    failed, = lines(site, 78, "FAILED")
    assert f"{site.configuration}:" in failed and "cookei" in failed


WARNINGS = {
    "no-audience": ("audience = wiki, shop\n", "", "audience"),
    "no-iss": ("iss = https://sso.example\n", "", "has no iss"),
    "in-the-text": ("secret = file:{secret}", "secret = text:" + "y1" * 32, "file of its own"),
    "short": ("secret = file:{secret}", "allow-short-secret = on\nsecret = text:0123456789abcdefghij", "20 bytes"),
    "well-known": ("secret = file:{secret}", "secret = text:changeme" + "x" * 32, "placeholder"),
}


@pytest.mark.parametrize("old, new, message", WARNINGS.values(), ids=WARNINGS)
def test_check_warns(site, old, new, message):
    site.edit(old.format(secret=site.secret_file), new)
    warnings = "\n".join(lines(site, 0, "warning"))
    assert message in warnings
    assert "y1y1" not in warnings and "0123456789" not in warnings and "changeme" not in warnings


def test_check_without_policy_or_issuer(site):
    site.configuration.write_text(f"[server]\nstate-dir = {site.state}\n")
    warnings = "\n".join(lines(site, 0, "warning"))
    assert "policies: " in warnings and "issuers: " in warnings


def test_check_state_dir(site):
    site.state.rmdir()
    failed = "\n".join(lines(site, 1, "FAILED"))
    assert "state-dir: " in failed and "install -d" in failed and "revocations: " in failed and "accounts: " in failed
    site.state.mkdir()
    site.state.chmod(0o777)
    assert "chmod" in "\n".join(lines(site, 1, "FAILED"))


@pytest.mark.parametrize("name", ["revocations.db", "accounts.db"])
def test_check_damaged_store(site, name):
    site.run("users", "add", "alice", "--generate")
    site.run("revocations", "add", "--user", "alice")
    database = site.state / name
    database.write_bytes(b"no database at all " * 500)
    failed = "\n".join(lines(site, 1, "FAILED"))
    assert name.split(".", maxsplit=1)[0] + ": " in failed and str(site.state) in failed


def test_check_users():
    """Root can judge for another user: who writes state-dir must read the secrets too."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        site = Site(pathlib.Path(folder))
        if os.geteuid() == 0:
            warning = [row for row in lines(site, 0, "warning") if row.startswith("users: ")]
            assert len(warning) == 1 and "chmod 2770" in warning[0]
            os.chown(site.state, pwd.getpwnam("nobody").pw_uid, -1)
            warnings = [row for row in lines(site, 0, "warning") if row.startswith("users: nobody ")]
            assert len(warnings) == 1 and str(site.secret_file) in warnings[0] and "chown nobody" in warnings[0]
        assert any(row.startswith("users: ") and row.endswith(" can write state-dir") for row in lines(site, 0, "ok"))


# token issue ------------------------------------------------------------------------

def test_issue(site):
    token = site.run("token", "issue", "--user", "alice", "--claim", "email=a=b@example.org", "--claim", "note=",
                     "--claim-json", 'roles=["x", "admin"]', "--claim-json", "n=1").stdout.strip()
    claims = jwt.decode(token, site.secret, algorithms=["HS256"], audience="wiki", issuer=ISS)
    assert claims["sub"] == "alice" and claims["email"] == "a=b@example.org" and claims["note"] == ""
    assert claims["roles"] == ["x", "admin"] and claims["n"] == 1
    assert claims["exp"] - claims["iat"] == 3600 and abs(claims["iat"] - time.time()) < 60 and claims["jti"]
    row, = site.json("token", "issue", "--user", "bob", "--lifetime", "5m", "--issuer", "main")
    claims = jwt.decode(row["token"], site.secret, algorithms=["HS256"], audience="wiki", issuer=ISS)
    assert claims["exp"] - claims["iat"] == 300 and row["expires"] == claims["exp"]
    assert row["issuer"] == "main" and row["user_id"] == claims["sub"] == "bob"


ISSUE_WRONG = {
    "user-empty": ["--user", ""],
    "user-control": ["--user", "a\nb"],
    "user-blank": ["--user", " alice"],
    "issuer": ["--user", "x", "--issuer", "other"],
    "lifetime": ["--user", "x", "--lifetime", "8"],
    "lifetime-zero": ["--user", "x", "--lifetime", "0"],
    "claim-name": ["--user", "x", "--claim", "=x"],
    "claim-form": ["--user", "x", "--claim", "x"],
    "claim-json": ["--user", "x", "--claim-json", "x=[1,]"],
    "claim-injection": ["--user", "x", "--claim-json", 'x=1,"sub":"admin"'],
    "claim-ours": ["--user", "x", "--claim", "sub=admin"],
    "claim-ours-escaped": ["--user", "x", "--claim", "exp=9999999999"],
    "claim-twice": ["--user", "x", "--claim", "a=1", "--claim", "a=2"],
}


@pytest.mark.parametrize("words", ISSUE_WRONG.values(), ids=ISSUE_WRONG)
def test_issue_wrong(site, words):
    assert site.run("token", "issue", *words, status=64).stdout == ""


def test_issue_too_large_or_refused_by_itself(site):
    site.run("token", "issue", "--user", "x", "--claim", "a=" + "y" * 13000, status=1)
    site.edit("audience = wiki, shop", "max-lifetime = 90m")
    done = site.run("token", "issue", "--user", "x", "--lifetime", "2h", status=1)
    assert "max-lifetime" in done.stderr and done.stdout == ""
    site.run("token", "issue", "--user", "x", "--lifetime", "90m")


def test_issue_chooses(site):
    site.edit("issuer = main\n", "")
    site.run("token", "issue", "--user", "x")
    more = f'[issuer "other"]\nalgorithms = HS512\nsecret = file:{site.secret_file}\niss = https://other.example\n'
    site.configuration.write_text(site.configuration.read_text() + more)
    assert "--issuer" in site.run("token", "issue", "--user", "x", status=64).stderr
    token = site.run("token", "issue", "--user", "x", "--issuer", "other").stdout.strip()
    assert jwt.get_unverified_header(token)["alg"] == "HS512"


# token verify -------------------------------------------------------------------------

def b64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def sign(secret, header, payload):
    text = b64(header) + "." + b64(payload)
    return text + "." + b64(hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest())


def both(site, token):
    """Our reason, and whether PyJWT takes the token under the same rules and clock."""
    try:
        claims = jwt.decode(token, site.secret, algorithms=["HS256"], audience=["wiki", "shop"], issuer=ISS,
                            options={"require": ["exp", "sub"], "verify_exp": False, "verify_nbf": False,
                                     "verify_iat": False})
        good = NOW < claims["exp"] and claims.get("nbf", 0) <= NOW
    except jwt.InvalidTokenError:
        good = False
    return site.reason(token), good


HEADER = b'{"alg":"HS256","typ":"JWT"}'
PAYLOAD = b'{"sub":"alice","iss":"%s","aud":"wiki","exp":%d}' % (ISS.encode(), NOW + 9)
TABLE = {
    "good": (lambda s: s.mint(), "ok"),
    "no-jti": (lambda s: s.mint(drop=["jti"]), "ok"),
    "audience-list": (lambda s: s.mint(aud=["x", "shop"]), "ok"),
    "long-text": (lambda s: s.mint(note="ä€😀" * 400), "ok"),
    "by-hand": (lambda s: sign(s.secret, HEADER, PAYLOAD), "ok"),
    "expired": (lambda s: s.mint(exp=NOW), "token_expired"),
    "last-second": (lambda s: s.mint(exp=NOW + 1), "ok"),
    "not-yet": (lambda s: s.mint(nbf=NOW + 60), "not_yet_valid"),
    "other-key": (lambda s: s.mint(key="k" * 64), "bad_signature"),
    "empty-key": (lambda s: sign("", HEADER, PAYLOAD), "bad_signature"),
    "no-exp": (lambda s: s.mint(drop=["exp"]), "bad_claim"),
    "no-sub": (lambda s: s.mint(drop=["sub"]), "bad_claim"),
    "wrong-iss": (lambda s: s.mint(iss=ISS + "/"), "bad_issuer"),
    "no-iss": (lambda s: s.mint(drop=["iss"]), "bad_issuer"),
    "wrong-aud": (lambda s: s.mint(aud="wikis"), "bad_audience"),
    "no-aud": (lambda s: s.mint(drop=["aud"]), "bad_audience"),
    "HS384": (lambda s: s.mint(algorithm="HS384"), "bad_algorithm"),
    "none": (lambda s: jwt.encode({"sub": "alice", "exp": NOW + 9}, None, algorithm="none"), "bad_algorithm"),
    "signature-cut": (lambda s: s.mint()[:-1], None),
    "no-signature": (lambda s: s.mint().rsplit(".", 1)[0] + ".", None),
    "two-parts": (lambda s: s.mint().rsplit(".", 1)[0], "token_malformed"),
    "four-parts": (lambda s: s.mint() + ".x", "token_malformed"),
    "blank-behind": (lambda s: s.mint() + " ", "token_malformed"),
    "quoted": (lambda s: '"' + s.mint() + '"', "token_malformed"),
    "two-lines": (lambda s: s.mint() + "\n" + s.mint(), "token_malformed"),
    "empty": (lambda s: "", "token_malformed"),
    "dots": (lambda s: "." * 8000, "token_malformed"),
    "huge": (lambda s: "a" * 200000, "token_malformed"),
    "array": (lambda s: sign(s.secret, HEADER, b"[1]"), "token_malformed"),
    "crit": (lambda s: s.mint(headers={"crit": ["x"], "x": 1}), "token_malformed"),
}


@pytest.mark.parametrize("make, reason", TABLE.values(), ids=TABLE)
def test_verify_agrees_with_pyjwt(site, make, reason):
    ours, good = both(site, make(site))
    assert (ours == "ok") == good
    assert ours != "ok" if reason is None else ours == reason


def test_verify_stricter_than_pyjwt(site):
    """J1, J2: what parsers read in different ways is refused, though PyJWT takes it."""
    twice = sign(site.secret, HEADER, PAYLOAD[:-1] + b',"sub":"admin"}')
    nul = sign(site.secret, HEADER, PAYLOAD.replace(b"alice", b"admin\\u0000x"))
    for token in (twice, nul):
        assert site.reason(token) == "token_malformed"


def test_verify_answer(site):
    answer = site.verify(site.mint(roles=["a", "b"], text="line\nend \x7f < \u009b", number=1.50))
    assert (answer["decision"], answer["status"], answer["user_id"]) == ("allow", 200, "alice")
    assert answer["claims"]["text"] == "line\nend \x7f < \u009b" and answer["claims"]["number"] == 1.5
    assert answer["attributes"] == {"AUTH_EMAIL": "alice@example.org", "AUTH_ROLES": "a,b"}
    assert site.verify(site.mint(drop=["email"]))["attributes"] == {"AUTH_EMAIL": "none"}
    denied = site.verify(site.mint(key="k" * 64))
    assert (denied["status"], denied["user_id"], denied["claims"], denied["attributes"]) == (401, None, None, {})
    expired = site.verify(site.mint(exp=NOW - 5))
    assert expired["user_id"] == "alice" and expired["claims"]["exp"] == NOW - 5 and expired["attributes"] == {}


def test_verify_chooses_the_policy(site):
    token, admin = site.mint(), site.mint(roles=["admin"])
    assert site.reason(token, "--url", "/admin/x") == "rule_failed"
    assert site.verify(token, "--url", "/admin/x")["status"] == 403
    assert site.reason(admin, "--url", "https://wiki.example/admin/x?y#z") == "ok"
    assert site.reason(token, "--url", "/users/alice/page") == "ok"
    assert site.reason(token, "--url", "/users/bob/page") == "user_mismatch"
    assert site.reason(token, "--policy", "admin") == "rule_failed"
    assert site.reason(token, "--policy", "none") == "no_policy"
    assert site.reason(token, "--url", "/a%2fb") == "bad_request"
    assert "--policy" in site.run("token", "verify", text=token, status=64).stderr
    for url in ("wiki.example/x", "ftp://x/", "", "https://", "https://user@host/"):
        site.run("token", "verify", "--url", url, text=token, status=64)
    site.run("token", "verify", "--now", "-1", text=token, status=64)
    site.run("token", "verify", "--policy", "site", "--cookie", "a b", text=token, status=64)
    text = site.configuration.read_text()
    site.configuration.write_text(text[:text.index('[policy "admin"]')] + text[text.index("[login]"):])
    assert site.json("token", "verify", "--now", str(NOW), text=token)[0]["reason"] == "ok"


def test_verify_cookie(site):
    token = site.mint()
    for cookie in ("auth", "sso"):
        assert site.reason(token, "--cookie", cookie) == "ok"
    assert site.reason(token, "--cookie", "other") == "no_token"
    assert site.reason(token, "--cookie", "other", "--policy", "public") == "anonymous"
    assert site.reason(site.mint(exp=1), "--cookie", "auth", "--policy", "public") == "anonymous"
    assert site.reason(site.mint(exp=1), "--policy", "public") == "token_expired"


def test_verify_without_store(site):
    token = site.mint()
    site.state.rmdir()
    answer = site.verify(token)
    assert (answer["decision"], answer["reason"], answer["status"]) == ("deny", "store_unavailable", 503)
    assert site.reason(site.mint(key="k" * 64)) == "bad_signature"


# explain ---------------------------------------------------------------------------------

def test_explain(site):
    token = site.mint(exp=NOW - 300, headers={"kid": "k7"})
    text = site.run("explain", "--token", "-", "--url", "https://wiki.example/x", "--now", str(NOW), text=token,
                    status=1).stdout
    assert "token        FAILED" in text and "answer       deny, 401 token_expired" in text
    assert "300 s ago" in text and '"k7"' in text and '"site"' in text and 'came "HS256"' in text
    assert "revocation   not reached" in text and token not in text
    assert time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(NOW - 300)) in text
    bad = site.run("explain", "--policy", "site", "--now", str(NOW), text=site.mint(key="k" * 64), status=1).stdout
    assert "signature does not match: same secret on both sides?" in bad
    good = site.run("explain", "--url", "/x", "--now", str(NOW), text=site.mint()).stdout
    assert "answer       allow, 200 ok" in good and "FAILED" not in good and "in 600 s" in good


EXPLAINED = {
    "rule": (dict(roles=["user"]), ["--policy", "admin"], "wanted claim:roles = admin; came \"user\" (does NOT hold)"),
    "path-user": ({}, ["--url", "/users/bob"], "/users/{user}/**"),
    "iss": (dict(iss=ISS + "/"), ["--policy", "site"], f'wanted {ISS}; came "{ISS}/"'),
    "aud": (dict(aud=["x", "y"]), ["--policy", "site"], 'wanted wiki, shop; came ["x","y"]'),
    "exp-text": (dict(drop=["exp"]), ["--policy", "site"], "exp          wanted later than now; came nothing"),
    "policy": ({}, ["--policy", "other"], '"admin" for /admin/** on every host'),
    "cookie": ({}, ["--policy", "site", "--cookie", "x"], "wanted bearer, cookie sso, cookie auth; came cookie x"),
    "terminal": (dict(iss="\x1b]0;x\x07\u009b\u202e"), ["--policy", "site"], "iss"),
}


@pytest.mark.parametrize("claims, words, message", EXPLAINED.values(), ids=EXPLAINED)
def test_explain_says_what_was_wanted(site, claims, words, message):
    done = site.run("explain", *words, "--now", str(NOW), text=site.mint(**claims), status=1)
    assert message in done.stdout
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]", done.stdout)


STEPS = ["request", "policy", "credentials", "token", "revocation", "user", "rules"]


def test_explain_agrees_with_verify(site):
    for make, _ in TABLE.values():
        token = make(site)
        verdict = site.verify(token)
        row = json.loads(site.call("explain", "--json", "--policy", "site", "--now", str(NOW), text=token).stdout)
        assert [row[key] for key in ("decision", "reason", "status")] == \
            [verdict[key] for key in ("decision", "reason", "status")]
        assert [step["step"] for step in row["steps"]] == STEPS
        assert ("failed" in [step["result"] for step in row["steps"]]) == (row["decision"] == "deny")


def test_explain_without_store(site):
    site.state.rmdir()
    text = site.run("explain", "--policy", "site", "--now", str(NOW), text=site.mint(), status=1).stdout
    assert "503 store_unavailable" in text and str(site.state) in text


# users --------------------------------------------------------------------------------------

def live(site):
    """A token that is good now, for revocations, which go by the real clock."""
    return site.run("token", "issue", "--user", "alice").stdout.strip()


def reason_now(site, token):
    return site.reason(token, now=None)


def add_alice(site, *more):
    site.run("users", "add", "alice", "--email", "alice@example.org", "--name", "Älice", "--role", "admin",
             "--role", "dev", *more, text=PASSWORD + "\n")


def stored_hash(site, user="alice"):
    with sqlite3.connect(site.state / "accounts.db") as database:
        return database.execute("SELECT password FROM account WHERE id = ?", [user]).fetchone()[0]


def test_users_add_and_show(site):
    add_alice(site)
    row, = site.json("users", "show", "alice")
    assert (row["id"], row["email"], row["name"]) == ("alice", "alice@example.org", "Älice")
    assert row["roles"] == ["admin", "dev"] and row["disabled"] is False and row["last_login"] is None
    assert row["has_password"] is True and abs(row["created"] - time.time()) < 60
    assert row.pop("locked_until") is None
    assert site.json("users", "list") == [row]
    text = site.run("users", "show", "alice").stdout
    assert "Älice" in text and "admin dev" in text and "never" in text
    assert "alice" in site.run("users", "list").stdout
    assert stored_hash(site).startswith("$2b$12$")


def test_users_generate(site):
    row, = site.json("users", "add", "bob", "--generate")
    assert re.fullmatch("[A-Za-z0-9_-]{24}", row["password"])
    text = site.run("users", "passwd", "bob", "--generate").stdout
    password = re.search("^password: (.{24})$", text, re.M)[1]
    assert password != row["password"]


IDS = ["", "a/b", ".", "..", "a\nb", "\x7f", " a", "x" * 256]


@pytest.mark.parametrize("name", IDS, ids=repr)
def test_users_bad_ids(site, name):
    site.run("users", "add", name, "--generate", status=64)
    assert site.json("users", "list") == []


def test_users_odd_ids(site):
    for name in ("x" * 255, "jürgen@example.org", "-dash", "a b", "o'brien", "..x", "\u202ex"):
        site.run("users", "add", "--generate", "--", name)
        assert site.json("users", "show", "--", name)[0]["id"] == name
    assert "\u202e" not in site.run("users", "list").stdout


@pytest.mark.parametrize("words", [["--email", "x"], ["--email", "a@b@c"], ["--email", "a@"], ["--email", ""],
                                   ["--name", ""], ["--name", "a\tb"], ["--role", "a b"], ["--role", ""]], ids=repr)
def test_users_bad_options(site, words):
    site.run("users", "add", "alice", *words, text=PASSWORD, status=64)


PASSWORDS = {
    "empty": ("", "empty"), "line-end": ("\n", "empty"),
    "short": ("elevenchars\n", "12"), "short-in-letters": ("ä" * 11, "12"),
    "long": ("x" * 73, "72"), "long-in-bytes": ("ä" * 37, "72"), "endless": ("x" * 100000, "72"),
    "two-lines": ("correct horse\nbattery staple\n", "one line"), "control": ("correct\thorse", "control"),
    "nul": ("correct\0horse", "control"),
}


@pytest.mark.parametrize("password, message", PASSWORDS.values(), ids=PASSWORDS)
def test_users_bad_passwords(site, password, message):
    done = site.run("users", "add", "alice", text=password, status=1)
    assert message in done.stderr and (password.strip() == "" or password.strip() not in done.stderr)
    assert site.json("users", "list") == []


def test_users_password_at_the_limits(site):
    for number, password in enumerate(["ä" * 12, "x" * 72, "ä" * 36, "  blanks count  ", "no line end."]):
        site.run("users", "add", f"u{number}", text=password + ("" if number == 4 else "\r\n"))


def test_users_password_min(site):
    site.edit("lifetime = 1h", "lifetime = 1h\npassword-min = 24")
    assert "24" in site.run("users", "add", "alice", text=PASSWORD, status=1).stderr
    site.edit("password-min = 24", "password-min = 21")
    site.run("users", "add", "alice", text=PASSWORD)


def test_users_taken(site):
    add_alice(site)
    for name, more in (("alice", []), ("ALICE@example.org", []), ("bob", ["--email", "Alice@Example.org"]),
                       ("carl", ["--email", "alice@example.org"])):
        site.run("users", "add", name, *more, text=PASSWORD, status=1)
    assert len(site.json("users", "list")) == 1


@pytest.mark.parametrize("command", ["show", "passwd", "disable", "enable", "remove"])
def test_users_unknown(site, command):
    add_alice(site)
    assert "users list" in site.run("users", command, "nobody", text=PASSWORD, status=1).stderr
    by_email = site.run("users", command, "alice@example.org", text=PASSWORD, status=1).stderr
    assert '"alice"' in by_email


@pytest.mark.parametrize("command", ["passwd", "disable", "remove"])
def test_users_changes_end_sessions(site, command):
    add_alice(site)
    before, token = stored_hash(site), live(site)
    assert reason_now(site, token) == "ok"
    done = site.run("users", command, "alice", text="another good password\n")
    assert "revoked" in done.stdout and "another" not in done.stdout
    assert reason_now(site, token) == "token_revoked"
    entries = site.json("revocations", "list", "--user", "alice")
    assert len(entries) == (1 if command == "passwd" else 2), "API keys outlive a new password alone"
    assert all(entry["kind"] == "user" and entry["note"] == "users " + command for entry in entries)
    rows = site.json("users", "list")
    assert len(rows) == (0 if command == "remove" else 1)
    assert command != "disable" or rows[0]["disabled"]
    assert command != "passwd" or stored_hash(site) != before
    if command == "disable":
        site.run("users", "enable", "alice")
        assert not site.json("users", "show", "alice")[0]["disabled"]
        assert reason_now(site, token) == "token_revoked"


def test_users_change_says_when_tokens_stay_good(site):
    """R: an account that is changed while its tokens cannot be revoked is no success."""
    add_alice(site)
    (site.state / "revocations.db").mkdir()
    done = site.run("users", "remove", "alice", status=1)
    assert "revocations.db" in done.stderr and "removed" not in done.stdout
    assert site.json("users", "show", "alice")[0]["disabled"] is True


def test_users_without_login_issuer(site):
    site.configuration.write_text(f"[server]\nstate-dir = {site.state}\n")
    add_alice(site)
    done = site.json("users", "disable", "alice")
    assert done[0]["tokens_revoked"] is False


def test_users_on_a_terminal(site):
    """Asked twice, nothing echoed, and the echo is back after a signal."""
    def type_in(*texts, send=None):
        process_id, terminal = pty.fork()
        if process_id == 0:
            os.execve(AUTHCTL, [AUTHCTL, "-c", str(site.configuration), "users", "add", "alice"], environment())
        seen, texts, deadline = b"", list(texts), time.monotonic() + 30
        while time.monotonic() < deadline:
            if not select.select([terminal], [], [], 0.05)[0]:
                continue
            try:
                data = os.read(terminal, 4096)
            except OSError:
                break
            if not data:
                break
            seen += data
            if seen.endswith(b": ") and texts:
                os.write(terminal, texts.pop(0))
            elif seen.endswith(b": ") and send:
                os.kill(process_id, send)
        _, status = os.waitpid(process_id, 0)
        os.close(terminal)
        return seen.decode(), status

    seen, status = type_in(b"correct horse battery\n", b"correct horse batteri\n")
    assert os.waitstatus_to_exitcode(status) == 1 and "differ" in seen and "horse" not in seen
    seen, status = type_in(send=signal.SIGTERM)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGTERM
    seen, status = type_in(b"correct horse battery\n", b"correct horse battery\n")
    assert os.waitstatus_to_exitcode(status) == 0 and "horse" not in seen and "added" in seen
    assert seen.count("assword: ") == 1 and "Again: " in seen


# import-htpasswd -----------------------------------------------------------------------------------

BCRYPT = "$2y$05$c4WoMPo3SXsafkva.HHa6uXQZWr7oboPiC2bT/r7q1BB8I2s0BRqC"
SHA = "{SHA}" + base64.b64encode(hashlib.sha1(b"secret").digest()).decode()


def test_import(site):
    add_alice(site)
    token, before = live(site), stored_hash(site)
    file = site.folder / "htpasswd"
    file.write_text(f"# people\nalice:{BCRYPT}\nbob:{SHA}\r\n\njürgen:{BCRYPT}\n")
    done = site.run("users", "import-htpasswd", str(file))
    assert f"{file}:2: skipped: \"alice\"" in done.stdout and f"{file}:3: imported: \"bob\"" in done.stdout
    assert stored_hash(site) == before and stored_hash(site, "bob") == SHA and reason_now(site, token) == "ok"
    rows = site.json("users", "import-htpasswd", str(file), "--update")
    assert [(row["line"], row["result"]) for row in rows] == [(2, "updated"), (3, "skipped"), (5, "skipped")]
    assert stored_hash(site) == BCRYPT and reason_now(site, token) == "token_revoked"
    assert BCRYPT not in done.stdout and SHA not in done.stdout


def test_import_refused(site):
    add_alice(site)
    file = site.folder / "htpasswd"
    file.write_text(f"a/b:{BCRYPT}\nalice@example.org:{BCRYPT}\ncarl:{BCRYPT}\n")
    rows = site.json("users", "import-htpasswd", str(file), status=1)
    assert [(row["user"], row["result"]) for row in rows] == [("a/b", "refused"), ("alice@example.org", "refused"),
                                                               ("carl", "imported")]
    assert all(row["why"] for row in rows[:2])


@pytest.mark.parametrize("line", ["plain:secret", "nocolon", ":" + BCRYPT, "x:", "y:$2y$05$short"])
def test_import_broken_file_changes_nothing(site, line):
    file = site.folder / "htpasswd"
    file.write_text(f"bob:{BCRYPT}\n{line}\n")
    done = site.run("users", "import-htpasswd", str(file), status=1)
    assert f"authctl: {file}:2: " in done.stderr and "nothing was imported" in done.stderr
    assert site.json("users", "list") == []
    assert "secret" not in done.stderr


def test_import_no_file(site):
    assert "nope" in site.run("users", "import-htpasswd", str(site.folder / "nope"), status=1).stderr


# revocations ----------------------------------------------------------------------------------------

def test_revoke_token(site):
    token, other = live(site), live(site)
    row, = site.json("revocations", "add", "--token", "-", text=token + "\n")
    assert row["kind"] == "token" and row["user"] == "alice" and row["durable"] is True
    assert reason_now(site, token) == "token_revoked" and reason_now(site, other) == "ok"
    assert site.json("revocations", "add", "--token", "-", text=token) == [row]
    entry, = site.json("revocations", "list")
    assert entry["key"] == row["key"] and re.fullmatch("[0-9a-f]{32}", row["key"]) and entry["not_before"] is None
    assert entry["expires"] >= jwt.decode(token, options={"verify_signature": False})["exp"]
    assert site.json("revocations", "show", row["key"].upper()) == [entry]
    assert row["key"] in site.run("explain", "--policy", "site", text=token, status=1).stdout
    assert row["key"] in site.run("revocations", "list").stdout
    assert "durable" in site.run("revocations", "add", "--token", "-", text=token).stdout
    site.run("revocations", "remove", row["key"])
    assert reason_now(site, token) == "ok"
    for command in ("remove", "show"):
        assert "revocations list" in site.run("revocations", command, row["key"], status=1).stderr


def test_revoke_user(site):
    token = live(site)
    row, = site.json("revocations", "add", "--user", "alice")
    assert row["kind"] == "user" and reason_now(site, token) == "token_revoked"
    assert "not before" in site.run("revocations", "show", row["key"]).stdout
    other, = site.json("revocations", "add", "--user", "alice", "--iss", "https://elsewhere.example")
    assert other["key"] != row["key"]
    assert len(site.json("revocations", "list", "--user", "alice")) == 2
    assert site.json("revocations", "list", "--user", "bob") == []
    assert site.json("revocations", "stats") == [{"tokens": 0, "users": 2, "sessions": 0, "total": 2}]


def test_revoke_session(site):
    """All tokens of a session end, whenever issued; those of others, and without one, go on."""
    now = int(time.time())
    token, other, without = (site.mint(iat=now, exp=now + 600, **more) for more in ({"sid": "s 1"}, {"sid": "s 2"}, {}))
    row, = site.json("revocations", "add", "--session", "s 1")
    assert row["kind"] == "session" and row["session"] == "s 1"
    later = site.mint(iat=now + 1, nbf=now, exp=now + 601, sid="s 1")
    assert [reason_now(site, one) for one in (token, later, other, without)] == ["token_revoked"] * 2 + ["ok"] * 2
    assert '"s 1": revoked' in site.run("revocations", "add", "--session", "s 1").stdout
    elsewhere, = site.json("revocations", "add", "--session", "s 2", "--iss", "https://elsewhere.example")
    assert elsewhere["key"] != row["key"] and reason_now(site, other) == "ok"
    assert site.json("revocations", "stats")[0]["sessions"] == 2
    site.run("revocations", "remove", row["key"])
    assert reason_now(site, token) == "ok"
    for wrong in (["--session", ""], ["--session", "a", "--user", "alice"], ["--session", "a", "--token", "-"]):
        assert "authctl revocations add" in site.run("revocations", "add", *wrong, status=64).stderr


def test_revoke_user_under_every_iss(site):
    site.edit("iss = https://sso.example", "iss = https://new.example, https://sso.example")
    old = site.mint(iat=int(time.time()) - 5, exp=int(time.time()) + 600)
    assert reason_now(site, old) == "ok"
    assert len(site.json("revocations", "add", "--user", "alice")) == 2
    assert reason_now(site, old) == "token_revoked"


def test_only_signed_tokens_are_revoked(site):
    """L6: nobody can fill the list."""
    good = site.mint(exp=int(time.time()) + 600)
    for bad in (site.mint(key="k" * 64), good[:-2], "", "x.y.z", good.rsplit(".", 1)[0] + ".", "a" * 100000):
        done = site.run("revocations", "add", "--token", "-", text=bad, status=1)
        assert "NOT revoked" in done.stderr and (not bad or bad not in done.stderr)
    assert site.json("revocations", "stats")[0]["total"] == 0
    site.run("revocations", "add", "--token", "-", text=site.mint(iat=NOW - 900, exp=int(time.time()) - 5))


@pytest.mark.parametrize("words", [[], ["--token", "-", "--user", "x"], ["--token", "-", "--iss", "x"], ["--user", ""],
                                   ["--iss", "x"]], ids=repr)
def test_revoke_wrong(site, words):
    site.run("revocations", "add", *words, status=64)


@pytest.mark.parametrize("key", ["", "00", "g" * 32, "0" * 31, "0" * 33, "0" * 64])
def test_wrong_keys(site, key):
    for command in ("show", "remove"):
        assert "32" in site.run("revocations", command, key, status=64).stderr


def test_revocations_without_store(site):
    site.state.rmdir()
    for words in (["list"], ["stats"], ["add", "--user", "x"], ["remove", "0" * 32]):
        done = site.run("revocations", *words, status=1)
        assert str(site.state) in done.stderr and "revoked, durable" not in done.stdout


def test_secrets_not_in_argv(site):
    """The processes of a token and of a password never have them in their command lines: there is no option for it."""
    text = plain("--help").stdout
    assert not re.search(r"--(password|secret|jwt)\b", text) and "--token -" in text
