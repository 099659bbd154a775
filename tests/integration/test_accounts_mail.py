# SPDX-License-Identifier: Apache-2.0
"""Registering, confirming an address and resetting a password, with mails as their readers get them."""

import concurrent.futures
import json
import re
import sqlite3

import pytest

import mail_server
import tokens
from harness import Site, free_ports

PAGES = "/auth/"
SAYS_SENT = "If there is an account with this address, a mail is on its way to it."


@pytest.fixture(scope="module")
def mail():
    with mail_server.MailServer() as server:
        yield server


def sections(mail, **login):
    return {"login": {"password-cost": "4", "registration": "on", "url": "https://login.example/auth",
                      "rate-limit": "off", "account-rate-limit": "off", "lockout": "5"} | login,
            "mail": {"from": "Müller & Söhne <auth@login.example>", "smtp": mail.url, "timeout": "5s"}}


@pytest.fixture(scope="module")
def accounts(mail):
    with Site(sections=sections(mail, title="Der Löwe")) as site:
        yield site


def post(site, target, value, *headers):
    lines = ["Content-Type: application/json", "Accept: application/json", *headers]
    return site.request(PAGES + target, lines, "POST", json.dumps(value).encode())


def sign_in(site, user, password):
    answer = post(site, "login", {"username": user, "password": password})
    if answer.status == 200:
        tokens.sensitive(answer.json["token"])
    return answer


def row_of(site, user):
    if not (site.state / "accounts.db").exists():
        return None  # nobody yet
    with sqlite3.connect(f"file:{site.state}/accounts.db?mode=ro", uri=True) as database:
        database.row_factory = sqlite3.Row
        row = database.execute("SELECT * FROM account WHERE id = ?", [user]).fetchone()
    return dict(row) if row else None


def register(site, user, **more):
    password = tokens.password()
    email = f"{user}@mail.example"
    answer = post(site, "register", {"username": user, "email": email, "password": password} | more)
    return answer, email, password


def link_for(mail, email, count=1):
    """(path and query as on the site, token) of the link in the newest mail."""
    target, token = mail_server.link_in(mail.wait(email, count))
    return target, tokens.sensitive(token)


# --- registering ------------------------------------------------------------------

def test_register_confirm_and_sign_in(accounts, mail):
    answer, email, password = register(accounts, "ada", name="Ada Lovelace")
    assert answer.status == 201, answer.text
    user = {"id": "ada", "email": email, "name": "Ada Lovelace"}
    assert answer.json["user"] == user and answer.json["data"] == {"token": None, "user": user}
    assert answer.json["success"] is True and answer.json["token"] is None and "mail" in answer.json["message"]
    assert "Set-Cookie" not in dict(answer.headers)
    early = sign_in(accounts, "ada", password)
    assert early.status == 403 and early.json["reason"] == "user_inactive" and "Confirm" in early.json["detail"]
    assert sign_in(accounts, "ada", "wrong " + password).status == 401
    target, token = link_for(mail, email)
    assert target.startswith("/auth/verify-email?token=")
    done = post(accounts, "verify-email", {"token": token})
    assert done.status == 200 and done.json["success"] is True
    assert sign_in(accounts, "ada", password).status == 200
    assert row_of(accounts, "ada")["verified"] > 0
    assert post(accounts, "verify-email", {"token": token}).status == 400


def test_register_by_form(accounts, mail):
    browser = accounts.browser()
    page = browser.get("/auth/login?rd=/app/app.cgi")
    assert 'href="./register?rd=/app/app.cgi"' in page.text and 'href="./forgot-password"' in page.text
    page = browser.get("/auth/register?rd=/app/app.cgi")
    assert page.status == 200
    password = tokens.password()
    fields = {"username": "grace", "email": "grace@mail.example", "password": "short"}
    answer = browser.submit(page, "/auth/register", fields)
    assert answer.status == 400 and "too short" in answer.text and 'value="grace@mail.example"' in answer.text
    answer = browser.submit(answer, "/auth/register", fields | {"password": password})
    assert answer.status == 303 and answer.header("Location") == "./verify-email"
    assert "We have sent you a mail" in browser.get("/auth/verify-email").text
    target, token = link_for(mail, "grace@mail.example")
    # What looks at links in mails, in another place than the person.
    for _ in range(2):
        looked = accounts.browser().get(target)
        assert looked.status == 200 and "<button" in looked.text
    assert row_of(accounts, "grace")["pending"] == 1
    assert looked.header("Referrer-Policy") in ("same-origin", "no-referrer")
    assert "no-store" in looked.header("Cache-Control")
    page = browser.get(target)
    confirmed = browser.submit(page, target, {})
    assert confirmed.status == 200 and "confirmed" in confirmed.text
    assert token not in confirmed.text
    page = browser.get("/auth/login")
    assert browser.submit(page, "/auth/login", {"username": "grace", "password": password}).status == 303


@pytest.mark.parametrize("changes, text", [
    ({"username": "ab"}, "3 to 50"), ({"username": "x" * 51}, "3 to 50"), ({"username": "a b c"}, "3 to 50"),
    ({"username": "../etc"}, "3 to 50"), ({"username": "über"}, "3 to 50"), ({"username": "a@b.example"}, "3 to 50"),
    ({"email": ""}, "Enter an e-mail address"), ({"email": "nobody"}, "no e-mail"), ({"email": "a@b"}, "no e-mail"),
    ({"email": "a b@c.example"}, "no e-mail"), ({"email": "a@b.example\r\nBcc: x@y.example"}, "no e-mail"),
    ({"email": "<a@b.example>"}, "no e-mail"), ({"email": "a@b.example,c@d.example"}, "no e-mail"),
    ({"email": "|sh@b.example"}, "no e-mail"), ({"email": "-f@b.example"}, "no e-mail"),
    ({"email": ".a@b.example"}, "no e-mail"), ({"email": "a..b@c.example"}, "no e-mail"),
    ({"email": "a@-b.example"}, "no e-mail"), ({"email": "a@" + "b" * 64 + ".example"}, "no e-mail"),
    ({"email": "a" * 65 + "@b.example"}, "no e-mail"), ({"email": "a@b..example"}, "no e-mail"),
    ({"name": "x" * 256}, "too long"), ({"name": "a\nb"}, "too long"), ({"password": ""}, "Enter an e-mail address"),
    ({"password": "short"}, "too short"), ({"password": "x" * 73}, "72"), ({"password": ["a"]}, "Enter an e-mail")])
def test_what_cannot_register(accounts, changes, text):
    asked = {"username": "never", "email": "never@mail.example", "password": "long enough for this"} | changes
    answer = post(accounts, "register", asked)
    assert answer.status == 400 and text in answer.json["detail"], answer.text
    assert row_of(accounts, "never") is None


def test_a_taken_user_name(accounts):
    accounts.add_user("Linus")
    for name in ("Linus", "linus", "LINUS"):
        answer, _, _ = register(accounts, name, email="free@mail.example")
        assert answer.status == 400 and answer.json["detail"] == "This user name is taken."


def test_a_taken_address_is_no_secret_to_its_owner_alone(accounts, mail):
    """The stranger gets the answer of a free address, and can make nothing of it; the owner gets a mail."""
    accounts.authctl("users", "add", "tove", "--email", "tove@mail.example", text=tokens.password() + "\n")
    free, _, _ = register(accounts, "stranger1", email="free1@mail.example")
    taken, _, password = register(accounts, "stranger2", email="Tove@mail.example")
    assert free.status == taken.status == 201
    assert free.text.replace("stranger1", "X").replace("free1@", "tove@") == \
        taken.text.replace("stranger2", "X").replace("Tove@", "tove@")
    # The user name is kept in either case, and no password opens it.
    for name in ("stranger1", "stranger2"):
        again, _, _ = register(accounts, name, email="other@mail.example")
        assert again.status == 400 and again.json["detail"] == "This user name is taken."
    assert sign_in(accounts, "stranger2", password).status == 403
    told = mail.wait("tove@mail.example")
    assert "one already" in mail_server.text_of(told) and "stranger" not in mail_server.text_of(told)
    target, token = link_for(mail, "tove@mail.example")
    assert target.startswith("/auth/reset-password?token=")
    fresh = tokens.password()
    assert post(accounts, "reset-password", {"token": token, "password": fresh}).status == 200
    assert sign_in(accounts, "tove", fresh).status == 200


def test_without_a_user_name(accounts, mail):
    answer, email, password = register(accounts, "mailonly", username="")
    user = answer.json["user"]["id"]
    assert answer.status == 201 and "@" not in user and len(user) > 20
    _, token = link_for(mail, email)
    assert post(accounts, "verify-email", {"token": token}).status == 200
    assert sign_in(accounts, email, password).json["user"]["id"] == user


def test_roles_are_not_for_the_asking(accounts, mail):
    answer, email, password = register(accounts, "mallory", roles="admin", is_admin=True, verified=1, pending=0)
    assert answer.status == 201
    row = row_of(accounts, "mallory")
    assert (row["roles"], row["verified"], row["pending"]) == ("", 0, 1)


@pytest.mark.parametrize("headers", [["Origin: https://evil.example"], ["Sec-Fetch-Site: cross-site"]])
@pytest.mark.parametrize("action", ["register", "forgot-password", "reset-password", "verify-email"])
def test_other_sites_and_forms_without_their_token(accounts, action, headers):
    value = {"username": "csrf", "email": "csrf@mail.example", "password": "long enough for this", "token": "x"}
    assert post(accounts, action, value, *headers).status == 403
    browser = accounts.browser()
    browser.get("/auth/" + action)
    assert browser.post("/auth/" + action, value).status == 403
    assert accounts.request("/auth/" + action, ["Content-Type: text/plain"], "POST", b"{}").status == 415
    assert row_of(accounts, "csrf") is None


def test_aliases(accounts):
    for name in ("register", "signup", "forgot-password", "forgot_password", "reset-password", "reset_password",
                 "verify-email", "verify_email"):
        assert accounts.request("/auth/" + name, ["Accept: text/html"]).status == 200
        assert post(accounts, name, {}).status == 400


# --- a forgotten password -----------------------------------------------------------

def test_forgot_and_reset(accounts, mail):
    old = accounts.add_user("erika")
    held = tokens.sensitive(sign_in(accounts, "erika", old).json["token"])
    answer = post(accounts, "forgot-password", {"email": "Erika@example.org"})
    assert answer.status == 200 and answer.json == {"success": True, "message": SAYS_SENT}
    target, token = link_for(mail, "erika@example.org")
    assert target.startswith("/auth/reset-password?token=")
    browser, fresh = accounts.browser(), tokens.password()
    page = browser.get(target)
    assert page.status == 200
    weak = browser.submit(page, target, {"password": "short"})
    assert weak.status == 400 and "too short" in weak.text
    assert sign_in(accounts, "erika", old).status == 200
    done = browser.submit(weak, target, {"password": fresh})
    assert done.status == 200 and "Your password is changed" in done.text
    assert sign_in(accounts, "erika", old).status == 401
    assert sign_in(accounts, "erika", fresh).status == 200
    bearer = [f"Authorization: Bearer {held}"]
    assert accounts.request("/auth/verify-token", bearer).status == 401
    assert accounts.request("/app/app.cgi", bearer).status == 401
    again = post(accounts, "reset-password", {"token": token, "password": tokens.password()})
    assert again.status == 400 and "used already" in again.json["detail"]
    changed = mail.wait("erika@example.org", 2)
    assert "was changed" in changed["Subject"] and "token" not in mail_server.text_of(changed)


def test_a_new_password_opens_a_locked_account(accounts, mail):
    accounts.add_user("guessed")
    answers = [sign_in(accounts, "guessed", f"guess number {n}").status for n in range(12)]
    assert answers[-1] == 423, answers
    post(accounts, "forgot-password", {"email": "guessed@example.org"})
    _, token = link_for(mail, "guessed@example.org")
    fresh = tokens.password()
    assert post(accounts, "reset-password", {"token": token, "password": fresh}).status == 200
    assert sign_in(accounts, "guessed", fresh).status == 200


def test_two_uses_at_once(accounts, mail):
    accounts.add_user("twice")
    post(accounts, "forgot-password", {"email": "twice@example.org"})
    _, token = link_for(mail, "twice@example.org")
    passwords = [tokens.password() for _ in range(6)]
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda one: post(accounts, "reset-password", {"token": token, "password": one}),
                                passwords))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 5
    good = [sign_in(accounts, "twice", password).status for password in passwords]
    assert [answer.status for answer in answers] == [200 if status == 200 else 400 for status in good]


def test_confirming_twice_at_once(accounts, mail):
    _, email, _ = register(accounts, "double")
    _, token = link_for(mail, email)
    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: post(accounts, "verify-email", {"token": token}).status, range(6)))
    assert sorted(answers) == [200] + [400] * 5


@pytest.mark.parametrize("change", [
    lambda token: token[:-1], lambda token: token + "A", lambda token: "9" + token, lambda token: "",
    lambda token: token.swapcase(), lambda token: token.replace(".", "", 1), lambda token: token + ".x",
    lambda token: "." .join([token.split(".")[0], "YWxpY2U", token.split(".")[2]]), lambda token: "x" * 5000])
def test_changed_tokens(accounts, mail, change):
    if not row_of(accounts, "forger"):
        accounts.add_user("forger")
        accounts.add_user("alice")
        post(accounts, "forgot-password", {"email": "forger@example.org"})
    _, token = link_for(mail, "forger@example.org")
    answer = post(accounts, "reset-password", {"token": change(token), "password": tokens.password()})
    assert answer.status == 400
    assert len(mail.mails("forger@example.org")) == 1


def test_each_token_has_one_purpose(accounts, mail):
    _, email, password = register(accounts, "purpose")
    _, confirm = link_for(mail, email)
    assert post(accounts, "reset-password", {"token": confirm, "password": tokens.password()}).status == 400
    post(accounts, "forgot-password", {"email": email})
    _, reset = link_for(mail, email, 2)
    assert post(accounts, "verify-email", {"token": reset}).status == 400
    # A new password by mail confirms the address, and ends the first link.
    fresh = tokens.password()
    assert post(accounts, "reset-password", {"token": reset, "password": fresh}).status == 200
    assert post(accounts, "verify-email", {"token": confirm}).status == 400
    assert sign_in(accounts, "purpose", password).status == 401
    assert sign_in(accounts, "purpose", fresh).status == 200


def test_a_changed_password_ends_the_link(accounts, mail):
    password = accounts.add_user("changer")
    post(accounts, "forgot-password", {"email": "changer@example.org"})
    _, token = link_for(mail, "changer@example.org")
    accounts.authctl("users", "passwd", "changer", text=tokens.password() + "\n")
    assert post(accounts, "reset-password", {"token": token, "password": password}).status == 400


def test_a_disabled_account_stays_out(accounts, mail):
    accounts.add_user("leaver")
    post(accounts, "forgot-password", {"email": "leaver@example.org"})
    _, token = link_for(mail, "leaver@example.org")
    accounts.authctl("users", "disable", "leaver")
    assert post(accounts, "reset-password", {"token": token, "password": tokens.password()}).status == 400
    assert post(accounts, "forgot-password", {"email": "leaver@example.org"}).json["message"] == SAYS_SENT
    accounts.authctl("users", "enable", "leaver")
    assert post(accounts, "forgot-password", {"email": "leaver@example.org"}).status == 200
    mail.wait("leaver@example.org", 2)
    assert len(mail.mails("leaver@example.org")) == 2


def test_who_is_not_there_gets_the_same_answer(accounts, mail):
    accounts.add_user("there")
    answers = [post(accounts, "forgot-password", {"email": f"{user}@example.org"}) for user in ("there", "nobody")]
    assert answers[0].status == answers[1].status == 200 and answers[0].body == answers[1].body
    names = [[name for name, _ in answer.headers] for answer in answers]
    assert names[0] == names[1]
    browser = accounts.browser()
    pages = []
    for user in ("there", "nobody"):
        page = browser.get("/auth/forgot-password")
        pages.append(browser.submit(page, "/auth/forgot-password", {"email": f"{user}@example.org"}))
    texts = [re.sub(r"\b[0-9a-f]{16}\b", "ID", page.text) for page in pages]
    assert pages[0].status == pages[1].status == 200 and texts[0] == texts[1] and SAYS_SENT in texts[0]
    mail.wait("there@example.org", 2)
    assert not mail.mails("nobody@example.org")


def test_links_never_come_from_the_host_header(accounts, mail):
    accounts.add_user("host")
    for name in ("Host: evil.example", "X-Forwarded-Host: evil.example"):
        post(accounts, "forgot-password", {"email": "host@example.org"}, name, "X-Forwarded-Proto: http")
    for one in [mail.wait("host@example.org", 2)] + mail.mails("host@example.org"):
        assert "https://login.example/auth/reset-password?token=" in mail_server.text_of(one)
        assert "evil" not in one.as_string()


# --- what a mail looks like -----------------------------------------------------------

def test_headers_and_text_of_a_mail(accounts, mail):
    accounts.add_user("reader")
    for language in ("en", "de-AT,de;q=0.9"):
        post(accounts, "forgot-password", {"email": "reader@example.org"}, f"Accept-Language: {language}")
    mail.wait("reader@example.org", 2)
    english, german = mail.mails("reader@example.org")
    assert english["Subject"] == "Der Löwe: Choose a new password"
    assert german["Subject"] == "Der Löwe: Neues Passwort wählen"
    sender, = english["From"].addresses
    assert (sender.display_name, sender.addr_spec) == ("Müller & Söhne", "auth@login.example")
    assert [one.addr_spec for one in english["To"].addresses] == ["reader@example.org"]
    assert english["Auto-Submitted"] == "auto-generated" and english["Date"].datetime
    assert re.fullmatch(r"<[0-9a-f]{32}@login\.example>", english["Message-ID"])
    assert english["Message-ID"] != german["Message-ID"]
    assert english.get_content_type() == "text/plain" and english.get_content_charset() == "utf-8"
    assert (english["Content-Language"], german["Content-Language"]) == ("en", "de")
    assert "good for one hour" in mail_server.text_of(english) and "eine Stunde" in mail_server.text_of(german)
    assert "User name: reader" in mail_server.text_of(english)
    for one in (english, german):
        assert not one.defects
        assert max(len(line) for line in one.as_string().splitlines()) <= 998


def test_nothing_secret_in_the_log(accounts, mail):
    accounts.add_user("silent")
    post(accounts, "forgot-password", {"email": "silent@example.org"})
    _, token = link_for(mail, "silent@example.org")
    log = accounts.log_text("login")
    assert "event=mail_sent" in log and "silent" in log
    assert token not in log and "token=" not in log and "silent@example.org" not in log


# --- without mail, without confirmation -------------------------------------------------

def test_registration_without_confirmation():
    with Site(sections={"login": {"registration": "on", "verify-email": "off", "password-cost": "4",
                                  "rate-limit": "off"}}) as site:
        answer, email, password = register(site, "quick", name="Quick")
        assert answer.status == 201
        user = {"id": "quick", "email": email, "name": "Quick"}
        token = tokens.sensitive(answer.json["token"])
        assert answer.json["user"] == user and answer.json["data"] == {"token": token, "user": user}
        assert site.request("/app/app.cgi", [f"Authorization: Bearer {token}"]).status == 200
        taken, _, _ = register(site, "other", email=email.upper())
        assert taken.status == 400 and "e-mail address already" in taken.json["detail"]
        browser = site.browser()
        page = browser.get("/auth/register?rd=/app/app.cgi")
        answer = browser.submit(page, "/auth/register", {
            "username": "formed", "email": "formed@mail.example", "password": tokens.password()})
        assert answer.status == 303 and answer.header("Location") == "/app/app.cgi"
        tokens.sensitive(browser.jar["auth"])
        assert browser.get("/app/app.cgi").json["environment"]["REMOTE_USER"] == "formed"
        for name in ("forgot-password", "reset-password", "verify-email"):
            assert site.request("/auth/" + name).status == 404
            assert post(site, name, {"email": email}).status == 404
        assert "forgot-password" not in site.browser().get("/auth/login").text


def test_registration_is_off_by_default(site):
    assert site.request("/auth/register").status == 404
    assert post(site, "signup", {"username": "x"}).status == 404
    assert "register" not in site.browser().get("/auth/login").text


# --- a mail server that is not there ------------------------------------------------------

def test_no_mail_server_changes_no_answer():
    port, = free_ports(1)
    with Site(sections=sections(mail_server_at(port))) as site:
        site.add_user("lost")
        answer = post(site, "forgot-password", {"email": "lost@example.org"})
        assert answer.status == 200 and answer.json["message"] == SAYS_SENT


def mail_server_at(port):
    class Nowhere:
        url = f"smtp://127.0.0.1:{port}"
    return Nowhere


# --- the administrator's hand --------------------------------------------------------------

def test_an_administrator_confirms(accounts):
    _, _, password = register(accounts, "byhand")
    assert json.loads(accounts.authctl("users", "show", "byhand", "--json").stdout)["pending"] is True
    assert "pending" in accounts.authctl("users", "list").stdout
    accounts.authctl("users", "confirm", "byhand")
    shown = json.loads(accounts.authctl("users", "show", "byhand", "--json").stdout)
    assert shown["pending"] is False and shown["verified"] > 0
    assert sign_in(accounts, "byhand", password).status == 200
    accounts.authctl("users", "add", "known", "--email", "known@mail.example", "--verified",
                     text=tokens.password() + "\n")
    assert row_of(accounts, "known")["verified"] > 0
    accounts.authctl("users", "add", "nomail", text=tokens.password() + "\n")
    assert accounts.authctl("users", "confirm", "nomail", check=False).returncode == 1
