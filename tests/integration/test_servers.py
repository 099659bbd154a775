# SPDX-License-Identifier: Apache-2.0
"""Each web server of this folder serves a file, a CGI program where it can, and ends when it is told to."""

import pytest

SERVERS = ["lighttpd", "apache", "nginx"]


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("server", SERVERS)
def test_server(make_site, server, tls):
    site = make_site(server=server, tls=tls)
    assert site.request("/public/page.txt").body == b"document of public\n"
    if server != "nginx":
        assert site.request("/public/app.cgi").json["environment"].get("HTTPS") == ("on" if tls else None)
    site.web.stop()
    with pytest.raises(ConnectionRefusedError):
        site.request("/public/page.txt")
