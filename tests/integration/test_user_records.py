# SPDX-License-Identifier: Apache-2.0
"""Records of users through a web server: one number for each, whoever is first, and what that costs later."""

import concurrent.futures
import json
import secrets
import sqlite3
import time

import pytest

import harness
import tokens
import ways
from user_records import OTHER_ISSUER, Records, bearer, number


@pytest.fixture
def records():
    return Records()


@pytest.fixture
def site(make_site, records):
    return make_site(processes=2, sections=records.sections())


def test_one_record_for_many_first_requests(site, records):
    """64 at once, of two processes: all are told one number; and 64 new users get 64."""
    token = tokens.mint("ann")
    gate = concurrent.futures.ThreadPoolExecutor(64)
    with gate:
        answers = list(gate.map(lambda _: site.request("/app/app.cgi", [f"Authorization: Bearer {token}"]), range(64)))
        others = list(gate.map(lambda i: number(site, f"user{i}"), range(64)))
    assert [answer.status for answer in answers] == [200] * 64
    numbers = {answer.json["environment"]["AUTH_LOCAL_USER_ID"] for answer in answers}
    assert len(numbers) == 1
    assert len(set(others)) == 64 and int(*numbers) not in others
    assert records.ask("SELECT count(*), count(DISTINCT user_id) FROM users") == [(65, 65)]


def test_the_number_stays(site, records):
    """Over a restart, another token, and another name of the issuer's section."""
    first = number(site, "ann")
    assert number(site, "bob") != first
    for service in site.services.values():
        assert service.stop() == [0, 0]
    text = site.configuration.read_text()
    text = text.replace('[issuer "main"]', '[issuer "renamed"]').replace("issuer = main", "issuer = renamed")
    site.configuration.write_text(text)
    for service in site.services.values():
        service.start()
    assert number(site, "ann") == first
    assert records.ask("SELECT issuer FROM users WHERE local_user_id = ?", first) == [(tokens.ISSUER,)]


def test_two_issuers(site, records):
    """The same user id of somebody else is somebody else."""
    one = number(site, "ann")
    other = number(site, "ann", key=tokens.OTHER_SECRET, iss=OTHER_ISSUER)
    assert one != other
    assert records.ask("SELECT issuer FROM users ORDER BY local_user_id") == [(tokens.ISSUER,), (OTHER_ISSUER,)]


def test_an_iss_that_nobody_checks_is_nobodys_name(make_site, records):
    """An issuer without iss vouches for its own users, whatever its tokens say."""
    sections = records.sections(issuer="main")
    sections['issuer "main"'] = {"iss": None}
    site = make_site(sections=sections)
    first = number(site, "ann")
    assert number(site, "ann", iss=OTHER_ISSUER) == first
    assert number(site, "ann", drop=["iss"]) == first
    assert records.ask("SELECT issuer FROM users") == [("main",)]


def test_several_iss_of_one_section(make_site, records):
    """Each has users of its own."""
    sections = records.sections(issuer="main")
    sections['issuer "main"'] = {"iss": [tokens.ISSUER, OTHER_ISSUER]}
    sections['issuer "other"'] |= {"iss": "https://third.example"}
    site = make_site(sections=sections)
    assert number(site, "ann") != number(site, "ann", iss=OTHER_ISSUER)
    assert {issuer for issuer, in records.ask("SELECT issuer FROM users")} == {tokens.ISSUER, OTHER_ISSUER}


def test_attributes(site, records):
    """What the policy hands on is recorded at once when it changes, and what another policy says stays."""
    first = number(site, "ann", name="Ann")
    assert records.attributes("ann") == {"email": "ann@example.org", "first_name": "Ann"}

    def shows(want, path, **claims):
        def look():
            assert number(site, "ann", path=path, **claims) == first
            return records.attributes("ann") == want
        harness.wait_for(f"the attributes {want}", look)
    shows({"email": "new@example.org", "first_name": "Änn \"<&>\" \\"}, "/app/app.cgi",
          email="new@example.org", name='Änn "<&>" \\')
    shows({"email": "new@example.org"}, "/app/app.cgi", email="new@example.org")
    shows({"email": "new@example.org", "roles": "admin,wiki"}, "/admin/app.cgi", roles=["admin", "wiki"])
    shows({"email": "new@example.org", "roles": "admin,wiki"}, "/app/app.cgi", email="new@example.org")
    # What no variable can hold is not recorded either.
    shows({"email": "new@example.org", "roles": "admin,wiki"}, "/app/app.cgi", email="new@example.org",
          name="line\nbreak")
    shows({"email": "new@example.org", "roles": "admin,wiki"}, "/app/app.cgi", email="new@example.org",
          name="x" * 5000)
    assert len(records.ask("SELECT * FROM users")) == 1


def test_nothing_is_written_for_who_is_known(site, records):
    """200 requests of the same user, by two policies: no file changes, and no transaction is seen."""
    token = [f"Authorization: Bearer {tokens.mint('ann', roles=['admin'])}"]
    paths = ["/app/page.txt", "/admin/page.txt"]

    def is_recorded():
        assert [site.request(path, token).status for path in paths] == [200, 200]
        return set(records.attributes("ann")) == {"email", "roles"}
    harness.wait_for("both policies' attributes", is_recorded)
    watcher = sqlite3.connect(f"file:{records.path}?mode=ro", uri=True)
    before = records.files(), watcher.execute("PRAGMA data_version").fetchall()
    recorded = records.ask("SELECT last_seen FROM users")[0][0]
    harness.wait_for("a later second, of which last_seen would tell", lambda: time.time() > recorded + 1.1)
    for i in range(200):
        assert site.request(paths[i % 2], token).status == 200
    assert (records.files(), watcher.execute("PRAGMA data_version").fetchall()) == before
    watcher.close()


def test_last_seen(make_site, records):
    """It moves on when it is older than local-user-refresh; first_seen does not."""
    site = make_site(sections=records.sections(**{"local-user-refresh": "1s"}))
    token = [f"Authorization: Bearer {tokens.mint('ann')}"]
    assert site.request("/app/page.txt", token).status == 200
    (first, seen), = records.ask("SELECT first_seen, last_seen FROM users")
    assert first == seen

    def moved():
        assert site.request("/app/page.txt", token).status == 200
        return records.ask("SELECT first_seen, last_seen > first_seen FROM users") == [(first, 1)]
    harness.wait_for("a later last_seen", moved)


def test_who_gets_none(site, records):
    """Nobody, who is nobody; and whose token is no good."""
    answer = site.request("/public/app.cgi")
    assert answer.status == 200 and "AUTH_LOCAL_USER_ID" not in answer.json["environment"]
    assert site.request("/app/page.txt", bearer("eve", key=secrets.token_hex(32))).status == 401
    assert site.request("/app/page.txt", bearer("eve", lifetime=-600)).status == 401
    assert number(site, "ann") == 1
    assert records.ask("SELECT user_id FROM users") == [("ann",)]


def test_no_client_can_forge_it(site, backend):
    """In the environment of a script, and in the headers of a proxied application."""
    forged = ["X-Auth-Local-User-Id: 77", "X_Auth_Local_User_Id: 77", "Auth-Local-User-Id: 77",
              "AUTH_LOCAL_USER_ID: 77", "Variable-AUTH_LOCAL_USER_ID: 77"]
    seen = site.request("/app/app.cgi", bearer("ann") + forged).json["environment"]
    assert seen["AUTH_LOCAL_USER_ID"] == "1"
    assert "77" not in {value for name, value in seen.items() if "LOCAL" in name}
    headers = site.request("/papp/x", bearer("ann") + forged).json["headers"]
    assert [value for name, value in headers if "local" in name.lower()] == ["1"]


def test_as_cgi(make_site, records):
    site = make_site(start=False, sections=records.sections())
    way = ways.Cgi(site)
    assert [way.request("/app/x", bearer(user)).seen["AUTH_LOCAL_USER_ID"] for user in ("ann", "bob", "ann")] == \
        ["1", "2", "1"]


def test_in_state_dir(make_site):
    """Without a folder of their own the records are closed to applications, as all else there."""
    site = make_site(sections={'policy "site"': {"local-user": "on"}})
    assert number(site, "ann") == 1
    assert (site.state / "user-records.db").stat().st_mode & 0o777 == 0o600


def test_authctl(site, records):
    """The admin lists, shows and removes; judging a token makes no record."""
    verify = ["token", "verify", "--policy", "site"]
    assert json.loads(site.authctl(*verify, text=tokens.mint("ann")).stdout)["local_user_id"] is None
    assert "no number yet" in site.authctl("explain", "--policy", "site", text=tokens.mint("ann")).stdout
    assert records.ask("SELECT * FROM users") == []
    first, second = number(site, "ann", name="Ann\x1b[2J"), number(site, "bob")
    before = records.files()
    assert json.loads(site.authctl(*verify, text=tokens.mint("ann", email="x@y")).stdout)["local_user_id"] == first
    told = site.authctl("explain", "--policy", "site", text=tokens.mint("ann")).stdout
    assert f'user "ann" of "{tokens.ISSUER}", number {first}' in told
    assert records.files() == before

    listed = [json.loads(line) for line in site.authctl("records", "list", "--json").stdout.splitlines()]
    assert [(row["local_user_id"], row["user_id"]) for row in listed] == [(first, "ann"), (second, "bob")]
    assert listed[1]["issuer"] == tokens.ISSUER and listed[1]["attributes"] == {"email": "bob@example.org"}
    assert listed[1]["first_seen"] <= listed[1]["last_seen"]
    assert len(site.authctl("records", "list", "--user", "bob").stdout.splitlines()) == 2
    shown = site.authctl("records", "show", str(second)).stdout
    assert "email = bob@example.org" in shown and tokens.ISSUER in shown

    assert site.authctl("records", "remove", str(second)).stdout.startswith(f'record {second} of user "bob": removed')
    assert site.authctl("records", "show", str(second), check=False).returncode == 1
    assert site.authctl("records", "remove", str(second), check=False).returncode == 1
    assert site.authctl("records", "show", "-1", check=False).returncode == 64
    assert number(site, "bob") > second
    assert json.loads(site.authctl("records", "remove", str(first), "--json").stdout) == \
        {"local_user_id": first, "removed": True}
    assert "users seen: 1" in site.authctl("check").stdout
