# SPDX-License-Identifier: Apache-2.0
"""nginx with one worker."""

import grp
import os
import pwd

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

    def write(self, edit):
        site = self.site
        if site.tls:
            harness.make_certificate(self.folder / "server.pem")
        root = os.geteuid() == 0
        words = {"HTDOCS": site.htdocs, "TEMP": site.folder / "temp", "PORT": site.port, "CONF": self.folder,
                 "PID": self.pid_file, "RUN": site.folder / "run", "LOG": self.log,
                 "BACKEND": site.backend or site.port,
                 "USER": pwd.getpwuid(harness.NOBODY if root else os.getuid()).pw_name,
                 "GROUP": grp.getgrgid(harness.NOBODY if root else os.getgid()).gr_name,
                 "TLS": f" ssl; ssl_certificate {self.folder}/server.pem; ssl_certificate_key {self.folder}/server.pem"
                        if site.tls else ""}
        (self.folder / "site.conf").write_text(edit("site.conf", site.more))
        text = servers.fill((servers.DATA / "nginx.conf").read_text(), words)
        (self.folder / "nginx.conf").write_text(edit("nginx.conf", text))
