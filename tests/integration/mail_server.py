# SPDX-License-Identifier: Apache-2.0
"""A mail server of a test's own: Debian's exim4 without privileges, with a configuration and a spool in a folder.

It takes every recipient of every domain into one maildir. The local part of an address decides what else may
happen: defer@… is refused for now (451), refuse@… for ever (550)."""

import email
import email.policy
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import urllib.parse

import harness

EXIM = "/usr/sbin/exim4"

CONFIGURATION = """
exim_path = {folder}/exim4
primary_hostname = mail.example
spool_directory = {folder}/spool
log_file_path = {folder}/log/%slog
pid_file_path = {folder}/pid
local_interfaces = 127.0.0.1
daemon_smtp_ports = {port}
keep_environment =
add_environment =
host_lookup =
rfc1413_query_timeout = 0s
deliver_drop_privilege
never_users =
log_selector = +smtp_connection +smtp_protocol_error +tls_cipher
smtp_enforce_sync = true
acl_smtp_mail = mail_from
acl_smtp_rcpt = rcpt_to
{tls}

begin acl
mail_from:
{conditions}
  accept
rcpt_to:
  defer local_parts = defer
        message = come back later
        log_message = deferred
  deny  local_parts = refuse
        message = no such mailbox
  accept

begin routers
everyone:
  driver = accept
  transport = maildir

begin transports
maildir:
  driver = appendfile
  maildir_format
  directory = {folder}/mails
  create_directory
  envelope_to_add
  return_path_add

begin retry
* * F,1h,1h

begin authenticators
{authenticators}
"""

TLS = """tls_advertise_hosts = *
tls_certificate = {certificate}
tls_privatekey = {certificate}
tls_on_connect_ports = {on_connect}
"""

PLAIN = """plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${{if and {{{{eq{{$auth2}}{{{user}}}}} {{eq{{$auth3}}{{{password}}}}}}}}}
"""


class MailServer:
    def __init__(self, certificate=None, on_connect=False, demand_tls=False, account=None):
        """certificate: PEM file with key and certificate, for STARTTLS, or for TLS from the first byte on
        (on_connect); demand_tls: take no mail without it; account: (user, password) that a client must give."""
        self.folder = harness.RUN / f"mail-{next(harness.NUMBERS)}"
        for name in (self.folder, self.folder / "spool", self.folder / "log"):
            name.mkdir()
        shutil.copy(EXIM, self.folder / "exim4")  # not the one that becomes root
        self.port, = harness.free_ports(1)
        self.on_connect = on_connect
        self.url = f"{'smtps' if on_connect else 'smtp'}://localhost:{self.port}"
        self.configuration = self.folder / "conf"
        self.configuration.write_text(self.text(certificate, demand_tls, account))
        self.start()

    def text(self, certificate, demand_tls, account):
        conditions, tls, authenticators = [], "tls_advertise_hosts =", ""
        if certificate:
            shutil.copy(certificate, self.folder / "certificate.pem")
            tls = TLS.format(certificate=self.folder / "certificate.pem",
                             on_connect=self.port if self.on_connect else "")
        if demand_tls:
            conditions.append("  deny !encrypted = *\n       message = TLS first")
        if account:
            conditions.append("  deny !authenticated = *\n       message = who are you")
            authenticators = PLAIN.format(user=account[0], password=account[1])
        return CONFIGURATION.format(folder=self.folder, port=self.port, tls=tls, conditions="\n".join(conditions),
                                    authenticators=authenticators)

    # --- the process ------------------------------------------------------------

    def start(self):
        """It insists on being the user it was built for: that is who it becomes, or seems to be."""
        user = pwd.getpwnam("Debian-exim")
        command = [self.folder / "exim4", "-C", self.configuration, "-bdf", "-odi"]
        if os.geteuid() == 0:
            give_away(self.folder, user)
            who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        else:
            who = {}
            command[:0] = ["unshare", f"--map-user={user.pw_uid}", f"--map-group={user.pw_gid}"]
        with open(self.folder / "stderr", "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=harness.environment(), start_new_session=True, **who)
        harness.wait_for("the mail server", self.answers, 20)

    def answers(self):
        assert self.process.poll() is None, (self.folder / "stderr").read_text() + self.log_text()
        try:
            with socket.create_connection(("127.0.0.1", self.port), 5) as probe:
                return self.on_connect or probe.recv(4) == b"220 "
        except OSError:
            return False

    def pause(self):
        """From now on connections are taken, and nothing is said."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def close(self):
        self.resume()
        os.killpg(self.process.pid, signal.SIGKILL)  # and those who are at a connection
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # --- what has come ------------------------------------------------------------

    def log_text(self, name="mainlog"):
        path = self.folder / "log" / name
        return path.read_text("utf-8", "replace") if path.exists() else ""

    def mails(self, to=None):
        """All mails, oldest first, or those to one address, as email.message.EmailMessage."""
        found = []
        for path in sorted((self.folder / "mails" / "new").glob("*"), key=arrival):
            mail = email.message_from_bytes(path.read_bytes(), policy=email.policy.SMTP)
            if to is None or to in mail["Envelope-To"]:
                found.append(mail)
        return found

    def wait(self, to=None, count=1):
        """Wait until so many have come; the last one."""
        return harness.wait_for(f"mail to {to or 'anybody'}", lambda: self.mails(to)[count - 1:])[-1]


def give_away(folder, user):
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid)


def arrival(path):
    """A maildir's names begin with seconds and microseconds: 1700000000.H123456P42.host."""
    seconds, _, rest = path.name.partition(".")
    return int(seconds), int(re.match(r"[HM](\d+)", rest)[1])


def text_of(mail):
    return mail.get_content()


def link_in(mail):
    """The one link of a mail, as (target for a request, token)."""
    links = re.findall(r"https?://\S+", text_of(mail))
    assert len(links) == 1, links
    parts = urllib.parse.urlsplit(links[0])
    return f"{parts.path}?{parts.query}", urllib.parse.parse_qs(parts.query)["token"][0]
