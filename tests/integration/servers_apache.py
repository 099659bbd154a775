# SPDX-License-Identifier: Apache-2.0
"""Apache httpd as Debian lays it out: modules and configurations that are enabled are links in a folder."""

import os
import pathlib

import harness
import servers

SHIPPED = harness.REPOSITORY / "apache"
DEBIAN = pathlib.Path("/etc/apache2")
#: Of every site, beside those that its way in needs.
MODULES = ("mpm_event", "authz_core", "authz_host", "authn_core", "authz_user", "alias", "dir", "env", "headers",
           "mime", "setenvif", "rewrite", "cgid", "proxy", "proxy_http", "proxy_fcgi")


class Server(servers.WebServer):
    name = "apache"
    unprivileged = True

    @property
    def command(self):
        return [servers.find("apache2"), "-DFOREGROUND", "-d", str(self.folder), "-f", str(self.folder / "apache.conf")]

    def enable(self, *modules):
        """What a2enmod does."""
        for module in modules:
            for file in DEBIAN.glob(f"mods-available/{module}.load"):
                link = self.folder / "mods-enabled" / file.name
                link.exists() or link.symlink_to(file)
                assert link.exists(), file

    def write(self, edit):
        site = self.site
        for folder in ("mods-enabled", "conf-available", "conf-enabled"):
            (self.folder / folder).mkdir()
        self.enable(*MODULES)
        (self.folder / "mods-enabled" / "cgid.conf").write_text(f"ScriptSock {site.folder}/run/cgid.sock\n")
        more = site.more
        if site.tls:
            self.enable("socache_shmcb", "ssl")
            harness.make_certificate(self.folder / "server.pem")
            more += f"SSLEngine on\nSSLCertificateFile {self.folder}/server.pem\n"
        (self.folder / "site.conf").write_text(edit("site.conf", more))
        root = os.geteuid() == 0
        words = {"HTDOCS": site.htdocs, "TEMP": site.folder / "temp", "PORT": site.port, "CONF": self.folder,
                 "PID": self.pid_file, "RUN": site.folder / "run", "LOG": self.log,
                 "BACKEND": site.backend or site.port,
                 "USER": harness.NOBODY if root else os.getuid(), "GROUP": harness.NOBODY if root else os.getgid()}
        text = servers.fill((servers.DATA / "apache.conf").read_text(), words)
        (self.folder / "apache.conf").write_text(edit("apache.conf", text))
