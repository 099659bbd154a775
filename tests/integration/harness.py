# SPDX-License-Identifier: Apache-2.0
"""A whole site in a folder: the programs on their sockets, a web server as shipped, applications."""

import functools
import itertools
import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import http_client
import servers
import tokens

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
BUILD_DIR = pathlib.Path(os.environ.get("BUILD_DIR") or REPOSITORY / "build")
PROGRAMS = BUILD_DIR / "src" / "bin"
SOCKETS = {"verify": "auth-verify", "login": "auth-login-proxy", "logout": "auth-logout"}
#: What answers at /app/app.cgi and all other addresses below, each at a port of its own. The first one is the
#: port of every site.
KINDS = ("cgi", "static", "fastcgi", "proxied")

UNLIMITED = resource.RLIM_INFINITY

#: Everything that this run writes; conftest.py takes it away again when all went well.
RUN = pathlib.Path(tempfile.mkdtemp(prefix="fcgi-auth-tests-"))
RUN.chmod(0o755)
NUMBERS = itertools.count(1)
#: Below those that connections get; each site has one of its own. Two runs at once need two ranges.
PORTS = [int(port) for port in os.environ.get("TEST_PORTS", "23000-26999").split("-")]

#: Every log file of this run; test_logs.py reads them all.
LOGS = []


@functools.cache
def program(name):
    """A copy of the program where every user may run it, at a path without blanks."""
    return shutil.copy(PROGRAMS / name, RUN / name)


def environment():
    """What a service manager gives: no secrets, no leftovers of the test run."""
    kept = ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS", "LD_LIBRARY_PATH")
    return {name: os.environ[name] for name in kept if name in os.environ}


def free_ports(n, taken=set()):  # noqa: B006 - one set for the whole run is meant
    found = []
    for port in range(PORTS[0], PORTS[1] + 1):
        if port not in taken and len(found) < n:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    continue
            taken.add(port)
            found.append(port)
    assert len(found) == n, f"no free port in {PORTS}"
    return found


def wait_for(what, condition, timeout=10):
    """Look until condition() is true; what it gave, or a failure that says what was waited for."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"waited {timeout} s for {what}"
        time.sleep(0.005)  # between two looks


def children(pid):
    """Process ids of what a process has started."""
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Service:
    """Processes of one program that share one listening socket, as under spawn-fcgi."""

    def __init__(self, folder, name, configuration, count=1, managed=False, preexec=None, port=0):
        """port: where it listens in place of a socket in the folder."""
        self.folder, self.name, self.configuration = folder, name, configuration
        self.count, self.managed, self.preexec, self.options = count, managed, preexec, ()
        self.path = folder / "run" / f"{name}.sock"
        if port:
            self.socket = socket.create_server(("127.0.0.1", port), backlog=1024)
        else:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.bind(str(self.path))
            self.socket.listen(1024)
        self.log = folder / "log" / f"{name}.log"
        LOGS.append(self.log)
        self.notes = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notes.bind(str(folder / "run" / f"{name}.notify"))
        self.notes.settimeout(20)
        self.processes = []

    @property
    def command(self):
        own = [program(SOCKETS[self.name]), "-c", str(self.configuration), *self.options]
        return ["multiwatch", "-s", "TERM", "-f", str(self.count), "--", *own] if self.managed else own

    def start(self):
        for _ in range(1 if self.managed else self.count):
            self.launch()
        self.wait_until_ready(self.count)

    def start_one(self):
        self.launch()
        self.wait_until_ready(1)

    def launch(self):
        with open(self.log, "ab") as log:
            self.processes.append(subprocess.Popen(
                self.command, stdin=self.socket, stdout=log, stderr=log, preexec_fn=self.preexec,
                env=environment() | {"NOTIFY_SOCKET": self.notes.getsockname()}))

    def wait_until_ready(self, n):
        """As systemd waits for Type=notify: until n processes have said that they serve."""
        while n > 0:
            try:
                n -= b"READY=1" in self.notes.recv(4096)
            except TimeoutError:
                raise AssertionError(f"{self.name} does not get ready:\n{self.log.read_text()}") from None

    def workers(self):
        """Process ids of the program itself, whoever started it."""
        if not self.managed:
            return [process.pid for process in self.processes if process.poll() is None]
        return children(self.processes[0].pid)

    def kill(self):
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes = []

    def stop(self):
        """End as a service manager does; every process must end with status 0."""
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        ended = [process.wait(15) for process in self.processes]
        self.processes = []
        return ended

    def close(self):
        try:
            statuses = self.stop()
        finally:
            self.kill()
            self.socket.close()
            self.notes.close()
        assert all(status == 0 for status in statuses), f"{self.name} ended with {statuses}:\n{self.log.read_text()}"


class Site:
    def __init__(self, server="lighttpd", transport="fastcgi", processes=1, sections=None, edit=None, more="",
                 tls=False, backend=0, application=None, managed=False, preexec=None):
        """server: web server and way in, as servers.create() takes it;
        sections: changes to the configuration {section: {key: value, or list, or None}};
        edit: called with (file name, text) of each file of the web server, gives the text to use;
        more: lines for the web server's own configuration; backend: port of the proxied application;
        application: socket of a FastCGI application. With it the site has a port for each of KINDS."""
        self.folder = RUN / str(next(NUMBERS))
        self.folder.mkdir()
        for name in ("conf", "state", "run", "log", "temp"):
            (self.folder / name).mkdir(mode=0o755 if name != "state" else 0o700)
        self.state, self.secret = self.folder / "state", self.folder / "conf" / "secret"
        self.transport, self.tls, self.backend, self.more = transport, tls, backend, more
        self.application = application
        self.ports = dict(zip(KINDS, free_ports(len(KINDS) if application else 1)))
        self.port = self.ports["cgi"]
        self.configuration = self.folder / "conf" / "fcgi-auth.conf"
        self.write_configuration(sections or {})
        self.make_documents()
        self.web = servers.create(server, self)
        if self.web.unprivileged:
            preexec = preexec or drop_privileges
        self.services = {name: Service(self.folder, name, self.configuration, processes, managed, preexec,
                                       self.web.tcp_port if name == "verify" else 0) for name in SOCKETS}
        if self.web.verify_options:  # it makes its own socket, so there can be one
            self.services["verify"].options, self.services["verify"].count = self.web.verify_options, 1
        self.web.write(edit or (lambda name, text: text))
        if self.web.unprivileged:
            give_away(self.folder)

    # --- files ---------------------------------------------------------------

    def sections(self):
        return {
            "server": {"state-dir": self.state, "transport": self.transport, "log": "stderr", "log-level": "debug"},
            'issuer "main"': {"type": "jwt", "algorithms": "HS256", "secret": f"file:{self.secret}",
                              "iss": tokens.ISSUER, "audience": tokens.AUDIENCE},
            'policy "site"': {"path": "/**", "issuer": "main", "path-user": "/users/{user}/**",
                              "cors-origin": "https://app.example",
                              "attribute": "AUTH_EMAIL = claim:email"},
            'policy "admin"': {"path": "/admin/**", "issuer": "main", "require": "claim:roles = admin",
                               "unauthenticated": "401"},
            'policy "intern"': {"path": "/**", "host": "intern.example", "issuer": "main",
                                "require": "claim:roles = admin"},
            "login": {"backend": "local", "issuer": "main", "cookie": "auth", "lifetime": "1h",
                      # All tests come from one address; those of the limits set their own.
                      "rate-limit": "off", "account-rate-limit": "off", "lockout": "off"},
        }

    def write_configuration(self, changes):
        self.secret.touch(mode=0o600)
        self.secret.write_text(tokens.SECRET + "\n")
        sections = self.sections()
        for name, keys in changes.items():
            sections[name] = sections.get(name, {}) | keys
        lines = []
        for name, keys in sections.items():
            lines.append(f"[{name}]")
            for key, value in keys.items():
                values = value if isinstance(value, list) else [] if value is None else [value]
                lines += [f"{key} = {one}" for one in values]
        self.configuration.write_text("\n".join(lines) + "\n")

    def make_documents(self):
        self.htdocs, self.static = self.folder / "htdocs", self.folder / "static"
        for place in ("app", "admin", "users/alice", "users/bob", "public", "keys", "token"):
            (self.htdocs / place).mkdir(parents=True, exist_ok=True)
            shutil.copy(HERE / "data" / "app.cgi", self.htdocs / place)
            (self.htdocs / place / "page.txt").write_text(f"document of {place}\n")
            # The static files of the addresses that are a program's elsewhere.
            (self.static / place).mkdir(parents=True)
            (self.static / place / "app.cgi").write_text(f"document of {place}\n")
            (self.static / place / "page.txt").write_text(f"document of {place}\n")

    # --- processes -----------------------------------------------------------

    def start(self):
        for service in self.services.values():
            service.start()
        self.web.start()
        return self

    def close(self):
        self.web.kill()
        failures = []
        for service in self.services.values():
            try:
                service.close()
            except AssertionError as failure:
                failures.append(str(failure))
        assert not failures, "\n".join(failures)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.close()

    # --- use -----------------------------------------------------------------

    def request(self, target, headers=(), method="GET", body=None, chunked=False, kind="cgi"):
        return http_client.request(self.ports[kind], target, headers, method, body, chunked, self.tls)

    def browser(self):
        return http_client.Browser(self.port, self.tls)

    def authctl(self, *words, text="", check=True):
        done = subprocess.run([program("authctl"), "-c", str(self.configuration), *words], input=text, text=True,
                              capture_output=True, env=environment(), timeout=30)
        log = self.folder / "log" / "authctl.log"
        with open(log, "a", encoding="utf-8") as out:
            out.write(done.stderr)
        if log not in LOGS:
            LOGS.append(log)
        assert not check or done.returncode == 0, f"authctl {' '.join(words)}: {done.returncode}\n{done.stderr}"
        return done

    def add_user(self, name, *more):
        password = tokens.password()
        self.authctl("users", "add", name, "--email", f"{name}@example.org", *more, text=password + "\n")
        return password

    def log_text(self, name):
        return (self.folder / "log" / f"{name}.log").read_text("utf-8", "replace")


NOBODY = 65534


def drop_privileges():
    """For preexec: run as nobody where the tests run as root."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


def give_away(folder):
    """The folder and all in it belong to whom drop_privileges makes."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, NOBODY, NOBODY)


def limit_files(process_id, size):
    """Let the process write no file beyond size bytes: what a full disk looks like to it."""
    resource.prlimit(process_id, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def make_certificate(path):
    import datetime

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.timezone.utc)
    certificate = (x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
                   .serial_number(1).not_valid_before(now - datetime.timedelta(days=1))
                   .not_valid_after(now + datetime.timedelta(days=1)).sign(key, hashes.SHA256()))
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                       serialization.NoEncryption())
                     + certificate.public_bytes(serialization.Encoding.PEM))
