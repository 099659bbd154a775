# SPDX-License-Identifier: Apache-2.0
"""What stands around one of many hosts: a memcached on loopback and a service of profiles; and what profiles save."""

import os
import socket
import time

import measure
import profile_service
from contestants import Failed, Process

# As the manual has it.
MEMCACHED = ["memcached", "-t", "2", "-m", "64", "-M", "-F", "-n", "40"]
# A moment in which the machine does something else is no failure of the server here.
SECTIONS = """\

[store]
memcached = 127.0.0.1:{port}
memcached-timeout = 1s

[profile "users"]
url = {url}
"""


class Memcached(Process):
    def __init__(self, folder, options=()):
        self.port = measure.free_port()
        user = ["-u", "root"] if os.geteuid() == 0 else []
        super().__init__([*MEMCACHED, *user, *options, "-l", "127.0.0.1", "-p", str(self.port)],
                         folder / "memcached.log")
        self.address = f"127.0.0.1:{self.port}"
        deadline = time.monotonic() + 10
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"memcached does not answer: {self.last_words()}")
            time.sleep(0.01)

    def answers(self):
        try:
            return self.stat("pid") == str(self.pid)
        except OSError:
            return False

    def stat(self, name):
        with socket.create_connection(("127.0.0.1", self.port), 10) as connection, connection.makefile("rb") as lines:
            connection.sendall(b"stats\r\n")
            found = dict(line.decode().split()[1:3] for line in iter(lines.readline, b"END\r\n"))
        return found[name]


class Farm:
    """Starts both, and says to the environment how a host finds them."""

    def __init__(self, environment):
        self.service = profile_service.Service()
        self.memcached = Memcached(environment.folder)
        environment.many_hosts = SECTIONS.format(port=self.memcached.port, url=self.service.url)

    def stop(self):
        self.memcached.stop()
        self.service.close()


def calls(environment, server, farm, users, requests):
    """How often the service is asked when each of so many users makes so many requests, four at a time."""
    before, gets = len(farm.service.asked), int(farm.memcached.stat("cmd_get"))
    for number in range(users):
        user = f"user{number}"
        measure.load(environment, server, clients=4, keep=True, requests=requests,
                     token=environment.issuer.token(user=user), answer=f"Variable-REMOTE_USER: {user}")
    # Token, user, sentinel and profile.
    if int(farm.memcached.stat("cmd_get")) - gets < 4 * users * requests:
        raise Failed(f"{server.name} does not ask memcached at each request")
    return {"users": users, "requests": users * requests, "calls": len(farm.service.asked) - before}
