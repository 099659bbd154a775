# SPDX-License-Identifier: Apache-2.0
"""A contestant of bench/web as it runs: web server and authorizer, what both cost, whether they answer rightly."""

import http.client
import os
import socket
import time
from pathlib import Path

import measure
from contestants import TICKS, Failed, Process
from environment import PAGE
from web_site import APACHE, KINDS, NGINX

START_SECONDS = 20
CLIENTS = 16

# As Debian has it, but for the log and for what would end a connection.
APACHE_SKELETON = """\
ServerRoot "@FOLDER@"
ServerName localhost
Listen 127.0.0.1:@WEB_PORT@
DefaultRuntimeDir "@FOLDER@"
PidFile "@FOLDER@/apache.pid"
ErrorLog "@FOLDER@/apache.log"
MaxKeepAliveRequests 0
MaxConnectionsPerChild 0
@MODULES@
DocumentRoot "@DOCUMENTS@"
<Directory "/">
  AllowOverride None
</Directory>
<Directory "@DOCUMENTS@">
  Require all granted
</Directory>
@GUARD@
"""
NGINX_SKELETON = """\
daemon off;
worker_processes auto;
pid "@FOLDER@/nginx.pid";
error_log "@FOLDER@/nginx.log";
events { worker_connections 1024; }
http {
  access_log off;
  keepalive_requests 100000000;
  client_body_temp_path "@FOLDER@/body";
  fastcgi_temp_path "@FOLDER@/fastcgi";
  proxy_temp_path "@FOLDER@/proxy";
  scgi_temp_path "@FOLDER@/scgi";
  uwsgi_temp_path "@FOLDER@/uwsgi";
  types { text/html html; }
  upstream authorizer { server "unix:@SOCKET@"; keepalive 16; }
  server {
    listen 127.0.0.1:@WEB_PORT@;
    root "@DOCUMENTS@";
@GUARD@
  }
}
"""
SKELETONS = {"Apache": APACHE_SKELETON, "nginx": NGINX_SKELETON}


def families():
    """{parent: children} of all processes."""
    found = {}
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                fields = Path(entry.path, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            found.setdefault(int(fields[1]), []).append((int(entry.name), sum(map(int, fields[11:15]))))
    return found


class Family(Process):
    """A program with all that it starts."""

    def cpu_seconds(self):
        """Of itself, its children and theirs, and of those that have ended."""
        children = families()
        left = [self.pid]
        ticks = next((own for found in children.values() for pid, own in found if pid == self.pid), 0)
        while left:
            for pid, own in children.get(left.pop(), []):
                ticks += own
                left.append(pid)
        return ticks / TICKS


class Place:
    """The folder of one contestant, its addresses, and what stands for the words in its configuration."""

    def __init__(self, site, contestant, number):
        self.folder = site.folder / f"contestant-{number}"
        self.folder.mkdir()
        self.socket, self.web_port = self.folder / "authorizer.sock", measure.free_port()
        modules = ["mpm_event", "authz_core", *contestant.modules]
        self.words = {
            "GUARD": contestant.guard, "FOLDER": self.folder, "SOCKET": self.socket, "PORT": measure.free_port(),
            "WEB_PORT": self.web_port, "DOCUMENTS": site.documents, "STATE": site.state, "SECRET": site.secret,
            "MODULES": "\n".join(f"LoadModule {name}_module {site.apache_module(name)}" for name in modules),
            "CERTIFICATE": site.certificate_file, "CONFIGURATION_1": site.configurations[1],
            "AUTH_VERIFY": site.program("auth-verify")}

    def fill(self, text):
        for word, value in self.words.items():
            text = text.replace(f"@{word}@", str(value))
        return text


class Running:
    """A contestant, not started yet; stop() ends what start() has begun."""

    def __init__(self, contestant, site, number):
        self.contestant, self.name, self.judge = contestant, contestant.name, contestant.judge
        self.site, self.place = site, Place(site, contestant, number)
        self.processes, self.authorizer = [], None

    def start(self):
        folder = self.place.folder
        if self.judge and self.judge.command:
            self.authorizer = Family(self.judge.command(self.site, self.place), folder / "authorizer.out",
                                     environment=os.environ | self.judge.settings(self.site))
            self.processes.append(self.authorizer)
        configuration = folder / "web.conf"
        configuration.write_text(self.place.fill(SKELETONS[self.contestant.server]))
        command = {"Apache": [APACHE, "-D", "FOREGROUND", "-f", configuration],
                   "nginx": [NGINX, "-e", "stderr", "-c", configuration]}[self.contestant.server]
        self.processes.append(Family(command, folder / "web.out"))

    def stop(self):
        for process in self.processes:
            process.stop()

    def cpu_seconds(self):
        return sum(process.cpu_seconds() for process in self.processes)

    def last_words(self):
        logs = sorted(self.place.folder.glob("*.log"))
        return "\n".join([process.last_words() for process in self.processes] +
                         [log.read_text(errors="replace")[-2000:] for log in logs])

    def get(self, token):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        connection = http.client.HTTPConnection("127.0.0.1", self.place.web_port, timeout=10)
        try:
            connection.request("GET", "/page.html", headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def wait_until_ready(self):
        """The page comes: web server and authorizer are there."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                status, found = self.get(self.site.good[KINDS[0]])[0], ""
            except OSError as error:
                status, found = 0, error
            if status == 200:
                return
            if time.monotonic() > deadline or any(process.process.poll() is not None for process in self.processes):
                raise Failed(f"{self.name} does not start: {found or status}: {self.last_words()}")
            time.sleep(0.02)

    def expect(self, status, what, token):
        answer, body = self.get(token)
        if answer != status or (status == 200 and body != PAGE):
            raise Failed(f"{self.name} answers {answer} to {what}: {self.last_words()}")

    def check(self):
        """Every answer is right: of whoever judges, of whoever knows what is revoked."""
        for kind in KINDS:
            self.check_kind(kind)
        if self.judge and self.judge.judges:
            self.expect(401, "what is no token", "x.y.z")
            self.expect(401, "no token", None)

    def check_kind(self, kind):
        self.expect(200, f"a good token, {kind}", self.site.good[kind])
        if not self.judge or not self.judge.judges:
            return
        self.expect(401, f"a forged token, {kind}", self.site.token_of(kind, forged=True))
        self.expect(401, f"an expired token, {kind}", self.site.token_of(kind, lifetime=-3600))
        if not self.judge.blacklist:
            return
        revoked = self.site.token_of(kind)
        for _ in range(4):  # whoever remembers an answer has one to remember
            self.expect(200, f"another good token, {kind}", revoked)
        if self.judge.blacklist == "redis":
            self.log_out(revoked)
        elif not self.site.revoke(revoked, self.site.configurations[1]):
            raise Failed("auth-logout does not revoke")
        for _ in range(4):
            self.expect(401, f"a revoked token, {kind}", revoked)

    def log_out(self, token):
        """Ask the authorizer itself, as its users do."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(str(self.place.socket))
            connection.sendall(f"POST /logout HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n"
                               "Content-Length: 0\r\nConnection: close\r\n\r\n".encode())
            answer = connection.makefile("rb").read()
        if b"Successfully logged out" not in answer:
            raise Failed(f"{self.name} does not revoke: {answer[:200]!r}")

    def load(self, kind, seconds):
        """Requests with the good token; and the forged one is still denied after them."""
        before = self.cpu_seconds()
        asked = self.authorizer.cpu_seconds() if self.authorizer else 0
        header = f"Authorization: Bearer {self.site.good[kind]}"
        try:
            figures = measure.wrk(self.place.web_port, "/page.html", header, CLIENTS, seconds)
        except Failed as error:
            raise Failed(f"{self.name}, {kind}: {error}: {self.last_words()}") from error
        figures["cpu_per_10000"] = measure.cost(self.processes, before, figures["requests"])
        if self.authorizer and not self.contestant.cached and self.authorizer.cpu_seconds() == asked:
            raise Failed(f"{self.name}, {kind}: nobody was asked")
        if self.judge and self.judge.judges:
            self.expect(401, f"a forged token, {kind}", self.site.token_of(kind, forged=True))
        return figures
