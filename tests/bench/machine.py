"""The machine that measures, and processes measured on it."""

import os
import pathlib
import re
import signal
import subprocess
import threading
import time

TICK = os.sysconf("SC_CLK_TCK")


class Peak:
    """The peak RSS of a child while it runs. Not `ru_maxrss`: that begins with the memory of the
    parent, which the child has until it executes its own program."""

    PAUSE = 0.005

    def __init__(self, pid):
        self.status, self.kb = pathlib.Path(f"/proc/{pid}/status"), 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.watch)
        self.thread.start()

    def watch(self):
        while not self.ended.wait(self.PAUSE):
            try:
                found = re.search(r"VmHWM:\s+(\d+)", self.status.read_text())
            except OSError:
                return
            if found:
                self.kb = max(self.kb, int(found[1]))

    def megabytes(self):
        """Once the child ended."""
        self.ended.set()
        self.thread.join()
        return self.kb / 1024


def describe():
    model = next((line.split(":")[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), "unknown")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    found = {"cores": os.cpu_count(), "cpu": model, "memory_gb": round(memory, 1),
             "kernel": os.uname().release, "load": os.getloadavg()[0]}
    found["text"] = (f"{found['cores']} cores ({model}), {found['memory_gb']} GB,"
                     f" Linux {found['kernel']}, load {found['load']:.1f} at the start")
    return found


class Run:
    """A child that ran to its end: seconds, CPU seconds, peak RSS and what it said."""

    def __init__(self, command, folder, log):
        with open(log, "wb") as said:
            begun = time.monotonic()
            child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=said)
            peak = Peak(child.pid)
            # Of this child alone, unlike RUSAGE_CHILDREN.
            _, status, usage = os.wait4(child.pid, 0)
            self.seconds = time.monotonic() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        self.code = child.returncode
        self.cpu = usage.ru_utime + usage.ru_stime
        self.rss = peak.megabytes()
        self.said = pathlib.Path(log).read_text(errors="replace")


class Daemon:
    """A daemon that ran until its log told of `count` decisions: seconds until then (`None` when it
    never came to that); CPU and RSS to its end."""

    PATIENCE = 300

    def __init__(self, command, folder, log, count):
        self.seconds = None
        with open(log, "wb") as said:
            begun = time.monotonic()
            child = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL,
                                     stdout=subprocess.DEVNULL, stderr=said)
        peak = Peak(child.pid)
        with open(log, "rb") as lines:
            decided, rest = 0, b""
            while decided < count and time.monotonic() - begun < self.PATIENCE:
                whole, newline, rest = (rest + lines.read()).rpartition(b"\n")
                decided += whole.count(b'"outcome":')
                if not newline:
                    if os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                        break
                    time.sleep(0.001)
            self.decided = decided
            if decided >= count:
                self.seconds = time.monotonic() - begun
        child.send_signal(signal.SIGTERM)
        _, status, usage = os.wait4(child.pid, 0)
        self.code = child.returncode = os.waitstatus_to_exitcode(status)
        self.cpu = usage.ru_utime + usage.ru_stime
        self.rss = peak.megabytes()
        self.said = pathlib.Path(log).read_text(errors="replace")


def cpu_of(pid):
    """CPU seconds of a server: its own, those of its children that live, and of those that ended."""
    total = 0
    for entry in pathlib.Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue  # It ended while we looked.
        # After the name: state, parent, …; utime, stime, cutime and cstime are the 12th to 15th.
        if int(entry.name) == pid:
            total += sum(int(field) for field in fields[11:15])
        elif int(fields[1]) == pid:
            total += int(fields[11]) + int(fields[12])
    return total / TICK
