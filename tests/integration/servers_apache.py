# SPDX-License-Identifier: Apache-2.0
"""Apache httpd as Debian lays it out: modules and configurations that are enabled are links in a folder."""

import os
import pathlib
import re
import subprocess

import apache
import harness
import servers

SHIPPED = harness.REPOSITORY / "apache"
DEBIAN = pathlib.Path("/etc/apache2")
MODULES_FOLDER = pathlib.Path("/usr/lib/apache2/modules")
#: Of every site, beside those that the head of a shipped configuration tells to enable.
MODULES = ("mpm_event", "authz_core", "authz_host", "alias", "cgid", "dir", "env", "mime", "proxy", "proxy_http",
           "proxy_fcgi", "setenvif", "rewrite")
#: Of a site that has no shipped configuration.
PLAIN = ("authn_core", "authz_user", "headers")
#: way in: name of the shipped configuration, whose head tells what to enable and what to write
WAYS = {"direct": "fcgi-auth"} | {way: f"fcgi-auth-{way}" for way in ("subrequest", "http", "cgi", "authnz", "fcgid")}


def head(name):
    """The lines of the comment that a shipped configuration begins with."""
    text = (SHIPPED / "conf-available" / f"{name}.conf").read_text()
    return re.match("(?:#.*\n)*", text)[0].replace("#\t", "\t").splitlines()


def modules_to_enable(name):
    return [module for line in head(name) if line.startswith("\ta2enmod ") for module in line.split()[1:]]


def lines_to_write(name):
    """What an admin writes for the part of a site that needs a login."""
    lines = head(name)
    first = lines.index("\t<Location /wiki>")
    return [line[1:] for line in lines[first:lines.index("\t</Location>") + 1]]


class Server(servers.WebServer):
    name = "apache"
    unprivileged = True

    def __init__(self, site, way=""):
        super().__init__(site, way)
        if way == "authnz":
            self.tcp_port, = harness.free_ports(1)
        if way == "http":
            self.verify_options = ["-l", f"http:unix:{site.folder}/run/verify-http.sock"]

    @property
    def command(self):
        return [servers.find("apache2"), "-DFOREGROUND", "-d", str(self.folder), "-f", str(self.folder / "apache.conf")]

    @property
    def environment(self):
        return super().environment | apache.sanitizer()

    def enable(self, *modules):
        """What a2enmod does."""
        for module in modules:
            if module == "auth_request":
                (self.folder / "mods-enabled" / "auth_request.load").write_text(
                    f"LoadModule auth_request_module {apache.MODULE}\n")
                continue
            files = [*DEBIAN.glob(f"mods-available/{module}.load")]
            assert files, f"no module {module}"
            for file in files:
                link = self.folder / "mods-enabled" / file.name
                link.exists() or link.symlink_to(file)

    def write(self, edit):
        site = self.site
        for folder in ("mods-enabled", "conf-available", "conf-enabled"):
            (self.folder / folder).mkdir()
        self.enable(*MODULES, *([] if self.way else PLAIN))
        (self.folder / "mods-enabled" / "cgid.conf").write_text(f"ScriptSock {site.folder}/run/cgid.sock\n")
        own = self.write_shipped(edit) if self.way else ""
        if site.tls:
            self.enable("socache_shmcb", "ssl")
            harness.make_certificate(self.folder / "server.pem")
            own += f"SSLEngine on\nSSLCertificateFile {self.folder}/server.pem\n"
        (self.folder / "site.conf").write_text(edit("site.conf", own + site.more))
        root = os.geteuid() == 0
        words = {"HTDOCS": site.htdocs, "DOCUMENTS": site.static, "CONF": self.folder, "PID": self.pid_file,
                 "RUN": site.folder / "run", "LOG": self.log, "BACKEND": site.backend or site.port,
                 "APPLICATION": site.application,
                 "USER": harness.NOBODY if root else os.getuid(), "GROUP": harness.NOBODY if root else os.getgid()}
        text = (servers.DATA / "apache.conf").read_text() + "".join(
            (servers.DATA / f"apache-{kind}.conf").read_text().replace("@PORT@", str(port))
            for kind, port in site.ports.items())
        text = servers.fill(text, words)
        (self.folder / "apache.conf").write_text(edit("apache.conf", text))

    def write_shipped(self, edit):
        """Puts the files where they are installed, and enables them; what the site has to write is returned."""
        name = WAYS[self.way]
        for source in [*SHIPPED.glob("*.conf"), *SHIPPED.glob("*.lua"), *SHIPPED.glob("conf-available/*.conf")]:
            target = self.folder / source.relative_to(SHIPPED)
            target.write_text(edit(source.name, self.shipped(source.read_text())))
        self.enable(*modules_to_enable(name))
        if self.way == "fcgid":
            (self.folder / "mods-enabled" / "fcgid.conf").write_text(
                f"FcgidIPCDir {self.site.folder}/run/fcgid\nFcgidProcessTableFile {self.site.folder}/run/fcgid.table\n")
        subprocess.run([servers.find("a2enconf"), "-q", name], check=True, stdout=subprocess.DEVNULL,
                       env=harness.environment() | {"APACHE_CONFDIR": str(self.folder)})
        lines = "\n".join(lines_to_write(name)) + "\n"
        return self.shipped(lines.replace("<Location /wiki>", '<LocationMatch "^/(?!public)">')
                            .replace("</Location>", "</LocationMatch>"))

    def shipped(self, text):
        return super().shipped(text).replace("127.0.0.1:9001", f"127.0.0.1:{self.tcp_port}")
