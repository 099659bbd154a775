# SPDX-License-Identifier: Apache-2.0
"""Caddy with the configuration that doc/guide/forward-auth.md shows."""

import servers


class Server(servers.WebServer):
    name = "caddy"
    unprivileged = True
    has_pid_file = False

    @property
    def command(self):
        return ["env", f"XDG_CONFIG_HOME={self.folder}", f"XDG_DATA_HOME={self.folder}", servers.find("caddy"), "run",
                "--config", str(self.folder / "Caddyfile"), "--adapter", "caddyfile"]

    def write(self, edit):
        text = self.shipped(servers.documented("forward-auth.md", "caddy"))
        text = text.replace("site.example", f"http://127.0.0.1:{self.site.port}")
        text = text.replace("127.0.0.1:8080", f"127.0.0.1:{self.site.backend}")
        options = "{\n\tadmin off\n\tauto_https off\n}\n"
        (self.folder / "Caddyfile").write_text(edit("Caddyfile", options + text))
