# SPDX-License-Identifier: Apache-2.0
"""What the web servers of this folder have in common; each is a class of its own in servers_NAME.py.

A site has one: it writes its files from the shipped configuration with this test's
paths put in, starts it, and ends it. `server="apache-fcgid"` means Apache with the way
in that its class calls "fcgid".
"""

import contextlib
import importlib
import os
import pathlib
import re
import shutil
import signal
import subprocess

import harness
import http_client

DATA = pathlib.Path(__file__).resolve().parent / "data"


def create(name, site):
    """The web server of this name for the site."""
    family, _, way = name.partition("-")
    return importlib.import_module(f"servers_{family}").Server(site, way)


def find(name):
    """A program that may stand where only root's PATH leads."""
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin") or name


def fill(text, words):
    """Put words in place of @WORD@."""
    return re.sub(r"@([A-Z_]+)@", lambda word: str(words.get(word[1], word[0])), text)


def documented(page, language):
    """The one block of code in that language on a page of doc/guide."""
    text = (harness.REPOSITORY / "doc" / "guide" / page).read_text()
    block, = re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
    return block


class WebServer:
    """Ways to start and end one; what it writes is for the class of each."""

    name = None
    #: The programs and their files belong to the user as whom the web server works.
    unprivileged = False
    #: It writes its process id when it has read its configuration.
    has_pid_file = True
    #: Where auth-verify listens for a web server that knows no other sockets.
    tcp_port = 0
    #: How auth-verify is started for it beside that.
    verify_options = ()

    def __init__(self, site, way=""):
        self.site, self.way, self.process = site, way, None
        self.folder = site.folder / self.name
        self.folder.mkdir()
        self.log = site.folder / "log" / f"{self.name}.log"
        self.pid_file = site.folder / "run" / f"{self.name}.pid"

    @property
    def logs(self):
        """Files that it writes; all are searched for secrets."""
        return [self.log]

    @property
    def command(self):
        """Runs in the foreground."""
        raise NotImplementedError

    @property
    def environment(self):
        return dict(os.environ)

    def write(self, edit):
        """edit: called with (file name, text) of each file, gives the text to use."""
        raise NotImplementedError

    def shipped(self, text):
        """A shipped file's text with the paths of this site."""
        site = self.site
        return (text.replace(f"/usr/share/fcgi-auth/{self.name}", str(self.folder))
                .replace("/usr/bin/auth-", f"{harness.RUN}/auth-")
                .replace("/etc/fcgi-auth/fcgi-auth.conf", str(site.configuration))
                .replace("/var/lib/fcgi-auth", str(site.state)).replace("/run/fcgi-auth", str(site.folder / "run")))

    def start(self):
        for log in self.logs:
            if log not in harness.LOGS:
                harness.LOGS.append(log)
        self.pid_file.unlink(missing_ok=True)
        with open(self.log, "ab") as out:
            self.process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                            env=self.environment, start_new_session=True)
        harness.wait_for(self.name, self.answers)

    def answers(self):
        """It listens, and has read the whole of its configuration."""
        assert self.process.poll() is None, self.log.read_text()
        if self.has_pid_file and not self.pid_file.exists():
            return False
        try:
            http_client.connect(self.site.port).close()
        except OSError:
            return False
        return True

    def stop(self):
        """The orderly way, in which it ends what it has started."""
        self.process.terminate()
        self.process.wait(15)

    def kill(self):
        """Also what it has started, which outlives a parent that is killed outright."""
        if not self.process:
            return
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
