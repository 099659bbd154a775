# SPDX-License-Identifier: Apache-2.0
"""nginx with one worker and the shipped configuration; its CGI programs run in fcgiwrap."""

import grp
import os
import pwd
import signal
import socket
import subprocess

import harness
import servers

SHIPPED = harness.REPOSITORY / "nginx"


class Server(servers.WebServer):
    name = "nginx"
    unprivileged = True

    @property
    def command(self):
        return [servers.find("nginx"), "-p", str(self.folder), "-e", str(self.log), "-c",
                str(self.folder / "nginx.conf")]

    def __init__(self, site, way=""):
        super().__init__(site, way)
        self.runner = None

    def write(self, edit):
        site = self.site
        if site.tls:
            harness.make_certificate(self.folder / "server.pem")
        root = os.geteuid() == 0
        words = {"HTDOCS": site.htdocs, "TEMP": site.folder / "temp", "PORT": site.port, "CONF": self.folder,
                 "PID": self.pid_file, "RUN": site.folder / "run", "LOG": self.log,
                 "BACKEND": site.backend or site.port, "WAY": "fcgi-auth" + (f"-{self.way}" if self.way else ""),
                 "DOCUMENTS": site.static, "APPLICATION": site.application,
                 "USER": pwd.getpwuid(harness.NOBODY if root else os.getuid()).pw_name,
                 "GROUP": grp.getgrgid(harness.NOBODY if root else os.getgid()).gr_name,
                 "TLS": f" ssl; ssl_certificate {self.folder}/server.pem; ssl_certificate_key {self.folder}/server.pem"
                        if site.tls else ""}
        words |= {kind.upper(): port for kind, port in site.ports.items()}
        kinds = (servers.DATA / "nginx-kinds.conf").read_text() if site.application else ""
        files = {file.name: self.shipped(file.read_text()) for file in SHIPPED.glob("*.conf")}
        for name, source in (("nginx.conf", "nginx"), ("site.conf", "nginx-site")):
            files[name] = servers.fill((servers.DATA / f"{source}.conf").read_text().replace("@KINDS@", kinds), words)
        files["site.conf"] += site.more
        if self.way == "http":
            files["global.conf"] += files["global-http.conf"]
            self.ask_over_http()
        for name, text in files.items():
            (self.folder / name).write_text(edit(name, text))

    def ask_over_http(self):
        """auth-verify alone has another transport than the other programs."""
        verify = self.site.services["verify"]
        text = verify.configuration.read_text()
        verify.configuration = verify.configuration.with_name("verify.conf")
        verify.configuration.write_text(text.replace("transport = fastcgi\n", "transport = http\n"))

    def start(self):
        """The applications first: CGI programs behind FastCGI."""
        with socket.socket(socket.AF_UNIX) as listening, open(self.log, "ab") as out:
            path = self.site.folder / "run" / "application.sock"
            listening.bind(str(path))
            listening.listen(64)
            path.chmod(0o666)
            self.runner = subprocess.Popen([servers.find("fcgiwrap"), "-c", "4"], stdin=listening, stdout=out,
                                                stderr=out, start_new_session=True)
        super().start()

    def kill(self):
        super().kill()
        if self.runner:
            os.killpg(self.runner.pid, signal.SIGKILL)
            self.runner.wait()
            self.runner = None
