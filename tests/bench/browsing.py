"""Browsers of the portal: each logs in and then reads on, a connection of its own kept open. All of
them run on one thread, beside the program that they measure."""

import asyncio
import html
import random
import re
import time
import urllib.parse

PASSWORD = "a password for the bench"
# Seconds that somebody looks at a page before they ask for the next one.
THINKING = (1.0, 2.0)
PATIENCE = 30
# How many log in at a time: the portal asks those to come again whose password would wait too long.
AT_THE_DOOR = 16


class Wrong(Exception):
    """A page is not what it should be."""


class Browser:
    """One session. `visits` is where it notes what it asked for: kind, when, seconds, what was wrong."""

    def __init__(self, port, address, article, is_primary, visits, seed):
        self.port, self.address, self.visits = port, address, visits
        self.article, self.is_primary = article, is_primary
        self.cookies, self.line = {}, None
        self.dice = random.Random(seed)
        # Each comes from an address of its own, as people do: one address has its limits.
        self.home = f"127.0.{1 + seed // 250}.{1 + seed % 250}"

    async def log_in(self, link):
        """Chooses a password by the link, forgets that session, and logs in with the password."""
        path = urllib.parse.urlsplit(link).path
        await self.post(path, password=PASSWORD, again=PASSWORD)
        self.cookies.clear()
        await self.post("/portal/login", address=self.address, password=PASSWORD)
        if "guichet" not in self.cookies:
            raise Wrong(f"{self.address} is not logged in")

    async def post(self, path, **fields):
        """Fills in the form of a page; what it leads to is another page."""
        token = re.search(r'name="form" value="([^"]+)"', await self.get(path))
        if not token:
            raise Wrong(f"{path} has no form")
        body = urllib.parse.urlencode({"form": token[1], **fields})
        status, _ = await self.ask("POST", path, body)
        if status != 303:
            raise Wrong(f"{path} answers {status} to its form")

    async def get(self, path):
        status, text = await self.ask("GET", path)
        if status != 200:
            raise Wrong(f"{path} answers {status}")
        return text

    async def browse(self, until):
        """Reads page after page until `until` is set."""
        # A connection kept open since the last time may have waited too long, and is closed.
        self.hang_up()
        await thinking(until, self.dice.uniform(0, THINKING[1]))
        while not until.is_set():
            text = await self.look("tickets", "/portal/tickets", 'class="tickets card"')
            found = re.findall(r'href="/portal/tickets/(\d+)"[^>]*>([^<]*)', text)
            if not found:
                continue
            number, subject = self.dice.choice(found)
            word = max(re.findall(r"\w+", html.unescape(subject)) or ["a"], key=len)
            words = urllib.parse.quote(word)
            walk = [("ticket", f"/portal/tickets/{number}", f"{number}"),
                    ("search", f"/portal/tickets?q={words}", 'class="tickets card"'),
                    ("profile", "/portal/profile", self.address),
                    ("articles", "/portal/articles", self.article),
                    ("article", f"/portal/articles/{self.article}", 'class="card prose"')]
            if self.is_primary:
                walk.append(("site", "/portal/site", 'class="tickets card"'))
                walk.append(("site-search", f"/portal/site?q={words}", 'class="search"'))
            self.dice.shuffle(walk)
            for kind, path, holds in walk:
                await thinking(until, self.dice.uniform(*THINKING))
                if until.is_set():
                    return
                await self.look(kind, path, holds)
            await thinking(until, self.dice.uniform(*THINKING))

    async def look(self, kind, path, holds):
        """One page, measured; whatever is wrong with it is noted, and ends nothing."""
        begun, wrong, text = time.monotonic(), None, ""
        try:
            text = await self.get(path)
            if holds not in text:
                wrong = f"{path} does not hold `{holds}`"
        except (Wrong, OSError, EOFError, ValueError, asyncio.TimeoutError) as why:
            wrong = f"{path}: {type(why).__name__} {why}"
            self.hang_up()
        self.visits.append((kind, begun, time.monotonic() - begun, wrong))
        return text

    async def ask(self, method, path, body=""):
        return await asyncio.wait_for(self.exchange(method, path, body), PATIENCE)

    async def exchange(self, method, path, body):
        if self.line is None:
            self.line = await asyncio.open_connection(
                "127.0.0.1", self.port, local_addr=(self.home, 0))
        reader, writer = self.line
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        writer.write((f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
                      f"Cookie: {cookies}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
                      f"Content-Length: {len(body)}\r\n\r\n{body}").encode())
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status, length = int(head.split(" ", 2)[1]), 0
        for header in head.split("\r\n")[1:]:
            name, _, value = header.partition(": ")
            if name.lower() == "content-length":
                length = int(value)
            elif name.lower() == "set-cookie":
                cookie, _, rest = value.partition(";")
                key, _, value = cookie.partition("=")
                if "Max-Age=0" in rest:
                    self.cookies.pop(key, None)
                else:
                    self.cookies[key] = value
        return status, (await reader.readexactly(length)).decode()

    def hang_up(self):
        if self.line:
            self.line[1].close()
        self.line = None


async def thinking(until, seconds):
    try:
        await asyncio.wait_for(until.wait(), seconds)
    except asyncio.TimeoutError:
        pass


async def all_in(browsers, links):
    """Lets everybody log in."""
    door = asyncio.Semaphore(AT_THE_DOOR)

    async def one(browser, link):
        async with door:
            await browser.log_in(link)

    await asyncio.gather(*map(one, browsers, links))


def share(times, part):
    """The time that `part` of all of them stay below, in milliseconds."""
    ordered = sorted(times)
    return round(1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))], 1)


def summary(visits):
    """Requests, errors and times of visits."""
    times = [seconds for _, _, seconds, _ in visits]
    wrong = [said for *_, said in visits if said]
    if not times:
        return {"requests": 0, "errors": 0}
    return {"requests": len(times), "errors": len(wrong), "wrong": wrong[:3],
            "p50_ms": share(times, 0.5), "p99_ms": share(times, 0.99),
            "max_ms": round(1000 * max(times), 1)}
