"""Turns the events of repeated runs into one record of a machine, and prints it as a table.

Called by ci/hardware with its output folder; standard library only, since a GPU machine may have no more.
"""

import json
import pathlib
import statistics
import sys

out = pathlib.Path(sys.argv[1])
runs = []
for path in sorted(out.glob("events.*.jsonl")):
    runs.append([json.loads(line) for line in path.read_text().splitlines()])


def events(run, kind):
    return [entry["event"][kind] for entry in run if kind in entry["event"]]


def word(outcome):
    """`pass`, or `fail: wrong-result`."""
    if isinstance(outcome, str):
        return outcome, None
    kind, detail = next(iter(outcome.items()))
    return kind, detail


def jit_log(run, case):
    """The just-in-time compiler's words, from the case's journal."""
    started = events(run, "run-started")[0]
    journal = out / "runs" / started["run-id"] / case["log"] / "journal.jsonl"
    logs = []
    if journal.exists():
        for line in journal.read_text(errors="replace").splitlines():
            record = json.loads(line).get("record", {})
            if "jit-log" in record:
                logs.append(record["jit-log"])
    return logs


cases = {}
for run in runs:
    for case in events(run, "case-finished"):
        name = ".".join([case["id"]["suite"], case["id"]["case"]])
        outcome, detail = word(case["outcome"])
        entry = cases.setdefault((name, case["id"]["device"]), {"outcomes": [], "durations": [], "stages": [], "notes": [], "detail": None, "jit": None})
        entry["outcomes"].append(outcome)
        entry["durations"].append(case["attempt"]["duration-ms"])
        entry["stages"].append(case["attempt"]["stages"])
        entry["notes"] = case["attempt"]["notes"]
        entry["detail"] = detail or entry["detail"]
        entry["jit"] = entry["jit"] or jit_log(run, case)
    for case in events(run, "case-skipped"):
        name = ".".join([case["id"]["suite"], case["id"]["case"]])
        entry = cases.setdefault((name, case["id"]["device"]), {"outcomes": [], "durations": [], "stages": [], "notes": [], "detail": None, "jit": None})
        entry["outcomes"].append("skip")
        entry["detail"] = case["reason"]

started = events(runs[0], "run-started")[0]
record = {
    "schema": 1,
    "cudacheck": started["version"],
    "recorded": runs[0][0]["at"][:10],
    "simulated": started.get("simulated"),
    "seed": started["seed"],
    "facts": json.loads((out / "facts.json").read_text()),
    "cases": [
        {
            "case": name,
            "device": device,
            "outcomes": entry["outcomes"],
            "duration-ms": entry["durations"],
            "stages-us": entry["stages"][:1],
            "notes": entry["notes"],
            "detail": entry["detail"],
            "jit-log": entry["jit"],
        }
        for (name, device), entry in cases.items()
    ],
}
# A record is committed: it keeps no name of the host.
record["facts"].get("host", {}).pop("name", None)
(out / "record.json").write_text(json.dumps(record, indent=1) + "\n")

print(f"{'case':44} {'device':>6}  {'outcome':28} {'median':>9}")
for case in record["cases"]:
    outcomes = ", ".join(sorted(set(case["outcomes"])))
    median = f"{statistics.median(case['duration-ms']):.0f} ms" if case["duration-ms"] else ""
    print(f"{case['case']:44} {case['device'] if case['device'] is not None else '':>6}  {outcomes:28} {median:>9}")
walls = [run[-1]["elapsed-ms"] for run in runs]
simulated = f" (simulated: {record['simulated']})" if record["simulated"] else ""
print(f"\n{len(record['cases'])} cases, {len(runs)} runs{simulated}; wall time of a run: " + ", ".join(f"{wall / 1000:.2f} s" for wall in walls))
print(f"record: {out / 'record.json'}")
