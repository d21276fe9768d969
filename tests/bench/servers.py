"""Servers to measure against: Dovecot, PostgreSQL and Postfix's smtp-sink, each in a folder of its own
on a free port of the loopback, ended by its process id."""

import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time

from workload import fill

PATIENCE = 30
IS_ROOT = os.geteuid() == 0


class Server:
    """A server in the foreground: started on entering, ended with all it forked on leaving."""

    END = signal.SIGTERM
    # What stands in the log once it works.
    READY = ""

    def start(self, command, log, port, **more):
        self.log = log
        # A session of its own, so that what it forks can be ended with it.
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=open(log, "ab"),
                                        stderr=subprocess.STDOUT, start_new_session=True, **more)
        self.pid = self.process.pid
        deadline = time.monotonic() + PATIENCE
        while not (answers(port) and self.READY in log.read_text()):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"{command[0]} does not answer:\n{log.read_text()[-2000:]}")
            time.sleep(0.02)

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(self.END)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                os.killpg(self.pid, signal.SIGKILL)
                self.process.wait()

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Dovecot(Server):
    """One user's INBOX with this mail, over TLS; what is written is not synced."""

    PASSWORD = "s3cret-of-the-mailbox"

    def __init__(self, folder, mail):
        self.folder, self.mail = folder, mail

    def __enter__(self):
        for part in ("tls", "run", "state"):
            (self.folder / part).mkdir(parents=True)
        self.folder.chmod(0o755)
        owner = account("nobody")
        home = self.folder / "mail" / "support"
        fill(home / "Maildir", self.mail)
        for path in [self.folder / "mail", *(self.folder / "mail").rglob("*")]:
            own(path, owner)
        certificate(self.folder / "tls")
        self.port = free_port()
        conf = self.folder / "dovecot.conf"
        conf.write_text(self.settings(owner))
        self.start(["dovecot", "-F", "-c", str(conf)], self.folder / "dovecot.log", self.port)
        return self

    def mailbox(self):
        return ['name = "support"', 'provider = "imap"', 'address = "support@helpdesk.example"',
                'host = "127.0.0.1"', 'username = "support"', f'password = "{self.PASSWORD}"',
                'start = "all"', f'imap = {{ port = {self.port}, ca_file = "{self.folder}/tls/ca.pem" }}']

    def bodies(self):
        """How many bodies were downloaded, by the server's own count at each end of a session."""
        found = re.findall(r"body_count=(\d+)", self.log.read_text(errors="replace"))
        return sum(map(int, found))

    def settings(self, owner):
        return f"""protocols = imap
listen = 127.0.0.1
base_dir = {self.folder}/run
state_dir = {self.folder}/state
instance_name = guichet-bench
log_path = {self.folder}/dovecot.log
ssl = required
ssl_cert = <{self.folder}/tls/leaf.pem
ssl_key = <{self.folder}/tls/leaf.key
auth_mechanisms = plain login
mail_location = maildir:{self.folder}/mail/%u/Maildir
mail_fsync = never
first_valid_uid = 1
passdb {{
  driver = static
  args = password={self.PASSWORD}
}}
userdb {{
  driver = static
  args = uid={owner.pw_uid} gid={owner.pw_gid} home={self.folder}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = 0
  }}
  inet_listener imaps {{
    port = {self.port}
    ssl = yes
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


class Postgres(Server):
    """A fresh cluster with the server's own defaults, so with `fsync`."""

    PASSWORD = "s3cret-of-the-store"
    END = signal.SIGINT
    READY = "ready to accept connections"

    def __init__(self, folder):
        self.folder = folder

    def __enter__(self):
        self.folder.mkdir(parents=True)
        owner = account("postgres")
        password = self.folder / "password"
        password.write_text(self.PASSWORD)
        password.chmod(0o600)
        for path in (self.folder, password):
            own(path, owner)
        drop = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if IS_ROOT else {}
        data = self.folder / "data"
        subprocess.run([program("initdb"), "-D", data, "-U", "guichet", "--auth=scram-sha-256",
                        "--encoding=UTF8", "--locale=C", "--pwfile", password],
                       check=True, capture_output=True, cwd=self.folder, **drop)
        port = free_port()
        self.start([program("postgres"), "-D", str(data), "-c", "listen_addresses=127.0.0.1",
                    "-c", f"port={port}", "-c", f"unix_socket_directories={self.folder}"],
                   self.folder / "server.log", port, cwd=self.folder, **drop)
        self.url = f"postgres://guichet@127.0.0.1:{port}/postgres"
        return self


class Sink(Server):
    """smtp-sink, which takes every mail and keeps none."""

    def __enter__(self):
        self.folder = pathlib.Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
        self.port = free_port()
        # It refuses to go on as root.
        drop = ["-u", "nobody"] if IS_ROOT else []
        self.start([program("smtp-sink"), *drop, f"127.0.0.1:{self.port}", "128"],
                   self.folder / "log", self.port)
        return self

    def smtp(self):
        return ['transport = "smtp"', 'host = "127.0.0.1"', f"port = {self.port}", 'tls = "none"',
                'rate = "off"']


def program(name):
    """Debian keeps PostgreSQL's programs, and Postfix's, out of the path of most people."""
    versions = sorted(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}"),
                      key=lambda path: int(path.parts[4]))
    found = versions[-1:] or [shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin")]
    if not found[0]:
        raise RuntimeError(f"`{name}` is not installed\nhint: tests/run installs it")
    return str(found[0])


def account(name):
    return pwd.getpwnam(name) if IS_ROOT else pwd.getpwuid(os.geteuid())


def own(path, owner):
    if IS_ROOT:
        os.chown(path, owner.pw_uid, owner.pw_gid)


def answers(port):
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate(folder):
    """A certificate authority, and a server's certificate signed by it."""
    def openssl(*words):
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl("req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", "/CN=bench CA", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    openssl("req", *key, "-keyout", "leaf.key", "-out", "leaf.csr", "-subj", "/CN=localhost")
    (folder / "leaf.ext").write_text(
        "basicConstraints=CA:FALSE\nsubjectAltName=DNS:localhost,IP:127.0.0.1\n"
        "extendedKeyUsage=serverAuth\n")
    openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key",
            "-CAcreateserial", "-days", "2", "-extfile", "leaf.ext", "-out", "leaf.pem")
