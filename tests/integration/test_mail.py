# SPDX-License-Identifier: Apache-2.0
"""How mails to users leave: by a mail server with and without TLS and a password, by a command, and not at all."""

import json
import re
import shlex
import subprocess
import time

import pytest

import harness
import mail_server
import tokens
import ways
from harness import Site, wait_for

USER = "sender"


def certificate(name):
    path = harness.RUN / f"{name}.pem"
    if not path.exists():
        harness.make_certificate(path)
        # The part that clients are given.
        text = path.read_text()
        (harness.RUN / f"{name}-ca.pem").write_text(text[text.index("-----BEGIN CERTIFICATE"):])
    return path


def site_with(users=("reader",), **mail):
    """A site that sends as the keys of [mail] say, with accounts whose addresses are USER@mail.example."""
    site = Site(sections={"login": {"password-cost": "4", "url": "https://login.example/auth", "rate-limit": "off",
                                    "account-rate-limit": "off"},
                          "mail": {"from": "auth@login.example", "timeout": "5s"} | mail})
    for user in users:
        site.authctl("users", "add", user, "--email", f"{user}@mail.example", text=tokens.password() + "\n")
    return site


def ask(site, user="reader"):
    """What makes the site send a mail."""
    answer = site.request("/auth/forgot-password", ["Content-Type: application/json"], "POST",
                          json.dumps({"email": f"{user}@mail.example"}).encode())
    assert answer.status == 200, answer.text


def events(site, event):
    return [line for line in site.log_text("login").splitlines() if f"event={event} " in line]


def wait_for_event(site, event, count=1):
    return wait_for(f"{count} {event}", lambda: events(site, event)[count - 1:])[-1]


# --- TLS and passwords ------------------------------------------------------------------

def test_starttls_and_a_password():
    password = tokens.password()
    secret = harness.RUN / "mail-password"
    secret.touch(mode=0o600)
    secret.write_text(password + "\n")
    with mail_server.MailServer(certificate("mail"), demand_tls=True, account=(USER, password)) as server, \
            site_with(smtp=server.url, user=USER, password=f"file:{secret}",
                      **{"ca-file": harness.RUN / "mail-ca.pem"}) as site:
        ask(site)
        assert server.wait("reader@mail.example")["From"] == "auth@login.example"
        assert "P=esmtpsa" in server.log_text() and "A=plain" in server.log_text()
        assert password not in site.log_text("login")
        shown = subprocess.run([harness.program("auth-login-proxy"), "-c", site.configuration, "-T"],
                                       capture_output=True, text=True, env=harness.environment(), check=True).stdout
        assert "[mail]" in shown and password not in shown


def test_tls_from_the_first_byte():
    with mail_server.MailServer(certificate("mail"), on_connect=True) as server, \
            site_with(smtp=server.url, **{"ca-file": harness.RUN / "mail-ca.pem"}) as site:
        ask(site)
        server.wait("reader@mail.example")
        assert "P=esmtps" in server.log_text()


def never(server, site):
    """The mail is given up at once, and nothing of it has left."""
    ask(site)
    line = wait_for_event(site, "mail_lost")
    assert "tries=1" in line and not events(site, "mail_delayed") and not server.mails()
    return line


@pytest.mark.parametrize("on_connect", [False, True])
def test_a_certificate_of_nobody_we_trust(on_connect):
    certificate("other")
    with mail_server.MailServer(certificate("mail"), on_connect=on_connect) as server, \
            site_with(smtp=server.url, **{"ca-file": harness.RUN / "other-ca.pem"}) as site:
        assert "certificate" in never(server, site)


def test_a_certificate_of_another_name():
    with mail_server.MailServer(certificate("mail")) as server, \
            site_with(smtp=server.url.replace("localhost", "127.0.0.1"),
                      **{"ca-file": harness.RUN / "mail-ca.pem"}) as site:
        assert "127.0.0.1" in never(server, site)


def test_no_starttls_where_it_is_demanded():
    certificate("mail")
    with mail_server.MailServer() as server, \
            site_with(smtp=server.url, **{"ca-file": harness.RUN / "mail-ca.pem"}) as site:
        assert "STARTTLS" in never(server, site)


def test_a_wrong_password():
    wrong = tokens.password()
    with mail_server.MailServer(certificate("mail"), account=(USER, tokens.password())) as server, \
            site_with(smtp=server.url, user=USER, password=f"text:{wrong}",
                      **{"ca-file": harness.RUN / "mail-ca.pem"}) as site:
        assert wrong not in never(server, site)


# --- servers that do not take it ----------------------------------------------------------

def test_refused_for_now_and_for_ever():
    with mail_server.MailServer() as server, site_with(("defer", "refuse", "reader"), smtp=server.url) as site:
        ask(site, "refuse")
        line = wait_for_event(site, "mail_lost")
        assert "tries=1" in line and "550" in line and "reset refuse" in line
        ask(site, "defer")
        first = wait_for_event(site, "mail_delayed")
        assert "tries=1" in first and "451" in first
        # Others go on meanwhile.
        ask(site, "reader")
        server.wait("reader@mail.example")
        second = wait_for_event(site, "mail_delayed", 2)
        assert "tries=2" in second and "reset defer" in second
        assert len(events(site, "mail_lost")) == 1


def test_a_server_that_says_nothing():
    with mail_server.MailServer() as server, site_with(smtp=server.url, timeout="1s") as site:
        server.pause()
        begun = time.monotonic()
        ask(site)
        assert site.request("/auth/health").status == 200
        assert not events(site, "mail_delayed"), f"answered after {time.monotonic() - begun} s"
        wait_for_event(site, "mail_delayed")
        server.resume()
        server.wait("reader@mail.example")
        wait_for_event(site, "mail_sent")


def test_what_waits_at_the_end_is_tried_once_more():
    port, = harness.free_ports(1)
    with site_with(smtp=f"smtp://127.0.0.1:{port}") as site:
        ask(site)
        wait_for_event(site, "mail_delayed")
        assert site.services["login"].stop() == [0]
        assert re.search(r"tries=[23]", events(site, "mail_lost")[0])


# --- by a command -----------------------------------------------------------------------

def script(name, text):
    path = harness.RUN / name
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return path


def test_by_a_command():
    out = harness.RUN / "handed-over"
    path = script("take", f"printf '%s\\n' \"$@\" > {shlex.quote(str(out))}.words\nenv > {out}.environment\n"
                          f"ls /proc/self/fd > {out}.files\ncat > {out}.tmp\nmv {out}.tmp {out}\n")
    with site_with(command=f"{path} -t  $(id) ;x") as site:
        ask(site)
        wait_for_event(site, "mail_sent")
        text = out.read_bytes()
        mail = mail_server.email.message_from_bytes(text, policy=mail_server.email.policy.SMTP)
        assert mail["To"] == "<reader@mail.example>" or "reader@mail.example" in mail["To"]
        tokens.sensitive(mail_server.link_in(mail)[1])
        assert all(line.endswith(b"\r") for line in text.split(b"\n")[:-1])
        assert (harness.RUN / "handed-over.words").read_text().splitlines() == ["-t", "$(id)", ";x"]
        names = {line.split("=")[0] for line in (harness.RUN / "handed-over.environment").read_text().splitlines()}
        assert names <= {"PATH", "LC_ALL", "PWD", "_", "SHLVL", "OLDPWD"}
        # 0, 1, 2, and the folder that ls reads.
        assert len((harness.RUN / "handed-over.files").read_text().split()) == 4


@pytest.mark.parametrize("text, event, why", [
    ("cat > /dev/null\nexit 75\n", "mail_delayed", "status 75"), ("exit 1\n", "mail_lost", "status 1"),
    ("kill -9 $$\n", "mail_delayed", "signal 9"), ("exec tail -f /dev/null\n", "mail_delayed", "in time")])
def test_commands_that_fail(text, event, why):
    with site_with(command=script("fail", text), timeout="1s") as site:
        ask(site)
        assert why in wait_for_event(site, event)


def test_a_command_that_is_not_there():
    with site_with(command="/nowhere/sendmail -t") as site:
        ask(site)
        assert "cannot be started" in wait_for_event(site, "mail_lost")


# --- plain CGI --------------------------------------------------------------------------

def test_plain_cgi_does_not_wait_for_a_mail_server():
    """Its answer is whole while the mail server still says nothing; the mail comes even so."""
    body = json.dumps({"email": "reader@mail.example"}).encode()
    with mail_server.MailServer() as server:
        site = site_with(smtp=server.url)
        try:
            parameters = ways.environment("/auth/forgot-password", ["Content-Type: application/json"], "POST", "/auth")
            server.pause()
            process = subprocess.Popen([harness.program("auth-login-proxy"), "-c", site.configuration],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                       env=harness.environment() | parameters | {"CONTENT_LENGTH": str(len(body))})
            out, _ = process.communicate(body, timeout=15)
            assert out.startswith(b"Status: 200") and process.returncode == 0
            assert not server.mails()
            server.resume()
            server.wait("reader@mail.example")
        finally:
            site.close()


# --- what the configuration says ----------------------------------------------------------

@pytest.mark.parametrize("mail, login, text", [
    ({}, {"registration": "on", "url": None}, "[login]"),
    (None, {"registration": "on"}, "registration: addresses are confirmed by mail"),
    ({"from": None}, {}, "from: is an address"), ({"from": "nobody"}, {}, "from: is an address"),
    ({"from": "A <a@b.example"}, {}, "from: is an address"), ({"smtp": None}, {}, "smtp: [mail] takes one of"),
    ({"command": "/bin/true"}, {}, "command: [mail] takes one of"),
    ({"smtp": None, "command": "sendmail"}, {}, "command: begins with the whole path"),
    ({"smtp": "http://localhost"}, {}, "smtp: begins with smtp://"),
    ({"smtp": "smtp://user:pw@localhost"}, {}, "smtp: is smtp://host:port"),
    ({"smtp": "smtp://localhost/x"}, {}, "smtp: is smtp://host:port"),
    ({"smtp": "smtp://localhost:0"}, {}, "smtp: is smtp://host:port"),
    ({"user": "x"}, {}, "user: the server takes a user and a password"),
    ({"password": "text:x"}, {}, "password: the server takes a user and a password"),
    ({"user": "x", "password": "plain"}, {}, "password:"),
    ({"smtp": None, "command": "/bin/true", "ca-file": "/x"}, {}, "ca-file: is for smtp alone"),
    ({}, {"url": None}, "url: [mail] sends links"), ({}, {"url": "https://login.example/"}, "url: is where"),
    ({}, {"url": "https://login.example/a?b"}, "url: is where"), ({}, {"url": "login.example"}, "url:"),
    ({}, {"url": "https://user@login.example/auth"}, "url: is where")])
def test_what_the_configuration_must_not_say(mail, login, text):
    sections = {"login": {"url": "https://login.example/auth"} | login}
    if mail is not None:
        sections["mail"] = {"from": "auth@login.example", "smtp": "smtp://localhost:25"} | mail
    site = Site(sections=sections)
    if "[login]" == text:
        text = "url: [mail] sends links"
    try:
        done = subprocess.run([harness.program("auth-login-proxy"), "-c", site.configuration, "-t"],
                                      capture_output=True, text=True, env=harness.environment(), check=False)
        assert done.returncode == 78 and text in done.stderr, done.stderr
        assert re.search(r"fcgi-auth\.conf:\d+: ", done.stderr)
    finally:
        site.close()
