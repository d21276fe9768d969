"""The test programs, as cargo builds them."""

import json
import pathlib
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent


def executables():
    """The test programs by the names of their suites; `lib` is the library's own."""
    built = subprocess.run(
        ["cargo", "test", "--locked", "--no-run", "--message-format=json"],
        cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True)
    found = {}
    for line in built.stdout.splitlines():
        entry = json.loads(line)
        if entry.get("executable") and entry.get("profile", {}).get("test"):
            target = entry["target"]
            name = "lib" if "lib" in target["kind"] else target["name"]
            if target["kind"] != ["bin"]:
                found[name] = entry["executable"]
    return found
