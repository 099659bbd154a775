# SPDX-License-Identifier: Apache-2.0
"""Rules, attributes, user paths and ages of tokens, through lighttpd up to the application; authctl says the same."""

import json
import time

import pytest

import harness
import http_client
import tokens

POLICIES = {
    "site": {"require": "not claim:blocked = true",
             "path-user": ["/users/{user}/**", "/share/{user}/**, /share/*/with/{user}"],
             "attribute": ['AUTH_ROLES = claim:"https://example.com/roles", claim:realm_access.roles, text:none',
                           "AUTH_TEAM = claim:/teams/0/name, claim:sub",
                           "AUTH_NUMBER = claim:number",
                           "AUTH_NAME = claim:name, user",
                           "AUTH_IS_ACTIVE = claim:active, text:true",
                           "AUTH_LAST = text:last"]},
    "domain": {"path": "/app/domain/**", "require": "claim:email domain corp.test"},
    "scope": {"path": "/app/scope/**", "require": "scope contains wiki:write"},
    "number": {"path": "/app/number/**", "require": "claim:number = 9007199254740993"},
    "young": {"path": "/app/young/**", "max-age": "1m"},
    "both": {"path": "/app/both/**", "require": ["claim:level >= 3", 'claim:"https://example.com/roles" in dev, ops']},
}
APP = "/app/app.cgi"


@pytest.fixture(scope="module")
def site():
    sections = {f'policy "{name}"': {"path": "/**", "issuer": "main", "unauthenticated": "401"} | keys
                for name, keys in POLICIES.items()}
    with harness.Site(sections=sections) as running:
        for name in POLICIES:
            (running.htdocs / "app" / name).mkdir()
            (running.htdocs / "app" / name / "page.txt").write_text("page\n")
        yield running


def ask(site, target, **claims):
    token = tokens.mint(**claims)
    return token, site.request(target, [f"Authorization: Bearer {token}"])


def environment(site, **claims):
    _, answer = ask(site, APP, **claims)
    assert answer.status == 200, answer.text
    return {name: value for name, value in answer.json["environment"].items() if name.startswith("AUTH_")}


@pytest.mark.parametrize("policy, claims, holds", [
    ("site", {}, True),
    ("site", {"blocked": True}, False),
    ("site", {"blocked": False}, True),
    ("domain", {"email": "ann@corp.test"}, True),
    ("domain", {"email": "Ann@Corp.TEST"}, True),
    ("domain", {"email": "a@evil@corp.test"}, False),
    ("domain", {"email": "a@corp.test@evil"}, False),
    ("domain", {"email": "ann@corp.test."}, False),
    ("domain", {"email": "ann@sub.corp.test"}, False),
    ("domain", {"email": "evil.test\n@corp.test"}, False),
    ("scope", {"scope": "openid wiki:write"}, True),
    ("scope", {"scope": ["openid", "wiki:write"]}, True),
    ("scope", {"scp": ["wiki:write"]}, True),
    ("scope", {"scope": "wiki:write-not"}, False),
    ("scope", {"scope": "", "scp": "wiki:write"}, False),
    ("number", {"number": 9007199254740993}, True),
    ("number", {"number": 9007199254740992}, False),
    ("number", {"number": 9007199254740993.0}, False),
    ("both", {"level": 3, "https://example.com/roles": ["ops"]}, True),
    ("both", {"level": 3, "https://example.com/roles": ["boss"]}, False),
    ("both", {"level": 2, "https://example.com/roles": ["ops"]}, False),
    ("both", {"level": "3", "https://example.com/roles": ["ops"]}, False),
])
def test_rules(site, policy, claims, holds):
    """The web server, `token verify` and `explain` agree."""
    target = f"/app/{policy}/page.txt" if policy != "site" else "/app/page.txt"
    token, answer = ask(site, target, **claims)
    assert answer.status == (200 if holds else 403), answer.text
    if not holds:
        assert answer.json["reason"] == "rule_failed"
    told = site.authctl("explain", "--url", target, text=token, check=False)
    assert told.returncode == (0 if holds else 1)
    assert ("does NOT hold" in told.stdout) != holds and "require" in told.stdout
    verified = site.authctl("token", "verify", "--url", target, text=token, check=False)
    assert json.loads(verified.stdout)["reason"] == ("ok" if holds else "rule_failed")


@pytest.mark.parametrize("age, times, reason", [
    (0, {}, None),
    (30, {}, None),
    (90, {}, "rule_failed"),
    (-30, {}, None),
    (-90, {}, "rule_failed"),
    (0, {"iat": None}, "rule_failed"),
    (0, {"iat": None, "nbf": 1}, "rule_failed"),
])
def test_max_age(site, age, times, reason):
    now = int(time.time())
    claims = {"iat": now - age} | times
    _, answer = ask(site, "/app/young/page.txt", **{name: value for name, value in claims.items() if value is not None},
                    drop=[name for name, value in claims.items() if value is None])
    assert (answer.status, answer.json["reason"] if answer.status == 403 else None) == (403 if reason else 200, reason)


@pytest.mark.parametrize("path, mine", [
    ("/users/alice/page.txt", True),
    ("/users/al%69ce/page.txt", True),
    ("/users/bob/page.txt", False),
    ("/users/Alice/page.txt", False),
    ("/users/alice;x/page.txt", False),
    ("/users/bob/../alice/page.txt", True),
    ("/users/alice/../bob/page.txt", False),
    ("/share/alice/with/alice", True),
    ("/share/alice/with/bob", False),
    ("/share/bob/with/alice", False),
    ("/share/alice/else/bob", True),
])
def test_path_user(site, path, mine):
    """A path that several patterns match belongs to the user by each of them."""
    _, answer = ask(site, path)
    assert (answer.status != 403) == mine, (answer.status, answer.text)
    assert mine or answer.json["reason"] == "user_mismatch"


ATTRIBUTES = [
    ({"https://example.com/roles": ["a", "b"]}, "AUTH_ROLES", "a,b"),
    ({"realm_access": {"roles": ["c"]}}, "AUTH_ROLES", "c"),
    ({"https://example.com/roles": [], "realm_access": {"roles": ["c"]}}, "AUTH_ROLES", "c"),
    ({}, "AUTH_ROLES", "none"),
    ({"https://example.com/roles": ["a,b", "c"]}, "AUTH_ROLES", None),
    ({"https://example.com/roles": {"a": True}}, "AUTH_ROLES", None),
    ({"teams": [{"name": "x"}]}, "AUTH_TEAM", "x"),
    ({}, "AUTH_TEAM", "alice"),
    ({"number": 9007199254740993}, "AUTH_NUMBER", "9007199254740993"),
    ({"number": 0}, "AUTH_NUMBER", "0"),
    ({"number": None}, "AUTH_NUMBER", None),
    ({"name": "Zo\u00eb \u5f20 \"Sur\", A;B=C"}, "AUTH_NAME", "Zo\u00eb \u5f20 \"Sur\", A;B=C"),
    ({"name": ""}, "AUTH_NAME", "alice"),
    ({"name": "x\r\nSet-Cookie: a=b"}, "AUTH_NAME", None),
    ({"name": "a\nb"}, "AUTH_NAME", None),
    ({"name": "a\x7fb"}, "AUTH_NAME", None),
    ({"name": "x" * 5000}, "AUTH_NAME", None),
    ({"active": False}, "AUTH_IS_ACTIVE", "false"),
    ({}, "AUTH_IS_ACTIVE", "true"),
]


@pytest.mark.parametrize("claims, name, value", ATTRIBUTES)
def test_attributes(site, claims, name, value):
    """What the application gets is what `token verify` shows; what is left out leaves the others alone."""
    before = site.log_text("verify").count(f"{name}: the value")
    got = environment(site, **claims)
    assert got.get(name) == value and got["AUTH_LAST"] == "last"
    told = json.loads(site.authctl("token", "verify", "--policy", "site", text=tokens.mint(**claims)).stdout)
    assert told["attributes"].get(name) == value
    assert all(got[key] == told["attributes"][key] for key in told["attributes"])
    left_out = value is None and claims.get("number", 1) is not None
    assert site.log_text("verify").count(f"{name}: the value") - before == left_out
    rows = json.loads(site.authctl("explain", "--json", "--policy", "site", text=tokens.mint(**claims)).stdout)["steps"]
    row = next(row for row in rows[-1]["rows"] if row["what"] == "attribute" and row["wanted"].startswith(name))
    assert ("left out: the value" in (row["came"] or "")) == left_out


@pytest.mark.parametrize("key, value, message", [
    ("require", "profile:/role = admin", "profile:/role is asked for in a policy without profile: add profile = NAME"),
    ("attribute", "AUTH_ROLE = profile:/role", "profile:/role is asked for in a policy without profile"),
    ("profile", "nobody", 'there is no [profile "nobody"]'),
    ("require", "claim:https://example.com/roles = a", "has no path: write names joined by dots"),
    ("require", "claim:email ends-with corp.test", "no operator: =, !=, in, contains, domain, exists"),
    ("path-user", "/{user}/{user}", "more than one {user}"),
])
def test_refused_configuration(key, value, message):
    """By file, line and key, with what to do, and exit status 78."""
    site = harness.Site(sections={'policy "site"': {key: value}})
    lines = site.configuration.read_text().splitlines()
    done = site.authctl("check", check=False)
    place = f"{site.configuration}:{lines.index(f'{key} = {value}') + 1}: {key}: "
    site.close()
    assert done.returncode == 78 and place in done.stderr + done.stdout and message in done.stderr + done.stdout, done


def test_a_header_is_no_attribute(site):
    """What is left out comes from nowhere else."""
    headers = [f"Authorization: Bearer {tokens.mint(name='a' + chr(10))}", "AUTH_NAME: evil", "Auth-Name: evil"]
    answer = http_client.request(site.port, APP, headers)
    assert answer.status == 200 and "AUTH_NAME" not in answer.json["environment"]
