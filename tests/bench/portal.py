"""The row `portal`: people read their tickets while mail comes in."""

import asyncio
import contextlib
import pathlib
import re
import signal
import sqlite3
import subprocess
import time

import browsing
import machine
import servers
from workload import MAILDIR, Desk, Workload, fill

SESSIONS = 200
# Bursts of mail without anybody reading, and as many while everybody reads; in turns, so that both
# meet the same store and the same other work of the machine.
ROUNDS = 2
# Seconds that everybody reads while no mail comes in, before each burst.
QUIET = 15
PATIENCE = 300
# Of three sites one has a user who sees all its tickets.
PRIMARY = 3
ARTICLES = 12


class House:
    """A daemon that runs on a desk."""

    def __init__(self, desk):
        self.desk, self.log = desk, desk.folder / "log"
        with open(self.log, "wb") as said:
            self.child = subprocess.Popen(
                desk.command("-v", "run"), cwd=desk.folder, stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=said)
        self.lines, self.rest, self.decided = open(self.log, "rb"), b"", 0

    def look(self):
        """How many messages are decided; fails when the daemon is no more."""
        if self.child.poll() is not None:
            raise RuntimeError(f"the daemon ended with {self.child.returncode}")
        whole, _, self.rest = (self.rest + self.lines.read()).rpartition(b"\n")
        self.decided += whole.count(b'"outcome":')
        return self.decided

    async def until(self, is_so, what):
        deadline = time.monotonic() + PATIENCE
        while not is_so():
            if time.monotonic() > deadline:
                raise RuntimeError(f"{what}: not after {PATIENCE} seconds")
            await asyncio.sleep(0.005)

    def cpu(self):
        fields = pathlib.Path(f"/proc/{self.child.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / machine.TICK

    def peak(self):
        """The peak RSS in MB since the last call."""
        folder = pathlib.Path(f"/proc/{self.child.pid}")
        found = re.search(r"VmHWM:\s+(\d+)", (folder / "status").read_text())
        (folder / "clear_refs").write_text("5")
        return round(int(found[1]) / 1024, 1)

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            self.child.wait(PATIENCE)
        self.lines.close()


def portal(bench):
    count = bench.workload.count
    folder = bench.folder()
    workload = Workload(bench.workload.generator, folder / "workload", count * (1 + 2 * ROUNDS))
    mail = workload.mail()
    port = servers.free_port()
    desk = Desk(
        bench.binary, folder / "desk", MAILDIR, workload=workload, primary=primary_users(workload),
        portal=[f'url = "http://127.0.0.1:{port}"', 'articles = "articles"'],
        http=[f'listen = "127.0.0.1:{port}"'], credentials=['max_age = "3650d"'])
    names = articles(desk.folder / "articles")
    fill(desk.folder / "mail", mail[:count])
    desk.run("run", "--once")
    bursts = []
    for n in range(1, 2 * ROUNDS + 1):
        bursts.append(folder / f"burst-{n}")
        fill(bursts[-1], mail[n * count:(n + 1) * count])
    people = readers(desk)
    links = [desk.run("users", "reset-password", address, "--show=link").strip()
             for address, _ in people]
    visits = []
    browsers = [browsing.Browser(port, address, names[n % len(names)], is_primary, visits, n)
                for n, (address, is_primary) in enumerate(people)]
    house = House(desk)
    try:
        taken = asyncio.run(measured(house, browsers, links, bursts, count, visits))
    finally:
        house.stop()
    bench.check(desk, workload)
    return {**taken, "sessions": len(people)}


async def measured(house, browsers, links, bursts, count, visits):
    await house.until(lambda: b'"http.listen"' in house.log.read_bytes(), "the portal opens")
    await browsing.all_in(browsers, links)
    told = {"rss_login_mb": house.peak()}
    alone, beside, quiet, busy, reading = [], [], [], [], []
    cpu = {"ingest": 0.0, "pages": 0.0}
    for without, within in zip(bursts[::2], bursts[1::2]):
        before = house.cpu()
        begun, ended = await burst(house, without, count)
        await house.until(lambda: queued(house.desk) == 0, "the mails are written")
        cpu["ingest"] += house.cpu() - before
        alone.append(ended - begun)
        closing = asyncio.Event()
        readers = [asyncio.create_task(browser.browse(closing)) for browser in browsers]
        # Everybody is on their way before it counts.
        await asyncio.sleep(browsing.THINKING[1])
        before, since = house.cpu(), time.monotonic()
        await asyncio.sleep(QUIET)
        cpu["pages"] += house.cpu() - before
        reading.append((since, time.monotonic()))
        begun, ended = await burst(house, within, count)
        beside.append(ended - begun)
        busy.append((begun, ended))
        closing.set()
        await asyncio.gather(*readers)
        await house.until(lambda: queued(house.desk) == 0, "the mails are written")
    quiet = [visit for visit in visits if any(within_of(visit, one) for one in reading)]
    loaded = [visit for visit in visits if any(within_of(visit, one) for one in busy)]
    told["idle"], told["busy"] = browsing.summary(quiet), browsing.summary(loaded)
    told["slowest"] = slowest(loaded)
    told["all"] = browsing.summary(visits)
    told["alone_per_second"] = round(count * len(alone) / sum(alone))
    seconds = round(sum(beside) / len(beside), 3)
    return {**told, "seconds": seconds, "per_second": round(count / seconds),
            "cpu_ms": round(cpu["ingest"] * 1000 / count / len(alone), 3),
            "page_cpu_ms": round(cpu["pages"] * 1000 / max(1, len(quiet)), 3),
            "rss_mb": house.peak()}


async def burst(house, folder, count):
    """Lets this mail come in at once; answers from when to when it took."""
    wanted = house.look() + count
    begun = time.monotonic()
    for one in sorted((folder / "new").iterdir()):
        one.rename(house.desk.folder / "mail" / "new" / one.name)
    await house.until(lambda: house.look() >= wanted, "the mail is decided")
    return begun, time.monotonic()


def within_of(visit, span):
    """Whether a page was being made, for a moment at least, in a span of time."""
    _, begun, seconds, _ = visit
    return begun < span[1] and begun + seconds > span[0]


def slowest(visits):
    """The 99th percentile of each kind of page, in milliseconds."""
    kinds = {}
    for kind, _, seconds, _ in visits:
        kinds.setdefault(kind, []).append(seconds)
    return {kind: browsing.share(times, 0.99) for kind, times in sorted(kinds.items())}


def said(row):
    """What the table has no columns for."""
    for name in ("idle", "busy", "all"):
        one = row[name]
        yield (f"{name:5} {one['requests']:6} requests, {one['errors']} errors, p50 {one['p50_ms']} ms,"
               f" p99 {one['p99_ms']} ms, longest {one['max_ms']} ms")
        yield from (f"      {wrong}" for wrong in one["wrong"])
    yield f"p99 of each page while mail came in: {row['slowest']}"
    yield (f"{row['sessions']} sessions, {browsing.THINKING[0]} to {browsing.THINKING[1]} s between their"
           f" pages; {row['alone_per_second']}/s without them, {row['per_second']}/s beside them;"
           f" CPU {row['page_cpu_ms']} ms a page; peak RSS {row['rss_login_mb']} MB at the logins,"
           f" {row['rss_mb']} MB after them; the browsers share the processors")


def asked_of(row, *_):
    errors = row["all"]["errors"]
    return [(f"{row['sessions']} sessions", row["sessions"] == SESSIONS),
            (f"{errors} errors", errors == 0)]


def primary_users(workload):
    """Of some sites the first one who writes."""
    domains = {domain for _, domain in workload.rows("sites.tsv")[::PRIMARY]}
    first = {}
    for _, kind, _, sender, *_ in workload.rows("manifest.tsv")[1:]:
        domain = sender.partition("@")[2]
        if kind == "new" and domain in domains and "+" not in sender:
            first.setdefault(domain, sender)
    return list(first.values())


def readers(desk):
    """Whoever has tickets, and whether they see those of their site too."""
    with closing_store(desk) as store:
        found = store.execute(
            "SELECT a.address, a.address_key IN (SELECT address_key FROM site_primary) "
            "FROM person_address a WHERE a.n = 0 "
            "AND EXISTS (SELECT 1 FROM ticket t WHERE t.person = a.person AND t.staff_only = 0) "
            "ORDER BY 2 DESC, a.address").fetchall()
    return [(address, bool(is_primary)) for address, is_primary in found[:SESSIONS]]


def queued(desk):
    with closing_store(desk) as store:
        return store.execute(
            "SELECT COUNT(*) FROM outbox WHERE state IN ('queued', 'sending')").fetchone()[0]


def closing_store(desk):
    path = desk.folder / "state" / "guichet.db"
    return contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True))


def articles(folder):
    """A small knowledge base; the names of its articles."""
    folder.mkdir()
    names = [f"printer-{n}" for n in range(1, ARTICLES + 1)]
    for name in names:
        steps = "\n".join(f"{n}. Look whether lamp {n} of the *printer* blinks." for n in range(1, 30))
        (folder / f"{name}.md").write_text(f"# When {name} stops\n\n{steps}\n")
    return names
