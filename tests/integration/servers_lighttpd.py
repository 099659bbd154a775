# SPDX-License-Identifier: Apache-2.0
"""lighttpd with the shipped configuration; as "lighttpd-spawn" it starts the programs itself."""

import harness
import servers

SHIPPED = harness.REPOSITORY / "lighttpd"


class Server(servers.WebServer):
    name = "lighttpd"
    has_pid_file = False

    def __init__(self, site, way=""):
        super().__init__(site, way)
        self.unprivileged = way == "spawn"

    def shipped(self, text):
        """What it spawns are the copies of the programs; its sockets have names of their own."""
        for name in harness.SOCKETS.values():
            harness.program(name)
        return (super().shipped(text).replace('"/usr/bin"', f'"{harness.RUN}"')
                .replace('"/run/lighttpd"', f'"{self.site.folder}/run"'))

    @property
    def command(self):
        return [servers.find("lighttpd"), "-D", "-f", str(self.folder / "lighttpd.conf")]

    def write(self, edit):
        site = self.site
        for source in [*SHIPPED.glob("*.conf"), *SHIPPED.glob("*.lua")]:
            (self.folder / source.name).write_text(edit(source.name, self.shipped(source.read_text())))
        more = site.more
        if site.tls:
            harness.make_certificate(self.folder / "server.pem")
            more += (f'server.modules += ( "mod_openssl" )\nssl.engine = "enable"\n'
                     f'ssl.pemfile = "{self.folder}/server.pem"\n')
        words = {"HTDOCS": site.htdocs, "DOCUMENTS": site.static, "TEMP": site.folder / "temp", "PORT": site.port,
                 "CONF": self.folder, "BACKEND": site.backend or site.port, "MORE": more,
                 "WAY": f"-{self.way}" if self.way else "", "APPLICATION": site.application}
        words |= {kind.upper(): port for kind, port in site.ports.items()}
        kinds = (servers.DATA / "lighttpd-kinds.conf").read_text() if site.application else ""
        text = servers.fill((servers.DATA / "lighttpd.conf").read_text().replace("@KINDS@", kinds), words)
        (self.folder / "lighttpd.conf").write_text(edit("lighttpd.conf", text))
