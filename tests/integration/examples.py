# SPDX-License-Identifier: Apache-2.0
"""Sites of the configurations in doc/examples as they are shipped: only addresses, secrets and folders are changed.
And the list of a system's rows, each of which a test must show."""

import json
import re
import shutil

import harness
import peers
import tokens

SHIPPED = harness.REPOSITORY / "doc" / "examples"
#: What would get into the way of tests that sign in again and again.
UNLIMITED = {"\n[login]\n": "\n[login]\nrate-limit = off\naccount-rate-limit = off\n"}
#: For examples with local accounts: no test needs bcrypt to be slow either.
CHEAP = {"\n[login]\n": UNLIMITED["\n[login]\n"] + "password-cost = 4\n"}
JSON = ["Accept: application/json", "Content-Type: application/json"]


class Example(harness.Site):
    """A site (not started) of doc/examples/NAME.conf. secrets: {file in /etc/fcgi-auth: text};
    places: {text of the example: text in its place}, all of which must be there; documents: folders with app.cgi."""

    def __init__(self, name, secrets, places=(), documents=(), **more):
        self.example, self.secrets, self.places = name, secrets, dict(places)
        super().__init__(**more)
        for document in documents:
            (self.htdocs / document).mkdir(parents=True, exist_ok=True)
            shutil.copy(harness.HERE / "data" / "app.cgi", self.htdocs / document)

    def write_configuration(self, changes):
        assert not changes, "an example is taken as it is shipped"
        folder = self.configuration.parent
        text = (SHIPPED / f"{self.example}.conf").read_text()
        for place, new in self.places.items():
            assert place in text, f"{self.example}.conf has no {place}"
            text = text.replace(place, str(new))
        for name, secret in self.secrets.items():
            assert f"/etc/fcgi-auth/{name}\n" in text, f"{self.example}.conf has no secret {name}"
            (folder / name).touch(mode=0o600)
            (folder / name).write_text(tokens.sensitive(secret) + "\n")
        text = text.replace("/etc/fcgi-auth/", f"{folder}/").replace("/var/lib/fcgi-auth", str(self.state))
        self.configuration.write_text(text)


# --- asking --------------------------------------------------------------------------------------------------------

def told(answer):
    """(status, reason, detail) of a refusal."""
    return answer.status, answer.json["reason"], answer.json["detail"]


def ask(site, token, target=peers.APP, **how):
    return site.request(target, [peers.bearer(token)], **how)


def environment(site, *headers, target=peers.APP):
    answer = site.request(target, headers)
    assert answer.status == 200, (answer.status, answer.text)
    return answer.json["environment"]


def post(site, target, value, *headers):
    """As a script of the site does it."""
    given = [*JSON, f"Origin: {origin(site)}", "Sec-Fetch-Site: same-origin", *headers]
    body = value if isinstance(value, bytes) else json.dumps(value).encode()
    return site.request(target, given, "POST", body)


def origin(site):
    return f"{'https' if site.tls else 'http'}://127.0.0.1:{site.port}"


# --- the rows of a system ------------------------------------------------------------------------------------------

def without_test(rows, module):
    """Rows that no test shows, and tests that are not there. rows: {row: (what it says, [names of tests])}."""
    missing = [row for row, (_, names) in rows.items() if not names]
    unknown = [name for _, names in rows.values() for name in names if not callable(module.get(name))]
    named = {name for _, names in rows.values() for name in names}
    stray = [name for name in module if re.match(r"test_s\d_", name) and name not in named]
    return missing, unknown, stray


def lines_with(site, name, *words):
    """Lines of the log of a program that have all of the words."""
    return [line for line in site.log_text(name).splitlines() if all(word in line for word in words)]
