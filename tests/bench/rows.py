"""The rows of the table: what is run, what is counted, what is asked of it."""

import itertools
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys

import machine
import portal
import servers
from workload import MAILDIR, Desk, fill, small


ROOT = pathlib.Path(__file__).resolve().parents[2]


class NotNow(Exception):
    """Why a row cannot be measured."""


class Row:
    def __init__(self, name, about, run, targets=lambda *_: [], runs=None, said=lambda _: []):
        self.name, self.about, self.run, self.targets, self.runs = name, about, run, targets, runs
        self.said = said


class Bench:
    """What the rows share: the binary, the mail, a place to work, the fair limit, servers."""

    def __init__(self, binary, workload, scratch, fair):
        self.binary, self.workload, self.scratch, self.fair = binary, workload, scratch, fair
        self.numbers = itertools.count()

    def folder(self):
        return self.scratch / f"desk-{next(self.numbers)}"

    def desk(self, mailbox=MAILDIR, **more):
        return Desk(self.binary, self.folder(), mailbox, workload=self.workload, **more)

    def sweep(self, desk, count):
        """`run --once`, measured, with `count` messages to decide."""
        run = machine.Run(desk.command("-v", "run", "--once"), desk.folder, desk.folder / "log")
        if run.code != 0:
            raise NotNow(complaint(run))
        return self.figures(run, count)

    def live(self, desk, count):
        """The daemon with all its workers, measured until `count` messages are decided."""
        run = machine.Daemon(desk.command("-v", "run"), desk.folder, desk.folder / "log", count)
        if run.seconds is None:
            raise NotNow(f"{run.decided} of {count} were decided: {complaint(run)}")
        return self.figures(run, count)

    def figures(self, run, count):
        taken = {"seconds": round(run.seconds, 3), "cpu_seconds": round(run.cpu, 3),
                 "rss_mb": round(run.rss, 1)}
        if count:
            taken["per_second"] = round(count / run.seconds)
            taken["of_limit"] = round(count / run.seconds / self.fair, 3)
            taken["cpu_ms"] = round(run.cpu * 1000 / count, 3)
            statements = statements_of(run.said)
            if statements is not None:
                taken["statements"] = round(statements / count, 2)
        return taken

    def check(self, desk, workload=None):
        """What is in the store is what a correct reading gives: a fast wrong answer is no figure."""
        totals, expected = desk.totals(), (workload or self.workload).expected
        followups = totals.get("reply_added", 0) + totals.get("ticket_reopened", 0)
        if totals.get("ticket_created") != expected["tickets"] or followups != expected["followups"]:
            raise NotNow(f"the outcome is wrong: {totals} instead of {expected}")


# `-v` says at the end how many statements were run; see `statements_run`.
def statements_of(said):
    for line in reversed(said.splitlines()):
        try:
            return json.loads(line)["store.statements"]
        except (ValueError, KeyError, TypeError):
            continue
    return None


def complaint(run):
    """What a run that failed said last of what was wrong."""
    found = f"it ended with {run.code}"
    for line in run.said.splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            # A panic, or what was said before the log began; the note below it says nothing.
            found = line if line.strip() and not line.startswith("note:") else found
            continue
        if told.get("level") in ("ERROR", "WARN"):
            found = told.get("message", found)
    return found


def maildir(bench):
    desk = bench.desk()
    fill(desk.folder / "mail", bench.workload.mail())
    taken = bench.sweep(desk, bench.workload.count)
    bench.check(desk)
    shutil.rmtree(desk.folder)
    return taken


def answered(bench):
    desk = bench.desk(credentials=['max_age = "3650d"'])
    fill(desk.folder / "mail", bench.workload.mail())
    taken = bench.sweep(desk, bench.workload.count)
    bench.check(desk)
    shutil.rmtree(desk.folder)
    return taken


def second_pass(bench):
    desk = bench.desk()
    fill(desk.folder / "mail", bench.workload.mail())
    bench.sweep(desk, bench.workload.count)
    before = desk.totals()
    taken = bench.sweep(desk, 0)
    if desk.totals() != before:
        raise NotNow("the second pass decided something")
    shutil.rmtree(desk.folder)
    return taken


def first_commit(bench):
    """From the start of the daemon to the log line of its first decision, which follows the commit."""
    desk = bench.desk()
    fill(desk.folder / "mail", bench.workload.mail()[:1])
    run = machine.Daemon(desk.command("run"), desk.folder, desk.folder / "log", 1)
    shutil.rmtree(desk.folder)
    if run.seconds is None:
        raise NotNow(complaint(run))
    return {"seconds": round(run.seconds, 4)}


def reading(*what):
    """`tests/bench/reading.rs` on folders of mail, or on hostile input of 1 MB."""

    def run(bench):
        folders = [str(one(bench)) if callable(one) else one for one in what]
        said = subprocess.run(["cargo", "bench", "--locked", "--quiet", "--bench", "reading", "--",
                               *folders], cwd=ROOT, check=True, capture_output=True, text=True)
        told = json.loads(said.stdout.splitlines()[-1])
        for milliseconds, name in told["slowest"]:
            print(f"  {milliseconds:9.3f} ms  {name}", file=sys.stderr)
        seconds = told["mean_ms"] * told["messages"] / 1000
        return {"seconds": round(seconds, 3), "cpu_ms": told["mean_ms"],
                "per_second": round(1000 / told["mean_ms"]), "worst_ms": told["worst_ms"]}

    return run


def corpus(_):
    folder = os.environ.get("GUICHET_CORPUS")
    if not folder:
        raise NotNow("GUICHET_CORPUS does not name a mail corpus")
    return folder


BACKLOG = 100_000


def backlog(bench):
    desk = bench.desk()
    small(desk.folder / "mail", BACKLOG)
    taken = bench.sweep(desk, BACKLOG)
    if sum(desk.totals().values()) != BACKLOG:
        raise NotNow("messages of the backlog are missing")
    shutil.rmtree(desk.folder)
    return taken


def imap(bench):
    with servers.Dovecot(bench.folder(), bench.workload.mail()) as dovecot:
        desk = bench.desk(dovecot.mailbox())
        before = machine.cpu_of(dovecot.pid)
        taken = bench.sweep(desk, bench.workload.count)
        bench.check(desk)
        taken["server_cpu_ms"] = per_message(machine.cpu_of(dovecot.pid) - before, bench)
        shutil.rmtree(desk.folder)
    return taken


def imap_second_pass(bench):
    with servers.Dovecot(bench.folder(), bench.workload.mail()) as dovecot:
        desk = bench.desk(dovecot.mailbox())
        bench.sweep(desk, bench.workload.count)
        downloaded = dovecot.bodies()
        if downloaded < bench.workload.count:
            raise NotNow(f"Dovecot counts {downloaded} bodies after the first pass")
        taken = bench.sweep(desk, 0)
        taken["downloaded"] = dovecot.bodies() - downloaded
        shutil.rmtree(desk.folder)
    return taken


def postgres(workers):
    def run(bench):
        with servers.Postgres(bench.folder()) as server:
            desk = bench.desk(store=[f'url = "{server.url}"', f'password = "{server.PASSWORD}"',
                                     'tls = "none"', f"workers = {workers}"])
            fill(desk.folder / "mail", bench.workload.mail())
            before = machine.cpu_of(server.pid)
            taken = bench.live(desk, bench.workload.count)
            taken["server_cpu_ms"] = per_message(machine.cpu_of(server.pid) - before, bench)
            bench.check(desk)
            shutil.rmtree(desk.folder)
        return taken
    return run


def per_message(seconds, bench):
    return round(seconds * 1000 / bench.workload.count, 3)


def sending(bench):
    """What was decided beforehand is sent: `ingest` decides and queues, and sends nothing."""
    with servers.Sink() as sink:
        desk = bench.desk(credentials=['max_age = "3650d"'], smtp=sink.smtp())
        # The mailbox that is looked into is empty.
        fill(desk.folder / "mail", [])
        desk.run("ingest", *map(str, bench.workload.mail()))
        queued = count_of(desk, "queued")
        taken = bench.sweep(desk, queued)
        sent = count_of(desk, "sent")
        if sent != queued or queued < bench.workload.count / 2:
            raise NotNow(f"{sent} of {queued} mails were sent")
        taken.pop("of_limit")
        taken["mails"] = sent
        shutil.rmtree(desk.folder)
    return taken


def count_of(desk, state):
    store = sqlite3.connect(f"file:{desk.folder / 'state' / 'guichet.db'}?mode=ro", uri=True)
    try:
        return store.execute("SELECT COUNT(*) FROM outbox WHERE state = ?", (state,)).fetchone()[0]
    finally:
        store.close()


def asked_of_maildir(row, *_):
    return [("≤ 0.6 ms CPU", row["cpu_ms"] <= 0.6), ("≥ 40 % of the limit", row["of_limit"] >= 0.4),
            ("(80 %)", row["of_limit"] >= 0.8), ("RSS ≤ 40 MB", row["rss_mb"] <= 40)]


def asked_of_imap(row, bench, done):
    asked = [("≤ 0.9 ms CPU", row["cpu_ms"] <= 0.9), ("RSS ≤ 40 MB", row["rss_mb"] <= 40)]
    if "maildir" in done and not done["maildir"].get("failed"):
        asked.append(("≥ 70 % of maildir", row["per_second"] >= 0.7 * done["maildir"]["per_second"]))
    return asked


def asked_of_workers(row, bench, done):
    one = done.get("postgres-1")
    if not one or one.get("failed"):
        return []
    times = row["per_second"] / one["per_second"]
    return [(f"{times:.2f} × one worker (≥ 1.5)", times >= 1.5)]


ALL = [
    Row("reading", "read, ask and decide on one thread, the mail of `maildir`",
        reading(lambda bench: bench.workload.folder / "Maildir"),
        lambda row, *_: [("mean ≤ 0.25 ms", row["cpu_ms"] <= 0.25)]),
    Row("reading-corpus", "the same for every message of the corpus", reading(corpus),
        lambda row, *_: [("worst ≤ 50 ms", row["worst_ms"] <= 50)]),
    Row("reading-hostile", "texts to trim and messages to read, 1 MB each", reading("--hostile"),
        lambda row, *_: [("worst ≤ 100 ms", row["worst_ms"] <= 100)]),
    Row("maildir", "2,000 messages, maildir to SQLite, too old to be answered", maildir,
        asked_of_maildir),
    Row("answered", "the same, every mail answered: rendered and recorded, not sent", answered),
    Row("second-pass", "the same maildir once more", second_pass,
        lambda row, *_: [("≤ 0.2 s", row["seconds"] <= 0.2)]),
    Row("first-commit", "start of the daemon to the first decision", first_commit),
    Row("backlog", f"{BACKLOG:,} small messages, maildir to SQLite", backlog,
        lambda row, *_: [("RSS ≤ 40 MB", row["rss_mb"] <= 40)], runs=1),
    Row("imap", "the same mail as `maildir` from Dovecot over TLS", imap, asked_of_imap),
    Row("imap-second-pass", "the same mailbox once more", imap_second_pass,
        lambda row, *_: [("≤ 0.2 s", row["seconds"] <= 0.2),
                         ("nothing downloaded", row["downloaded"] == 0)]),
    Row("postgres-1", "maildir to PostgreSQL, one worker", postgres(1)),
    Row("postgres-2", "maildir to PostgreSQL, two workers", postgres(2)),
    Row("postgres-4", "maildir to PostgreSQL, four workers", postgres(4), asked_of_workers),
    Row("sending", "queued mails to smtp-sink", sending,
        lambda row, *_: [("≥ 2,000/s", row["per_second"] >= 2000)]),
    Row("portal", f"mail comes in and is answered while {portal.SESSIONS} sessions read their tickets",
        portal.portal, portal.asked_of, runs=1, said=portal.said),
]
