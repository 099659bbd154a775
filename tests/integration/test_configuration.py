# SPDX-License-Identifier: Apache-2.0
"""Mistakes in the configuration: every program refuses to start, and says where, what, and what to do."""

import re
import subprocess

import pytest

import harness
import tokens

PROGRAMS = ("auth-verify", "auth-login-proxy", "auth-logout")


def start(site, name="auth-verify", *words):
    return subprocess.run([harness.program(name), "-c", str(site.configuration), *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, env=harness.environment(), timeout=10)


def change(site, old, new):
    text = site.configuration.read_text()
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in the configuration"
    site.configuration.write_text(text.replace(old, new))


def line_of(site, text):
    lines = site.configuration.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if text in line)


#: what is written: (in the place of, written, key that the message names, words that it must have)
MISTAKES = {
    "unknown-key": ("unauthenticated = 401", "unauthentcated = 401", "unauthentcated", ["unauthenticated"]),
    "unknown-section": ("[login]", "[logim]", None, ["logim", "login"]),
    "key-twice": ("lifetime = 1h", "lifetime = 1h\nlifetime = 2h", "lifetime", ["second time"]),
    "bad-duration": ("lifetime = 1h", "lifetime = 1 fortnight", "lifetime", ["duration", "8h"]),
    "bad-word": ("unauthenticated = 401", "unauthenticated = perhaps", "unauthenticated", ["redirect", "anonymous"]),
    "unknown-issuer": ('path = /admin/**\nissuer = main', 'path = /admin/**\nissuer = mian', "issuer", ["mian"]),
    "unknown-login-issuer": ("backend = local\nissuer = main", "backend = local\nissuer = mian", "issuer", ["mian"]),
    "two-policies-for-a-path": ("path = /admin/**", "path = /**", "path", ["site", "another path"]),
    "bad-pattern": ("path = /admin/**", "path = /admin/**/x", "path", ["pattern"]),
    "bad-rule": ("path = /admin/**", "path = /admin/**\nrequire = claim:x ~ y", "require", ["operator"]),
    "bad-attribute": ("attribute = AUTH_EMAIL = claim:email", "attribute = HTTP_EMAIL = claim:email", "attribute",
                      ["AUTH_"]),
    "path-user-without-user": ("path-user = /users/{user}/**", "path-user = /users/**", "path-user", ["{user}"]),
    "unknown-algorithm": ("algorithms = HS256", "algorithms = HS255", "algorithms", ["HS255"]),
    "algorithm-none": ("algorithms = HS256", "algorithms = none", "algorithms", ["none"]),
    "no-algorithm": ("algorithms = HS256", "", "algorithms", []),
    "unknown-type": ("type = jwt", "type = jvt", "type", ["jvt", "jwt"]),
    "state-dir-relative": ("state-dir = /", "state-dir = ", "state-dir", ["/"]),
    "neither-key-nor-section": ("[login]", "hello\n[login]", None, ["hello"]),
    "bad-server": ("[login]", "[store]\nmemcached = 10.0.0.1\n[login]", "memcached", ["10.0.0.1"]),
    "server-twice": ("[login]", "[store]\nmemcached = a:1, b:1, a:1\n[login]", "memcached", ["a:1", "twice"]),
    "too-many-servers": ("[login]", f"[store]\nmemcached = {', '.join(f'a:{i}' for i in range(1, 18))}\n[login]",
                         "memcached", ["16"]),
    "cache-alone": ("[login]", "[store]\nmemcached-cache = a:1\n[login]", "memcached-cache", ["memcached"]),
    "bad-cache-server": ("[login]", "[store]\nmemcached = a:1\nmemcached-cache = a:0\n[login]", "memcached-cache",
                         ["a:0"]),
    "bad-namespace": ("[login]", "[store]\nnamespace = a\x01b\n[login]", None, ["control"]),
    "bad-host-timeout": ("[login]", "[store]\nhost-timeout = 1s\n[login]", "host-timeout", ["10s"]),
    "host-cookie-with-path": ("cookie = auth", "cookie = __Host-auth\ncookie-path = /x", None, ["__Host-"]),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_mistake(cgi_like_site, mistake):
    site = cgi_like_site
    old, new, key, words = mistake
    change(site, old, new)
    for name in PROGRAMS:
        done = start(site, name, "-t")
        assert done.returncode == 78, done.stderr
        message = done.stderr.strip().splitlines()[-1]
        place = re.search(re.escape(str(site.configuration)) + r":(\d+): ", message)
        assert place, message
        if key:
            assert re.search(rf":\d+: {re.escape(key)}: ", message), message
        for word in words:
            assert word in message
        assert start(site, name, "-l", f"unix:{site.folder}/run/new.sock").returncode == 78


def test_line_is_right(cgi_like_site):
    change(cgi_like_site, "lifetime = 1h", "lifetime = 1 fortnight")
    line = line_of(cgi_like_site, "fortnight")
    assert f"{cgi_like_site.configuration}:{line}: lifetime: " in start(cgi_like_site, "auth-verify", "-t").stderr


@pytest.fixture
def cgi_like_site():
    """A site of the test's own whose programs are not started."""
    site = harness.Site()
    yield site
    site.close()


def test_good_configuration(cgi_like_site):
    for name in PROGRAMS:
        done = start(cgi_like_site, name, "-t")
        assert done.returncode == 0, done.stderr


def test_print_masks_secrets(cgi_like_site):
    change(cgi_like_site, f"secret = file:{cgi_like_site.secret}", f"secret = text:{tokens.SECRET}")
    done = start(cgi_like_site, "auth-verify", "-T")
    assert done.returncode == 0
    assert "state-dir" in done.stdout and tokens.SECRET not in done.stdout + done.stderr


SECRETS = {
    "missing": (None, 0o600, ["authctl secret generate"]),
    "empty": ("", 0o600, ["empty", "authctl secret generate"]),
    "line-end-alone": ("\n", 0o600, ["empty", "authctl secret generate"]),
    "short": ("x" * 31 + "\n", 0o600, ["32"]),
    "readable-by-all": ("x" * 48 + "\n", 0o644, ["chmod 600"]),
    "readable-by-group": ("x" * 48 + "\n", 0o640, ["chmod 600"]),
}


@pytest.mark.parametrize("content, mode, words", SECRETS.values(), ids=SECRETS)
def test_secret(cgi_like_site, content, mode, words):
    site = cgi_like_site
    if content is None:
        site.secret.unlink()
    else:
        site.secret.write_text(content)
        site.secret.chmod(mode)
    line = line_of(site, "secret = ")
    for name in PROGRAMS:
        done = start(site, name, "-t")
        assert done.returncode == 78, done.stderr
        assert f"{site.configuration}:{line}: secret: " in done.stderr
        for word in words:
            assert word in done.stderr
        assert tokens.SECRET not in done.stderr


def test_no_configuration():
    done = subprocess.run([harness.program("auth-verify"), "-c", "/nonexistent.conf", "-t"], capture_output=True,
                          text=True, env=harness.environment(), timeout=10)
    assert done.returncode == 78 and "/nonexistent.conf" in done.stderr


def test_wrong_use():
    for name in PROGRAMS:
        done = subprocess.run([harness.program(name), "--nonsense"], capture_output=True, text=True,
                              env=harness.environment(), timeout=10)
        assert done.returncode == 64 and "nonsense" in done.stderr


def test_nothing_to_listen_on(cgi_like_site):
    for name in PROGRAMS:
        done = start(cgi_like_site, name)
        assert done.returncode == 64 and "-l" in done.stderr


@pytest.mark.parametrize("option", ["--version", "-V", "--help", "-h"])
def test_help_and_version(option):
    for name in (*PROGRAMS, "authctl"):
        done = subprocess.run([harness.program(name), option], capture_output=True, text=True,
                              env=harness.environment(), timeout=10)
        assert done.returncode == 0 and name in done.stdout
        if option in ("--version", "-V"):
            assert "OpenSSL" in done.stdout and "SQLite" in done.stdout


