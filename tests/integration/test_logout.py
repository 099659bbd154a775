# SPDX-License-Identifier: Apache-2.0
"""Logout and revocation: told truthfully, at once, on every process, and for good."""

import json
import os
import signal
import sqlite3
import time

import pytest

import harness
import tokens
import ways
from test_login import log_in

DONE = {"message": "Successfully logged out", "detail": "Token has been invalidated"}
LOCAL_ONLY = {"message": "Logout completed", "detail": "Local session cleared (backend cleanup may have failed)"}


def log_out(site, token):
    return site.request("/auth/logout", [f"Authorization: Bearer {token}", "Accept: application/json"], "POST", b"")


def status(site, token):
    return site.request("/app/app.cgi", [f"Authorization: Bearer {token}"]).status


def reason(site, token):
    return site.request("/app/app.cgi", [f"Authorization: Bearer {token}"]).json["reason"]


def assert_cookie_cleared(answer, name="auth"):
    value, attributes = answer.cookies[name]
    assert value == "" and attributes["max-age"] == "0" and attributes["path"] == "/"


# --- the answers ---------------------------------------------------------------------

def test_logout_by_json(site):
    token = tokens.mint()
    assert status(site, token) == 200
    answer = log_out(site, token)
    assert answer.status == 200 and answer.json == DONE
    assert_cookie_cleared(answer)
    denied = site.request("/app/app.cgi", [f"Authorization: Bearer {token}"])
    assert denied.status == 401
    assert (denied.json["reason"], denied.json["detail"]) == ("token_revoked", "Token has been invalidated")
    again = log_out(site, token)
    assert again.status == 200 and again.json == DONE


def test_logout_by_cookie_as_json(site):
    token = tokens.mint()
    answer = site.request("/auth/logout", [f"Cookie: auth={token}", "Accept: application/json",
                                           "Sec-Fetch-Site: same-origin", f"Origin: http://127.0.0.1:{site.port}"],
                          "POST", b"")
    assert answer.json == DONE
    assert_cookie_cleared(answer)
    assert reason(site, token) == "token_revoked"


def test_logout_of_a_browser(site):
    password = site.add_user("erin")
    browser = site.browser()
    log_in(browser, "erin", password)
    token = browser.jar["auth"]
    answer = browser.post("/auth/logout", {})
    assert answer.status == 303 and answer.header("Location") == "/"
    assert_cookie_cleared(answer)
    assert "auth" not in browser.jar
    assert reason(site, token) == "token_revoked"


def test_logout_alias(site):
    token = tokens.mint()
    answer = site.request("/auth/signout", [f"Authorization: Bearer {token}", "Accept: application/json"], "POST", b"")
    assert answer.status == 200 and answer.json == {"success": True} | DONE
    assert reason(site, token) == "token_revoked"


def test_logout_without_anything(site):
    answer = site.request("/auth/logout", ["Accept: application/json"], "POST", b"")
    assert answer.status == 200
    assert_cookie_cleared(answer)


def test_logout_by_link_asks_first(site):
    """GET from another site's link shows a page with a button; nothing is revoked."""
    token = tokens.mint()
    browser = site.browser()
    browser.jar["auth"] = token
    page = browser.get("/auth/logout", **{"Sec-Fetch-Site": "cross-site"})
    assert page.status == 200 and "<form" in page.text
    assert status(site, token) == 200
    answer = browser.submit(page, "/auth/logout", {})
    assert answer.status == 303
    assert reason(site, token) == "token_revoked"


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_cross_site_logout_does_nothing(site, method):
    """L6"""
    token = tokens.mint()
    for more in (["Sec-Fetch-Mode: no-cors"], ["Sec-Fetch-Mode: navigate", "Accept: text/html"]):
        site.request("/auth/logout", [f"Cookie: auth={token}", "Origin: https://evil.example",
                                      "Sec-Fetch-Site: cross-site", *more], method, b"" if method == "POST" else None)
    assert status(site, token) == 200


def test_everywhere(site):
    first, second, other = tokens.mint("frank"), tokens.mint("frank"), tokens.mint("grace")
    answer = site.request("/auth/logout", [f"Authorization: Bearer {first}", "Accept: application/json",
                                           "Content-Type: application/json"], "POST", b'{"everywhere":true}')
    assert answer.json == DONE
    assert reason(site, first) == reason(site, second) == "token_revoked"
    assert status(site, other) == 200


def test_only_valid_tokens_are_stored(site):
    """L6: nobody can fill the list."""
    before = site.authctl("revocations", "stats", "--json").stdout
    for bad in (tokens.mint(key=tokens.OTHER_SECRET), tokens.tampered(tokens.mint()), tokens.unsigned(), "x", "a.b.c"):
        answer = log_out(site, bad)
        assert answer.status == 200
        assert_cookie_cleared(answer)
    assert site.authctl("revocations", "stats", "--json").stdout == before


def test_expired_token_is_revoked(site):
    """A clock that is set back does not revive it."""
    token = tokens.mint(lifetime=-5)
    assert log_out(site, token).json == DONE
    earlier = str(int(time.time()) - 60)
    verdict = site.authctl("token", "verify", "--policy", "site", "--now", earlier, text=token + "\n", check=False)
    assert json.loads(verdict.stdout)["reason"] == "token_revoked"


def test_token_without_jti(site):
    """L7"""
    token = tokens.mint("heidi", drop=["jti"])
    other = tokens.mint("heidi", drop=["jti"], device="other")
    assert log_out(site, token).json == DONE
    assert reason(site, token) == "token_revoked"
    assert status(site, other) == 200


# --- two browsers, several processes, kill -9 --------------------------------------------

@pytest.mark.parametrize("transport", ["fastcgi", "libfcgi"])
def test_two_browsers(make_site, transport):
    site = make_site(transport=transport, processes=4)
    password = site.add_user("alice")
    a, b = site.browser(), site.browser()
    log_in(a, "alice", password)
    log_in(b, "alice", password)
    token_a, token_b = a.jar["auth"], b.jar["auth"]
    assert status(site, token_a) == status(site, token_b) == 200

    assert a.post("/auth/logout", {}).status == 303
    for _ in range(20):  # whichever of the four processes answers
        assert reason(site, token_a) == "token_revoked"
        assert status(site, token_b) == 200
    a.jar["auth"] = token_a
    assert a.get("/app/app.cgi").status == 302
    assert b.get("/app/app.cgi").status == 200

    for service in site.services.values():
        for pid in service.workers():
            os.kill(pid, signal.SIGKILL)
        service.kill()
    for service in site.services.values():
        service.start()
    for _ in range(8):
        assert reason(site, token_a) == "token_revoked"
        assert status(site, token_b) == 200


def test_each_process_by_itself(site):
    """One process after the other is the only one that is there."""
    token = tokens.mint()
    log_out(site, token)
    service = site.services["verify"]
    assert len(service.processes) == 2
    for _ in range(2):
        other = service.processes.pop(0)
        other.kill()
        other.wait()
        assert reason(site, token) == "token_revoked"
        service.start_one()


def test_plain_cgi_sees_it_too(site):
    token = tokens.mint()
    log_out(site, token)
    answer = ways.run(site, "verify", "/app/app.cgi", [f"Authorization: Bearer {token}"])
    assert answer.status == 401 and answer.json["reason"] == "token_revoked"


def test_logout_as_plain_cgi(site):
    token = tokens.mint()
    answer = ways.run(site, "logout", "/auth/logout", [f"Authorization: Bearer {token}", "Accept: application/json"],
                      "POST", script="/auth/logout")
    assert answer.status == 200 and ways.as_json(answer) == DONE
    assert_cookie_cleared(answer)
    assert reason(site, token) == "token_revoked"


# --- when the revocation cannot be kept -----------------------------------------------------

def ignore_file_limit():
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


def test_disk_full(make_site):
    """R5: the client is logged out here and told what is missing; the log says what failed."""
    site = make_site(preexec=ignore_file_limit)
    for pid in site.services["logout"].workers():
        harness.limit_files(pid, 0)
    token = tokens.mint()
    # the log is a file too: a full disk must not bring anything down
    for _ in range(3):
        answer = log_out(site, token)
        assert answer.status == 200 and answer.json == LOCAL_ONLY
        assert_cookie_cleared(answer)
    for pid in site.services["logout"].workers():
        harness.limit_files(pid, harness.UNLIMITED)
    assert log_out(site, token).json == DONE
    assert reason(site, token) == "token_revoked"


def test_store_locked(make_site):
    """Somebody holds the database: bounded waiting, then the truth."""
    site = make_site()
    token = tokens.mint()
    holders = []
    for path in site.state.glob("*.db"):
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        holders.append(holder)
    assert holders
    answer = log_out(site, token)
    assert answer.status == 200 and answer.json == LOCAL_ONLY
    assert_cookie_cleared(answer)
    assert "event=logout_failed" in site.log_text("logout")
    for holder in holders:
        holder.execute("ROLLBACK")
        holder.close()
    assert log_out(site, token).json == DONE


def test_state_read_only():
    """As plain CGI of a user who may read the state and not write it."""
    site = harness.Site()
    try:
        site.authctl("revocations", "stats")
        harness.give_away(site.folder)
        for path in site.state.iterdir():
            path.chmod(0o440)
        site.state.chmod(0o550)
        token = tokens.mint()
        answer = ways.run(site, "logout", "/auth/logout",
                          [f"Authorization: Bearer {token}", "Accept: application/json"], "POST",
                          script="/auth/logout", preexec=harness.drop_privileges)
        assert answer.status == 200 and ways.as_json(answer) == LOCAL_ONLY
        assert_cookie_cleared(answer)
        log = (site.folder / "log" / "logout-cgi.log").read_text()
        assert "event=logout_failed" in log and str(site.state) in log
        denied = ways.run(site, "verify", "/app/app.cgi", [f"Authorization: Bearer {token}"],
                          preexec=harness.drop_privileges)
        assert denied.status == 503 and denied.json["reason"] == "store_unavailable"
    finally:
        site.state.chmod(0o700)
        site.close()
