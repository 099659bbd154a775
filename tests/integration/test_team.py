# SPDX-License-Identifier: Apache-2.0
"""doc/examples/team.conf as it is shipped, before the profile service of tests/peers/fastapi: 18 fields up to the
application, and rules on the profile."""

import json
import re
import secrets

import pytest

import harness
import peers
import tokens

EXAMPLE = harness.REPOSITORY / "doc" / "examples" / "team.conf"
ANN = "cmgoip1nt0001s89pzkw7bzlg"
APP, ADMIN = "/app/app.cgi", "/admin/app.cgi"

FIELDS = {
    ANN: {"AUTH_ID": ANN, "AUTH_EMAIL": "ann@example.com", "AUTH_USERNAME": "ann", "AUTH_NAME": "Ann L.",
          "AUTH_FULL_NAME": "Ann Lab", "AUTH_FIRST_NAME": "Ann", "AUTH_LAST_NAME": "Lab",
          "AUTH_DISPLAY_NAME": "Ann L.", "AUTH_IMAGE": "https://id.example/ann.png", "AUTH_ROLE": "ADMIN",
          "AUTH_POSITION_TITLE": "Engineer", "AUTH_DIVISION": "IT", "AUTH_DEPARTMENT": "Platform",
          "AUTH_SECTION": "Core", "AUTH_CUSTOM_TEAM": None, "AUTH_IS_ACTIVE": "true", "AUTH_IS_LEADER": "true",
          "AUTH_GROUPS": "dev,ops"},
    # The department has a line end.
    "u-2": {"AUTH_ID": "u-2", "AUTH_EMAIL": "zoe@example.com", "AUTH_USERNAME": "zoe", "AUTH_NAME": "Zo\u00eb \u5f20",
            "AUTH_FULL_NAME": "Zo\u00eb \u5f20", "AUTH_FIRST_NAME": "Zo\u00eb", "AUTH_LAST_NAME": "\u5f20",
            "AUTH_DISPLAY_NAME": "Zo\u00eb \u5f20", "AUTH_IMAGE": "/i/zoe.png", "AUTH_ROLE": "MEMBER",
            "AUTH_POSITION_TITLE": None, "AUTH_DIVISION": None, "AUTH_DEPARTMENT": None, "AUTH_SECTION": None,
            "AUTH_CUSTOM_TEAM": "A;B=C", "AUTH_IS_ACTIVE": "true", "AUTH_IS_LEADER": "false", "AUTH_GROUPS": "dev,ops"},
    # The service says 42, the token "42".
    "42": {"AUTH_ID": "42", "AUTH_EMAIL": "int@example.com", "AUTH_USERNAME": "int", "AUTH_NAME": "Int Id",
           "AUTH_FULL_NAME": "Int Id", "AUTH_FIRST_NAME": "Int", "AUTH_LAST_NAME": "Id",
           "AUTH_DISPLAY_NAME": "Int Id", "AUTH_IMAGE": "https://id.example/ann.png", "AUTH_ROLE": "MEMBER",
           "AUTH_POSITION_TITLE": None, "AUTH_DIVISION": None, "AUTH_DEPARTMENT": None, "AUTH_SECTION": None,
           "AUTH_CUSTOM_TEAM": None, "AUTH_IS_ACTIVE": "true", "AUTH_IS_LEADER": "false", "AUTH_GROUPS": "dev,ops"},
}


class Team:
    """A site with the example, of which only the places are changed."""

    def __init__(self, peer, key):
        self.site, self.secret = harness.Site(), peers.new_secret()
        folder = self.site.configuration.parent
        for name, text in (("team-secret", self.secret), ("team-api-key", key)):
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(text + "\n")
        text = EXAMPLE.read_text().replace("/etc/fcgi-auth", str(folder)).replace("/var/lib/fcgi-auth",
                                                                                  str(self.site.state))
        text, replaced = re.subn(r"(?m)^url = http://127\.0\.0\.1:8000/", f"url = {peer.url}/", text)
        assert replaced == 1
        self.site.configuration.write_text(text)

    def token(self, user, **claims):
        given = {"groups": ["dev", "ops"], "picture": "https://id.example/ann.png"} | claims
        return tokens.mint(user, key=self.secret, **given)

    def ask(self, user, target=APP, **claims):
        return self.site.request(target, [peers.bearer(self.token(user, **claims))])

    def environment(self, user, **claims):
        answer = self.ask(user, **claims)
        assert answer.status == 200, answer.text
        return answer.json["environment"]


@pytest.fixture(scope="module")
def team():
    key = tokens.sensitive(secrets.token_urlsafe(24))
    with peers.Peer("fastapi", API_KEY=key) as peer:
        made = Team(peer, key)
        with made.site:
            yield made


@pytest.mark.parametrize("user", FIELDS)
def test_fields(team, user):
    before = team.site.log_text("verify").count("attribute_left_out")
    got = team.environment(user)
    wanted = FIELDS[user]
    assert len(wanted) == 18
    assert {name: got.get(name) for name in wanted} == wanted
    assert got["REMOTE_USER"] == got["AUTH_USER_ID"] == user
    others = {"AUTH_TYPE", "AUTH_USER_ID", "AUTH_EXPIRES", "AUTH_MATCHED_POLICY", "AUTH_REQUEST_ID"}
    assert {name for name in got if name.startswith("AUTH_")} - others == {name for name in wanted if wanted[name]}
    lines = [line for line in team.site.log_text("verify").splitlines() if "attribute_left_out" in line][before:]
    assert len(lines) == (user == "u-2")
    assert all("AUTH_DEPARTMENT: the value has control bytes" in line and "Ventas" not in line for line in lines)


@pytest.mark.parametrize("groups, value", [
    (["one"], "one"), ([], None), (None, None), (["a,b", "c"], None), ("text", "text"), ([["a"]], None),
])
def test_groups(team, groups, value):
    assert team.environment("42", groups=groups).get("AUTH_GROUPS") == value


def test_groups_fall_back_to_roles(team):
    assert team.environment("42", groups=None, roles=["r"])["AUTH_GROUPS"] == "r"


@pytest.mark.parametrize("user, target, status, reason", [
    (ANN, ADMIN, 200, None),
    ("u-2", ADMIN, 403, "rule_failed"),
    ("42", ADMIN, 403, "rule_failed"),
    ("u-3", APP, 403, "user_inactive"),
    ("u-3", ADMIN, 403, "user_inactive"),
    ("nobody", APP, 403, "user_unknown"),
])
def test_who_gets_in(team, user, target, status, reason):
    answer = team.ask(user, target)
    assert (answer.status, answer.json.get("reason")) == (status, reason)
    if status == 200:
        assert answer.json["environment"]["AUTH_NAME"] == "Ann L."


def test_claims_do_not_stand_for_the_profile(team):
    """Who writes "role" into a token is no admin by it."""
    answer = team.ask("u-2", ADMIN, role="ADMIN", profile={"role": "ADMIN"})
    assert (answer.status, answer.json["reason"]) == (403, "rule_failed")


@pytest.mark.parametrize("user", FIELDS)
def test_token_verify(team, user):
    told = json.loads(team.site.authctl("token", "verify", "--policy", "team", text=team.token(user)).stdout)
    assert told["attributes"] == {name: value for name, value in FIELDS[user].items() if value is not None}


def test_explain(team):
    done = team.site.authctl("explain", "--url", ADMIN, text=team.token("u-2"), check=False)
    assert done.returncode == 1
    assert re.search(r'require +wanted profile:/role = ADMIN; came "MEMBER" \(does NOT hold\)', done.stdout)
    text = team.site.authctl("explain", "--url", ADMIN, text=team.token(ANN)).stdout
    assert 'wanted profile:/role = ADMIN; came "ADMIN" (holds)' in text
    text = team.site.authctl("explain", "--url", APP, text=team.token("u-2")).stdout
    assert re.search(r"attribute +wanted AUTH_DEPARTMENT = .*; came left out: the value has control bytes", text)
    assert re.search(r"attribute +wanted AUTH_POSITION_TITLE = .*; came nothing", text)
