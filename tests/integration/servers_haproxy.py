# SPDX-License-Identifier: Apache-2.0
"""HAProxy with the configuration and the Lua file that doc/guide/forward-auth.md shows."""

import servers


class Server(servers.WebServer):
    name = "haproxy"
    unprivileged = True
    has_pid_file = False

    @property
    def command(self):
        return [servers.find("haproxy"), "-db", "-f", str(self.folder / "haproxy.cfg")]

    def write(self, edit):
        text = self.shipped(servers.documented("forward-auth.md", "haproxy"))
        text = text.replace("/etc/haproxy/", f"{self.folder}/")
        text = text.replace("bind :80", f"bind 127.0.0.1:{self.site.port}")
        text = text.replace("127.0.0.1:8080", f"127.0.0.1:{self.site.backend}")
        (self.folder / "haproxy.cfg").write_text(edit("haproxy.cfg", text))
        lua = self.shipped(servers.documented("forward-auth.md", "lua"))
        (self.folder / "fcgi-auth.lua").write_text(edit("fcgi-auth.lua", lua))
