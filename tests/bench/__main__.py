"""What guichet takes: time, CPU and memory for a known workload, beside what the disk and SQLite take
for the same messages in the same minutes.

  python3 tests/bench                      every row, three runs of each, the median
  python3 tests/bench --only maildir --runs 5
  python3 tests/bench --list               the rows

Prints a table and writes `target/bench.json`. Builds the release first (`--binary FILE` measures
another one). The workload and the limits come from the folder that GUICHET_BENCH names, else from
`../shared/bench` beside the repository. Servers run in temporary folders on free ports of the
loopback and are ended by their process ids. Takes about six minutes on two idle cores; measure
on an idle machine, or the figures are those of its other work: `load` says which.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile

import machine
import rows
from workload import Workload

ROOT = pathlib.Path(__file__).resolve().parents[2]
FAIR = "sqlite_wal_batch16_rawblob"


def main():
    args = arguments()
    if args.list:
        for row in rows.ALL:
            print(f"{row.name:18} {row.about}")
        return 0
    binary = pathlib.Path(args.binary).resolve() if args.binary else built()
    generator = bench_folder()
    chosen = [row for row in rows.ALL if not args.only or row.name in args.only]
    unknown = set(args.only or ()) - {row.name for row in rows.ALL}
    if unknown:
        sys.exit(f"there is no row {', '.join(sorted(unknown))}; see --list")
    report = {"machine": machine.describe(), "runs": args.runs, "rows": []}
    with tempfile.TemporaryDirectory(prefix="guichet-bench-", dir=args.scratch) as folder:
        os.chmod(folder, 0o755)
        scratch = pathlib.Path(folder)
        workload = Workload(generator, scratch / "workload", args.count)
        report["limits"] = limits(generator, workload, scratch / "limits", args.runs)
        fair = report["limits"][FAIR]["messages_per_second"]
        desk = rows.Bench(binary, workload, scratch, fair)
        done = {}
        for row in chosen:
            done[row.name] = measured(row, desk, args.runs, done)
            report["rows"].append(done[row.name])
    table(report)
    args.json.parent.mkdir(parents=True, exist_ok=True)
    args.json.write_text(json.dumps(report, indent=1) + "\n")
    print(f"\nwritten to {args.json}")
    wrong = [row["name"] for row in report["rows"] if row.get("failed")]
    return 1 if wrong else 0


def arguments():
    parser = argparse.ArgumentParser(prog="tests/bench", description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3, help="runs of each row; the median counts")
    parser.add_argument("--only", action="append", metavar="NAME", help="only this row; may be repeated")
    parser.add_argument("--count", type=int, default=2000, help="messages of the workload")
    parser.add_argument("--binary", help="measure this one instead of building")
    parser.add_argument("--scratch", help="where temporary folders are made: the disk that is measured")
    parser.add_argument("--json", type=pathlib.Path, default=ROOT / "target" / "bench.json")
    parser.add_argument("--list", action="store_true", help="name the rows and end")
    return parser.parse_args()


def built():
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=ROOT, check=True)
    target = os.environ.get("CARGO_TARGET_DIR", ROOT / "target")
    return pathlib.Path(target).resolve() / "release" / "guichet"


def bench_folder():
    folder = pathlib.Path(os.environ.get("GUICHET_BENCH", ROOT.parent / "shared" / "bench"))
    if not (folder / "make_workload.py").exists():
        sys.exit(f"{folder} has no make_workload.py\nhint: set GUICHET_BENCH to the folder that has it")
    return folder


def limits(generator, workload, scratch, runs):
    """What disk and SQLite take for the same messages, now."""
    said = subprocess.run(
        [sys.executable, generator / "limits.py", workload.folder, scratch, str(runs)],
        check=True, capture_output=True, text=True)
    found = {}
    for line in said.stdout.splitlines():
        one = json.loads(line)
        found[one["label"]] = {
            "messages_per_second": one["msg_per_s_median"],
            "cpu_ms": round(one["cpu_s"] * 1000 / one["count"], 3),
        }
    return found


def measured(row, desk, runs, done):
    """The median run of a row, beside what is asked of it."""
    print(f"{row.name}: {row.about}", file=sys.stderr, flush=True)
    result = {"name": row.name, "about": row.about, "load": round(os.getloadavg()[0], 1)}
    try:
        taken = [row.run(desk) for _ in range(row.runs or runs)]
    except (rows.NotNow, RuntimeError, subprocess.CalledProcessError) as why:
        return {**result, "failed": True, "why": str(why)}
    taken.sort(key=lambda one: one["seconds"])
    result.update(taken[len(taken) // 2])
    result["spread"] = [taken[0]["seconds"], taken[-1]["seconds"]]
    # CPU and memory have their own medians: the run of median time need not be that of median CPU.
    for key in ("cpu_ms", "server_cpu_ms", "rss_mb"):
        values = [one[key] for one in taken if one.get(key) is not None]
        if values:
            result[key] = round(statistics.median(values), 3)
    result["said"] = list(row.said(result))
    result["targets"] = [
        {"target": text, "reached": reached} for text, reached in row.targets(result, desk, done)]
    return result


def table(report):
    print("\n" + report["machine"]["text"])
    for name, one in report["limits"].items():
        print(f"  limit {name:28} {one['messages_per_second']:>7}/s  {one['cpu_ms']:.3f} ms CPU")
    print(f"\n{'row':18} {'/s':>7} {'of limit':>8} {'CPU ms':>7} {'server':>7} {'RSS MB':>7}"
          f" {'stmts':>6} {'seconds':>8}  targets")
    for row in report["rows"]:
        if row.get("failed"):
            print(f"{row['name']:18} NOT RUN: {row['why']}")
            continue
        cells = [cell(row.get(key), text) for key, text in (
            ("per_second", "{:.0f}"), ("of_limit", "{:.0%}"), ("cpu_ms", "{:.3f}"),
            ("server_cpu_ms", "{:.3f}"), ("rss_mb", "{:.1f}"), ("statements", "{:.1f}"),
            ("seconds", "{:.3f}"))]
        told = "; ".join(f"{one['target']} {'yes' if one['reached'] else 'NO'}" for one in row["targets"])
        print("{:18} {:>7} {:>8} {:>7} {:>7} {:>7} {:>6} {:>8}  {}".format(row["name"], *cells, told))
        for line in row["said"]:
            print(f"  {line}")


def cell(value, text):
    return "" if value is None else text.format(value)


if __name__ == "__main__":
    sys.exit(main())
