# SPDX-License-Identifier: Apache-2.0
"""Sites behind the web servers as shipped, and browsers that all tests share."""

import pathlib
import shutil
import sys

import pytest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "integration"))

import chrome  # noqa: E402
import harness  # noqa: E402

#: What the tests need of a web server beside the shipped configuration.
MORE = {"apache-direct": "AddType text/html .html\n"}


def pytest_collection_modifyitems(items):
    """The search of the logs comes last, when all of them are written."""
    items.sort(key=lambda item: item.fspath.basename == "test_logs_are_clean.py")


def pytest_sessionfinish(exitstatus):
    if exitstatus == 0:
        shutil.rmtree(harness.RUN, ignore_errors=True)


def pytest_terminal_summary(terminalreporter, exitstatus):
    if exitstatus != 0:
        terminalreporter.write_line(f"Logs and configurations of this run: {harness.RUN}")


class Place:
    """A site as a browser sees it."""

    def __init__(self, server, sections=None, **how):
        sections = {**(sections or {}), "login": {"password-cost": "4"} | (sections or {}).get("login", {})}
        self.site = harness.Site(server=server, more=MORE.get(server, ""), sections=sections, **how)
        shutil.copytree(HERE / "site", self.site.htdocs, dirs_exist_ok=True)
        shutil.copy(HERE / "site" / "wiki" / "index.html", self.site.htdocs / "admin")
        self.origin = f"{'https' if self.site.tls else 'http'}://127.0.0.1:{self.site.port}"
        # Where a test's sections need to know the site's own address.
        self.site.configuration.write_text(self.site.configuration.read_text().replace("@ORIGIN@", self.origin))
        self.accounts = {}

    def account(self, name, *more):
        """(user, password) of an account that is made when it is first asked for."""
        if name not in self.accounts:
            self.accounts[name] = name, self.site.add_user(name, *more)
        return self.accounts[name]

    def at(self, path):
        return self.origin + path


@pytest.fixture(scope="session")
def places():
    """Sites that all tests share, by web server; started when the first one asks. Tests use accounts of their own."""
    made = {}

    def get(server):
        if server not in made:
            made[server] = Place(server)
            made[server].site.start()
        return made[server]

    yield get
    for one in made.values():
        one.site.close()


@pytest.fixture(scope="session", params=["lighttpd", "apache-direct"])
def place(request, places):
    """The same site behind each web server, for what depends on it."""
    return places(request.param)


@pytest.fixture(scope="session")
def lighttpd(places):
    """For what does not depend on it."""
    return places("lighttpd")


@pytest.fixture
def make_place():
    """Sites of a test's own."""
    made = []

    def make(server="lighttpd", **how):
        one = Place(server, **how)
        made.append(one.site)
        one.site.start()
        return one

    yield make
    for one in made:
        one.close()


def shared(name, **how):
    """Two fixtures: a browser for the whole run, and the same one, forgetful, for each test."""

    @pytest.fixture(scope="session", name=f"running_{name}")
    def running():
        browser = chrome.Chrome(**how)
        yield browser
        browser.close()

    @pytest.fixture(name=name)
    def fresh(request):
        browser = request.getfixturevalue(f"running_{name}")
        browser.forget()
        yield browser
        browser.check()

    return running, fresh


#: One runs scripts as most do; the other, as some are set up, none.
running_browser, browser = shared("browser")
running_other, other = shared("other", script=False)


@pytest.fixture
def make_browser():
    """Browsers that are set up otherwise; each start takes a second."""
    made = []

    def make(**how):
        made.append(chrome.Chrome(**how))
        return made[-1]

    yield make
    for one in made:
        one.close()
