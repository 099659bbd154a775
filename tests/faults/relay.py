# SPDX-License-Identifier: Apache-2.0
"""A relay before a memcached server: relay.py tcp:ADDRESS:PORT|unix:/PATH TARGET:PORT

Commands on standard input, each answered by "done"; a PEER is an address, or a process group where the relay listens
on a unix socket, or * for all:
  delay PEER MILLISECONDS     what this peer sends arrives that much later
  lose PEER requests|answers  is not passed on any more, in silence; connections stay, and new ones are taken
  heal PEER                   no more of both; bytes that were lost end their connection, as TCP would have"""

import asyncio
import collections
import os
import socket
import struct
import sys


class Relay:
    def __init__(self, target):
        self.host, _, port = target.rpartition(":")
        self.port = int(port)
        self.delays, self.lost, self.connections = {}, collections.defaultdict(set), set()

    def delay(self, peer):
        return self.delays.get(peer, self.delays.get("*", 0))

    async def serve(self, reader, writer):
        connection = Connection(self, peer_of(writer.get_extra_info("socket")), writer)
        self.connections.add(connection)
        try:
            inner_reader, connection.inner = await asyncio.open_connection(self.host, self.port)
            await asyncio.gather(connection.requests(reader), connection.answers(inner_reader))
        except OSError:
            pass
        finally:
            self.connections.discard(connection)
            connection.end()

    def command(self, line):
        name, peer, *rest = line.split()
        if name == "delay":
            self.delays[peer] = int(rest[0]) / 1000
        elif name == "lose":
            self.lost[peer].add(rest[0])
        else:
            self.lost.pop(peer, None)
            for connection in self.connections:
                if connection.peer == peer and connection.damaged:
                    connection.end()


class Connection:
    def __init__(self, relay, peer, outer):
        self.relay, self.peer, self.outer, self.inner, self.damaged = relay, peer, outer, None, False

    def is_lost(self, what):
        lost = what in self.relay.lost[self.peer]
        self.damaged |= lost
        return lost

    def end(self):
        for writer in (self.outer, self.inner):
            if writer:
                writer.transport.abort()

    async def requests(self, reader):
        """In order, each part when its time has come."""
        parts, more = collections.deque(), asyncio.Event()

        async def pass_on():
            while True:
                while not parts:
                    more.clear()
                    await more.wait()
                due, part = parts.popleft()
                await asyncio.sleep(max(0, due - asyncio.get_running_loop().time()))
                self.inner.write(part)

        task = asyncio.create_task(pass_on())
        try:
            while part := await reader.read(65536):
                if not self.is_lost("requests"):
                    parts.append((asyncio.get_running_loop().time() + self.relay.delay(self.peer), part))
                    more.set()
        finally:
            task.cancel()
            self.end()

    async def answers(self, reader):
        try:
            while part := await reader.read(65536):
                if not self.is_lost("answers"):
                    self.outer.write(part)
        finally:
            self.end()


def peer_of(connected):
    if connected.family != socket.AF_UNIX:
        return connected.getpeername()[0]
    pid, _, _ = struct.unpack("iII", connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    try:
        return str(os.getpgid(pid))
    except ProcessLookupError:
        return "gone"


async def main(listen, target):
    relay = Relay(target)
    kind, _, where = listen.partition(":")
    if kind == "unix":
        server = await asyncio.start_unix_server(relay.serve, where)
        os.chmod(where, 0o666)
    else:
        address, _, port = where.rpartition(":")
        server = await asyncio.start_server(relay.serve, address, int(port))
    print("ready", flush=True)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    async with server:
        while line := await commands.readline():
            relay.command(line.decode())
            print("done", flush=True)


asyncio.run(main(*sys.argv[1:]))
