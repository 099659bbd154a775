# SPDX-License-Identifier: Apache-2.0
"""What a program is started as: a socket of its own, one handed over, or one CGI request."""

import grp
import os
import signal
import socket
import stat
import subprocess

import pytest

import echo
import fastcgi
from echo import Echo


def start(*arguments, stdin=subprocess.DEVNULL, environment=None, preexec=None):
    """Run the program where it should end by itself."""
    return subprocess.run([echo.PROGRAM, *arguments], capture_output=True, timeout=10, preexec_fn=preexec,
                          env=environment, **({"input": stdin} if isinstance(stdin, bytes) else {"stdin": stdin}))


# --- sockets of its own ----------------------------------------------------------

@pytest.mark.parametrize("mode", [None, 0o600, 0o660, 0o666])
def test_mode(tmp_path, mode):
    path = tmp_path / "socket"
    with Echo(address=f"unix:{path}" + (f",mode={mode:04o}" if mode else "")) as server:
        assert stat.S_IMODE(path.stat().st_mode) == (mode or 0o660)
        server.check()
    assert not path.exists()


def test_group(tmp_path):
    group = grp.getgrgid(os.getgroups()[-1] if os.getuid() else 33)
    path = tmp_path / "socket"
    with Echo(address=f"unix:{path},group={group.gr_name},mode=0620"):
        assert (path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) == (group.gr_gid, 0o620)


def test_somebody_answers(tmp_path):
    with Echo() as server:
        second = start("--listen", server.address)
        assert second.returncode == 1 and b"already" in second.stderr
        server.check()


def test_dead_socket_is_replaced(tmp_path):
    path = tmp_path / "socket"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    with Echo(address=f"unix:{path}") as server:
        server.check()


def test_killed_and_started_again():
    server = Echo()
    server.process.kill()
    server.process.wait()
    with Echo(address=server.address) as second:
        second.check()
    server.folder.cleanup()


def test_file_is_left_alone(tmp_path):
    path = tmp_path / "file"
    path.write_text("precious")
    result = start("--listen", f"unix:{path}")
    assert result.returncode == 1 and b"no socket" in result.stderr
    assert path.read_text() == "precious"


def test_socket_of_a_successor_is_left_alone(tmp_path):
    path = tmp_path / "socket"
    with Echo(address=f"unix:{path}"):
        path.unlink()
        successor = Echo(address=f"unix:{path}")
    successor.check()
    assert successor.stop() == 0
    successor.folder.cleanup()


@pytest.mark.parametrize("address", [
    "unix:relative", "unix:", "unix:/" + "x" * 120, "unix:/tmp/x,mode=0888", "unix:/tmp/x,mode=7777",
    "unix:/tmp/x,group=no-such-group", "unix:/tmp/x,color=red", "unix:/nowhere/at/all",
    "tcp:0.0.0.0:21000", "tcp:192.0.2.1:21000", "tcp:[::]:21000", "tcp:localhost:21000", "tcp:127.0.0.1",
    "tcp:127.0.0.1:0", "tcp:127.0.0.1:65536", "tcp:127.0.0.1:x", "udp:127.0.0.1:21000", "",
    "http:", "http:unix:relative", "http:0.0.0.0:21000", "http:tcp:127.0.0.1:21000", "http:/tmp/x", "http:21000"])
def test_bad_address(address):
    result = start("--listen", address)
    assert result.returncode == 1 and result.stderr


def test_ipv6():
    port = echo.free_address().rpartition(":")[2]
    with Echo(address=f"tcp:[::1]:{port}") as server:
        server.check()


@pytest.mark.parametrize("where", ["unix:{}/socket,mode=0600", "127.0.0.1:{}", "[::1]:{}"])
def test_http(tmp_path, where):
    where = where.format(tmp_path if "unix" in where else echo.free_address().rpartition(":")[2])
    address = where if "unix" in where else f"tcp:{where}"
    with Echo(address=address, http=True) as server:
        server.check()
        assert "unix" not in where or stat.S_IMODE((tmp_path / "socket").stat().st_mode) == 0o600
    assert not (tmp_path / "socket").exists()


# --- handed over -------------------------------------------------------------------

@pytest.fixture
def listening(tmp_path):
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(tmp_path / "socket"))
        made.listen(16)
        yield made


def hand_over(listening, script, tmp_path):
    """Run a shell script that starts the program ($0) with the socket as descriptor 3."""
    process = subprocess.Popen(["sh", "-c", script, echo.PROGRAM], stdin=subprocess.DEVNULL,
                               preexec_fn=lambda: os.dup2(listening.fileno(), 3), close_fds=False)
    try:
        return fastcgi.request(f"unix:{tmp_path}/socket", {"A": "B"}, timeout=10), process
    finally:
        process.terminate()
        assert process.wait(10) == 0


def test_descriptor_0(listening, tmp_path):
    with Echo(address=f"unix:{tmp_path}/socket", listen=False, stdin=listening) as server:
        server.check()
    assert (tmp_path / "socket").exists()  # not ours to remove


def test_systemd(listening, tmp_path):
    answer, process = hand_over(listening, 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0"', tmp_path)
    assert answer.header("X-Pid") == str(process.pid)


def test_listen_pid_of_a_parent(listening, tmp_path):
    answer, _ = hand_over(listening, 'LISTEN_PID=1 LISTEN_FDS=1 exec "$0" <&3', tmp_path)
    assert answer.status == 200


def test_handed_over_what_is_no_socket():
    script = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$0" 3</dev/null'
    result = subprocess.run(["sh", "-c", script, echo.PROGRAM], capture_output=True, timeout=10)
    assert result.returncode == 1 and b"no listening socket" in result.stderr


@pytest.mark.parametrize("stdin", [subprocess.DEVNULL, b"a pipe"])
def test_nothing_to_serve(stdin):
    assert start(stdin=stdin, environment={}).returncode == 64


def test_closed_descriptor_0():
    assert start(preexec=lambda: os.close(0), environment={}).returncode == 64


@pytest.mark.parametrize("kind", ["path", "abstract"])
def test_notify(tmp_path, kind):
    name = f"{tmp_path}/notify" if kind == "path" else f"@echo-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(10)
        manager.bind(name.replace("@", "\0"))
        with Echo(environment={"NOTIFY_SOCKET": name}) as server:
            assert manager.recv(1000) == b"READY=1"
            server.process.send_signal(signal.SIGHUP)
            assert manager.recv(1000).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert manager.recv(1000) == b"READY=1"
        assert manager.recv(1000) == b"STOPPING=1"


# --- one request as CGI --------------------------------------------------------------

CGI = {"GATEWAY_INTERFACE": "CGI/1.1", "REQUEST_METHOD": "GET", "REQUEST_URI": "/"}


def cgi(environment, stdin=b"", *arguments):
    result = start(*arguments, stdin=stdin, environment={**CGI, **environment})
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith(b"Status: ")
    return fastcgi.parse(result.stdout)


def test_cgi():
    answer = cgi({"HTTP_COOKIE": "a=b"})
    assert answer.status == 200
    assert set(answer.body.split(b"\n")) == {b"GATEWAY_INTERFACE=CGI/1.1", b"REQUEST_METHOD=GET", b"REQUEST_URI=/",
                                             b"HTTP_COOKIE=a=b", b""}


def test_cgi_forgets_proxies():
    answer = cgi({"HTTP_PROXY": "http://evil.example", "http_proxy": "x", "https_proxy": "x", "ALL_PROXY": "x"})
    assert b"proxy" not in answer.body.lower()


def test_cgi_body():
    answer = cgi({"CONTENT_LENGTH": "4"}, b"body and what does not belong to it", "--reads-body", "1000")
    assert answer.body.endswith(b"\n\nbody")
    for length, stdin in ("5", b"body"), ("x", b"body"), ("1001", b"x" * 1001):
        assert cgi({"CONTENT_LENGTH": length}, stdin, "--reads-body", "1000").status == 400


def test_cgi_can_be_ended(tmp_path):
    process = subprocess.Popen([echo.PROGRAM], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               env={**CGI, "WAIT_FOR": str(tmp_path / "never")})
    process.terminate()
    assert process.wait(10) == -signal.SIGTERM


def test_cgi_limits():
    assert cgi({f"N{i}": "" for i in range(253)}).status == 200
    assert cgi({f"N{i}": "" for i in range(254)}).status == 400
    assert cgi({"N": "v" * 65536}).status == 400
    assert cgi({"N" * 256: "v"}).status == 400


def test_cgi_without_a_reply():
    assert start(environment={**CGI, "REPLY_NOTHING": "1"}).returncode == 1
    assert start(environment={**CGI, "REPLY_BREAK": "1"}).stdout == b""
