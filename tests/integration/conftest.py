# SPDX-License-Identifier: Apache-2.0
"""Fixtures: whole sites, and the ways in that the table of cases is run against."""

import shutil

import pytest

import applications
import harness
import ways


def pytest_collection_modifyitems(items):
    """The search of the logs comes last, when all of them are written."""
    items.sort(key=lambda item: item.fspath.basename == "test_logs.py")


def pytest_sessionfinish(exitstatus):
    if exitstatus == 0:
        shutil.rmtree(harness.RUN, ignore_errors=True)


def pytest_terminal_summary(terminalreporter, exitstatus):
    if exitstatus != 0:
        terminalreporter.write_line(f"Logs and configurations of this run: {harness.RUN}")


@pytest.fixture(scope="session")
def backend():
    """A proxied application that tells what it got."""
    with applications.Echo(*harness.free_ports(1)) as server:
        yield server


@pytest.fixture(scope="session")
def application():
    """The socket of a FastCGI application that tells what it got."""
    path = harness.RUN / "application.sock"
    with applications.FastCgiEcho(path):
        yield path


@pytest.fixture(scope="session", params=["fastcgi", "libfcgi"])
def site(request, backend):
    """A running site, once with each transport. Tests must leave it as it was."""
    with harness.Site(transport=request.param, processes=2, backend=backend.port) as running:
        yield running


@pytest.fixture(scope="session")
def cgi_site():
    """Configuration and state alone, for programs that run as plain CGI."""
    made = harness.Site()
    yield made
    made.close()


@pytest.fixture(scope="session", params=[
    "lighttpd", "lighttpd libfcgi", "lighttpd-spawn", "cgi", "apache-direct", "apache-subrequest",
    "apache-http", "apache-cgi", "apache-authnz", "apache-fcgid", "nginx", "nginx-http"])
def way(request, backend, application):
    """Each way in that gives the answers of the table: web server with its way, and the transport."""
    server, _, transport = request.param.partition(" ")
    if server == "cgi":
        yield ways.Cgi(request.getfixturevalue("cgi_site"))
        return
    with harness.Site(server=server, transport=transport or "fastcgi", processes=2, backend=backend.port,
                      application=application, sections=ways.SECTIONS) as running:
        yield ways.WebServer(running, server)


@pytest.fixture
def make_site(backend):
    """Sites of a test's own: make_site(processes=4, …) starts one; all end with the test."""
    made = []

    def make(start=True, **how):
        one = harness.Site(backend=backend.port, **how)
        made.append(one)
        return one.start() if start else one

    yield make
    for one in made:
        one.close()
