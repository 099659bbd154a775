# SPDX-License-Identifier: Apache-2.0
"""Apache httpd as a test starts it: an instance of its own in a folder, with the modules and lines that it is given."""

import os
import pathlib
import re
import shutil
import signal
import subprocess

import harness
import http_client

HTTPD = shutil.which("apache2", path=os.environ.get("PATH", "") + ":/usr/sbin") or shutil.which("httpd") or "apache2"
MODULE = harness.BUILD_DIR / "apache" / "mod_auth_request.so"
#: What every instance has; the rest is asked for by name.
BASE_MODULES = ("authz_core", "authz_host", "authn_core", "mime", "dir", "env", "setenvif", "headers", "alias")

FRAME = """\
ServerRoot "{folder}"
ServerName 127.0.0.1
PidFile "{folder}/apache.pid"
DefaultRuntimeDir "{folder}/run"
Mutex file:{folder}/run default
ErrorLog "{folder}/error.log"
LogLevel warn auth_request:debug
{modules}
User {user}
Group {group}
{listen}
{mpm}
TypesConfig /dev/null
AddType text/html .html .shtml
AddType text/plain .txt
DocumentRoot "{htdocs}"
LogFormat "%h %u \\"%r\\" %>s" short
CustomLog "{folder}/access.log" short
Timeout 20
"""
#: Few threads and children, so that what they share and wait for is seen.
MPM = {
    "event": "StartServers 2\nServerLimit 2\nThreadsPerChild 8\nMinSpareThreads 8\nMaxSpareThreads 16\n"
             "MaxRequestWorkers 16\n",
    "worker": "StartServers 2\nServerLimit 2\nThreadsPerChild 8\nMinSpareThreads 8\nMaxSpareThreads 16\n"
              "MaxRequestWorkers 16\n",
    "prefork": "StartServers 3\nMinSpareServers 1\nMaxSpareServers 6\nMaxRequestWorkers 6\n",
}


def modules_folder():
    run = subprocess.run(["apxs", "-q", "LIBEXECDIR"], capture_output=True, text=True, check=True)
    return pathlib.Path(run.stdout.strip())


def sanitizer():
    """The run-time library of a module that is built with AddressSanitizer: httpd has to load it first."""
    needs = subprocess.run(["ldd", str(MODULE)], capture_output=True, text=True, check=True).stdout
    found = re.search(r"=> (\S*libasan\S*)", needs)
    return {"LD_PRELOAD": found[1], "ASAN_OPTIONS": "detect_leaks=0"} if found else {}


class Apache:
    """folder: for everything it writes; conf: lines behind the frame; mpm: event, worker or prefork."""

    def __init__(self, folder, port, modules=(), conf="", mpm="event", mpm_conf=None, htdocs=None):
        self.folder, self.port, self.mpm = pathlib.Path(folder), port, mpm
        self.modules, self.conf, self.mpm_conf = modules, conf, mpm_conf or MPM[mpm]
        self.htdocs = pathlib.Path(htdocs or self.folder / "htdocs")
        self.htdocs.mkdir(parents=True, exist_ok=True)
        (self.folder / "run").mkdir(exist_ok=True)
        self.configuration = self.folder / "apache.conf"
        self.process, self.wrapper = None, []

    def write(self):
        where, names = modules_folder(), [f"mpm_{self.mpm}", *BASE_MODULES, *self.modules]
        lines = [f"LoadModule {name}_module {where / f'mod_{name}.so'}" for name in dict.fromkeys(names)]
        lines.append(f"LoadModule auth_request_module {MODULE}")
        words = {"folder": self.folder, "htdocs": self.htdocs, "modules": "\n".join(lines), "mpm": self.mpm_conf,
                 "user": "nobody" if os.geteuid() == 0 else f"#{os.geteuid()}",
                 "group": "nogroup" if os.geteuid() == 0 else f"#{os.getegid()}",
                 "listen": f"Listen 127.0.0.1:{self.port}"}
        self.configuration.write_text(FRAME.format(**words) + self.conf)

    def check(self):
        """What `apachectl -t` says: (exit status, text)."""
        self.write()
        run = subprocess.run([HTTPD, "-t", "-f", str(self.configuration)], capture_output=True, text=True,
                             env=harness.environment() | sanitizer(), timeout=60)
        log = self.folder / "error.log"
        return run.returncode, run.stdout + run.stderr + (log.read_text() if log.exists() else "")

    def start(self):
        self.write()
        harness.LOGS.append(self.folder / "error.log")
        harness.LOGS.append(self.folder / "access.log")
        # Of a group of its own: to end, prefork sends TERM to its whole group.
        with open(self.folder / "output.log", "ab") as out:
            self.process = subprocess.Popen([*self.wrapper, HTTPD, "-DFOREGROUND", "-f", str(self.configuration)],
                                            stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True,
                                            env=harness.environment() | sanitizer())
        harness.wait_for("Apache", self.answers, 60 if self.wrapper else 15)
        return self

    def answers(self):
        assert self.process.poll() is None, self.log_text() + (self.folder / "output.log").read_text()
        try:
            http_client.connect(self.port).close()
        except OSError:
            return False
        return True

    def children(self):
        return harness.children(self.process.pid)

    def restart_gracefully(self):
        """As `apachectl graceful`: returns when the new configuration serves."""
        before = self.log_text().count("resuming normal operations")
        self.process.send_signal(signal.SIGUSR1)
        harness.wait_for("the graceful restart",
                         lambda: self.log_text().count("resuming normal operations") > before)

    def log_text(self):
        log = self.folder / "error.log"
        return log.read_text("utf-8", "replace") if log.exists() else ""

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.stop()

    def request(self, target, headers=(), method="GET", body=None, chunked=False, tls=False):
        return http_client.request(self.port, target, headers, method, body, chunked, tls)
