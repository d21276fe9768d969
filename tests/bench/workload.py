"""The generated mail, and desks to work on it."""

import json
import os
import pathlib
import shutil
import subprocess
import sys


class Workload:
    """Mail of `make_workload.py`, with what a correct reading of it gives."""

    def __init__(self, generator, folder, count):
        subprocess.run(
            [sys.executable, generator / "make_workload.py", "--count", str(count), "--seed", "1",
             "--format", "maildir", "--out", folder], check=True, stdout=subprocess.DEVNULL)
        self.generator, self.folder, self.count = generator, folder, count
        self.expected = json.loads((folder / "expected.json").read_text())

    def mail(self):
        return sorted((self.folder / "Maildir" / "new").iterdir())

    def rows(self, name):
        return [line.split("\t") for line in (self.folder / name).read_text().splitlines()]


class Desk:
    """A configuration and a state directory; the mail comes from `mailbox`."""

    def __init__(self, binary, folder, mailbox, more=(), workload=None, primary=(), **tables):
        self.binary, self.folder = binary, folder
        folder.mkdir(parents=True)
        text = ['state = "state"']
        usual = {"portal": ['url = "https://help.example.com"'], "http": ['listen = "127.0.0.1:0"'],
                 "smtp": ['transport = "none"']}
        for table, lines in {**usual, **tables}.items():
            text += [f"[{table}]", *lines]
        text += ["[threading]", 'sender_check = "anyone"', "[limits]"]
        text += [f'{limit} = "off"' for limit in
                 ("per_sender", "per_domain", "new_users", "auto_mails_per_address")]
        text += ["[[mailbox]]", *mailbox, *more]
        for site, domain in workload.rows("sites.tsv") if workload else ():
            text += ["[[site]]", f'name = "{site}"', f'domains = ["{domain}"]']
            text += [f'primary_users = ["{one}"]' for one in primary if one.endswith(f"@{domain}")]
        self.config = folder / "guichet.toml"
        self.config.write_text("\n".join(text) + "\n")
        self.config.chmod(0o600)
        known = {}
        for address, name in workload.rows("users.tsv") if workload else ():
            # `claire+it@` is `claire@`.
            local, _, domain = address.partition("@")
            known.setdefault(f"{local.partition('+')[0]}@{domain}", (address, name))
        for address, name in known.values():
            named = ("--name", name) if name else ()
            self.run("users", "add", address, "--no-mail", *named)

    def command(self, *args):
        return [str(self.binary), "-c", str(self.config), *args]

    def run(self, *args):
        """Runs a command that is not measured; answers what it wrote."""
        ended = subprocess.run(self.command(*args), cwd=self.folder, capture_output=True, text=True)
        if ended.returncode != 0:
            raise RuntimeError(f"guichet {' '.join(args)}: {ended.stderr.strip()}")
        return ended.stdout

    def totals(self):
        """How many messages there are of each reason."""
        rows = json.loads(self.run("log", "--totals", "--json"))
        totals = {}
        for row in rows:
            totals[row["reason"]] = totals.get(row["reason"], 0) + row["messages"]
        return totals


MAILDIR = ['name = "support"', 'provider = "maildir"', 'address = "support@helpdesk.example"',
           'path = "mail"', 'start = "all"']


def fill(folder, mail):
    """A maildir that holds copies of these files, all on the disk. Each is as old as its name says:
    that is when a maildir, and a server that keeps one, says that it arrived."""
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    for one in mail:
        copy = shutil.copy(one, folder / "new" / one.name)
        arrived = int(one.name.split(".", 1)[0])
        os.utime(copy, (arrived, arrived))
    os.sync()


def small(folder, count):
    """A maildir with `count` plain messages of under 1 kB, each of its own sender and company."""
    for part in ("cur", "new", "tmp"):
        (folder / part).mkdir(parents=True, exist_ok=True)
    words = "the printer on the second floor stops after every page, could you check it please"
    for n in range(count):
        (folder / "new" / f"{1_767_600_000 + n}.M{n:06}P1.bench").write_text(
            f"From: Person {n} <person.{n}@company-{n % 500}.example>\nTo: support@helpdesk.example\n"
            f"Subject: Printer {n} stops\nMessage-ID: <{n}.bench@company-{n % 500}.example>\n"
            "Date: Mon, 5 Jan 2026 09:00:00 +0000\nMIME-Version: 1.0\n"
            f"Content-Type: text/plain; charset=utf-8\n\nHello,\n\n{words} ({n}).\n\nPerson {n}\n")
    os.sync()
    return pathlib.Path(folder)
