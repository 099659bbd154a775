# SPDX-License-Identifier: Apache-2.0
"""The site's own pages: languages, templates, picture and colour, through the web servers."""

import os
import re
import signal
import subprocess

import pytest

import harness
import tokens

LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>\n'
FRENCH = "# fr\nSign in = Se connecter\nUse another account = Prendre un autre compte\n"
#: What some web servers take from an authorizer at most.
SMALL = 8000


def own_files(site):
    """Make the folder of the site's files, and name it."""
    folder = site.folder / "pages"
    folder.mkdir()
    (folder / "fr.catalogue").write_text(FRENCH)
    (site.folder / "logo.svg").write_bytes(LOGO)
    text = site.configuration.read_text()
    site.configuration.write_text(text.replace("[login]\n", f"[login]\ntitle = Wiki <of> all\ncolor = #00aa00\n"
                                               f"template-dir = {folder}\nlogo = {site.folder / 'logo.svg'}\n"))
    if site.web.unprivileged:
        harness.give_away(site.folder)
    return folder


@pytest.fixture(scope="module", params=["lighttpd", "apache-direct", "nginx"])
def site(request):
    made = harness.Site(server=request.param)
    made.pages = own_files(made)
    with made:
        yield made


def login_page(site, language="en"):
    return site.request("/auth/login", ["Accept: text/html", f"Accept-Language: {language}"])


@pytest.mark.parametrize("accept, lang, text", [
    ("en", "en", "Sign in"), ("de-AT, en;q=0.5", "de", "Anmelden"), ("fr", "fr", "Se connecter"),
    ("xx", "en", "Sign in"), ("xx, fr;q=0.4, de;q=0.6", "de", "Anmelden")])
def test_languages(site, accept, lang, text):
    page = login_page(site, accept).text
    assert f'<html lang="{lang}" dir="ltr">' in page and f"<h1>{text}</h1>" in page


def test_what_a_language_lacks_is_english(site):
    assert ">Password</label>" in login_page(site, "fr").text


def test_branding(site):
    page = login_page(site)
    assert '<img src="./logo" alt="Wiki &lt;of&gt; all">' in page.text
    assert "; img-src 'self';" in page.header("Content-Security-Policy")
    accent = re.search(r"<style>(:root\{--act:(#[0-9a-f]{6});--fill:#00aa00;.*?)</style>", page.text)
    assert accent and accent[2] != "#00aa00", "links of that colour cannot be read on white"


def test_logo(site):
    answer = site.request("/auth/logo")
    assert answer.status == 200 and answer.body == LOGO
    assert answer.header("Content-Type").startswith("image/svg+xml")
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert "sandbox" in answer.header("Content-Security-Policy")
    assert site.request("/auth/logo", method="POST", body=b"x").status == 405


@pytest.mark.parametrize("language, text", [("en", "Use another account"), ("de", "Anderes Konto verwenden"),
                                            ("fr", "Prendre un autre compte")])
def test_not_allowed(site, language, text):
    """The page comes from auth-verify, which knows the login by its address alone."""
    answer = site.request("/users/bob/app.cgi?a=b", [
        "Sec-Fetch-Mode: navigate", "Accept: text/html", f"Accept-Language: {language}",
        f"Cookie: auth={tokens.mint('alice')}"])
    assert answer.status == 403 and text in answer.text
    assert "<strong>alice</strong>" in answer.text and 'src="/auth/logo"' in answer.text
    assert 'href="/auth/login?rd=/users/bob/app.cgi%3Fa%3Db"' in answer.text
    assert len(answer.body) < SMALL


def test_long_address(site):
    """The page stays small: then the login does not know the way back."""
    answer = site.request("/users/bob/app.cgi?" + 200 * "x=%22&", [
        "Sec-Fetch-Mode: navigate", "Accept: text/html", f"Cookie: auth={tokens.mint('alice')}"])
    assert answer.status == 403 and 'href="/auth/login"' in answer.text and len(answer.body) < SMALL


def workers_reload(site, event):
    """What the login logs of it."""
    log = site.log_text("login")
    for pid in site.services["login"].workers():
        os.kill(pid, signal.SIGHUP)
    harness.wait_for(event, lambda: site.log_text("login").count(f"event={event} ") > log.count(f"event={event} "))
    return site.log_text("login")[len(log):]


def test_template(site):
    """One that is broken is refused with its line, and the old one stays; one that is mended is found by itself."""
    template = site.pages / "login.html"
    try:
        template.write_text("<p>{{csrf}}</p>\n{{#user}}\n")
        assert f"{template}:2: {{{{#user}}}} has no end" in workers_reload(site, "reload_failed")
        assert "<h1>Sign in</h1>" in login_page(site).text
        template.write_text("<p>Mine: {{csrf}}</p>\n")
        harness.wait_for("the template", lambda: "<p>Mine: " in login_page(site).text, timeout=20)
    finally:
        template.unlink()
        workers_reload(site, "reload")
    assert "<h1>Sign in</h1>" in login_page(site).text


@pytest.fixture(scope="module")
def made():
    """A site that does not run."""
    one = harness.Site()
    one.pages = own_files(one)
    yield one
    one.close()


@pytest.mark.parametrize("name", ["auth-verify", "auth-login-proxy", "auth-logout"])
def test_refused_at_the_start(made, name):
    template = made.pages / "message.html"
    template.write_text("{{#link}}\n\n{{lnik}}\n")
    done = subprocess.run([harness.program(name), "-c", str(made.configuration), "-t"], capture_output=True, text=True,
                          env=harness.environment(), timeout=10)
    template.unlink()
    assert done.returncode == 78
    assert "template-dir" in done.stderr and f'{template}:3: no page has a value "lnik"' in done.stderr


def test_what_is_compiled_in_can_be_the_sites_own(made):
    """All files that `authctl templates` prints are a folder that is taken, and make the same pages."""
    for name in made.authctl("templates", "list").stdout.split():
        (made.pages / name).write_text(made.authctl("templates", "show", name).stdout)
    assert made.authctl("check", check=False).returncode in (0, 1)
    done = subprocess.run([harness.program("auth-login-proxy"), "-c", str(made.configuration), "-t"],
                          capture_output=True, text=True, env=harness.environment(), timeout=10)
    assert done.returncode == 0, done.stderr


def test_unknown_template(made):
    assert made.authctl("templates", "show", "../x", check=False).returncode == 1
