"""Turns the events of repeated runs into one record of a machine, and prints it as a table.

Called by ci/hardware with its output folder; standard library only, since a GPU machine may have no more.
"""

import json
import pathlib
import re
import site
import statistics
import sys

# The stages that a library check is timed by, and what the record calls the time from each to the next.
SPLIT = {"open-package": "load", "context": "context", "first-call": "first-call", "compute": "compute"}


def find():
    """The directories of this machine that hold NVIDIA's libraries, each once: packages of Python, and toolkits."""
    places = []
    for folder in [*sys.path, *site.getsitepackages()]:
        places.append(pathlib.Path(folder) / "nvidia")
    places += sorted(pathlib.Path("/usr/local").glob("cuda-*/targets/*/lib"))
    places += sorted(pathlib.Path("/usr/local").glob("cuda/targets/*/lib"))
    found = []
    for place in places:
        real = place.resolve()
        if real.is_dir() and real not in found and any(real.rglob("*.so*")):
            found.append(real)
    return found


if sys.argv[1] == "--find":
    for place in find():
        print(place)
    sys.exit(0)

out = pathlib.Path(sys.argv[1])


def read(pattern):
    """Runs as lists of events, in the order in which they were made."""
    paths = sorted(out.glob(pattern), key=lambda path: [int(word) if word.isdigit() else word for word in re.split(r"(\d+)", path.name)])
    return [[json.loads(line) for line in path.read_text().splitlines()] for path in paths]


runs = read("events.[0-9]*.jsonl")
others = read("events.package-*.jsonl") + read("events.tester-*.jsonl")


def split(stages):
    """Milliseconds from each timed stage to the one after it."""
    times = {}
    for (stage, at), (_, after) in zip(stages, stages[1:]):
        if stage in SPLIT:
            times[SPLIT[stage]] = times.get(SPLIT[stage], 0) + (after - at) / 1000
    return {name: round(time, 3) for name, time in times.items()}


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


def entry_of(number, id):
    """The record of a case, made when it is first met. Cases of packages are apart by the run."""
    name = ".".join([id["suite"], id["case"]] + ([id["subject"]] if id.get("subject") else []))
    blank = {"outcomes": [], "durations": [], "stages": [], "notes": [], "detail": None, "jit": None, "mapped": [], "parts": []}
    return cases.setdefault((name, id["device"], number), blank)


for number, run in [(0, run) for run in runs] + list(enumerate(others, start=1)):
    for case in events(run, "case-finished"):
        outcome, detail = word(case["outcome"])
        entry = entry_of(number, case["id"])
        attempt = case["attempt"]
        entry["outcomes"].append(outcome)
        entry["durations"].append(attempt["duration-ms"])
        entry["stages"].append(attempt["stages"])
        entry["notes"] = attempt["notes"]
        entry["mapped"] = attempt.get("mapped", [])
        entry["parts"] = case.get("parts", [])
        entry["detail"] = detail or entry["detail"]
        entry["jit"] = entry["jit"] or jit_log(run, case)
    for case in events(run, "case-skipped"):
        entry = entry_of(number, case["id"])
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
    "packages": [events(run, "run-started")[0]["command"][1:] for run in others],
    "cases": [
        {
            "case": name,
            "device": device,
            **({"package": number} if number else {}),
            "outcomes": entry["outcomes"],
            "duration-ms": entry["durations"],
            "stages-us": entry["stages"][:1],
            **({"split-ms": split(entry["stages"][0])} if number and entry["stages"] else {}),
            "notes": entry["notes"],
            **({"mapped": entry["mapped"]} if entry["mapped"] else {}),
            **({"parts": entry["parts"]} if entry["parts"] else {}),
            "detail": entry["detail"],
            "jit-log": entry["jit"],
        }
        for (name, device, number), entry in cases.items()
    ],
}
# A record is committed: it keeps no name of the host.
record["facts"].get("host", {}).pop("name", None)
(out / "record.json").write_text(json.dumps(record, indent=1) + "\n")

print(f"{'case':44} {'device':>6}  {'outcome':28} {'median':>9}")
for case in record["cases"]:
    outcomes = ", ".join(sorted(set(case["outcomes"])))
    median = f"{statistics.median(case['duration-ms']):.0f} ms" if case["duration-ms"] else ""
    times = ", ".join(f"{name} {time:.0f}" for name, time in case.get("split-ms", {}).items())
    print(f"{case['case']:44} {case['device'] if case['device'] is not None else '':>6}  {outcomes:28} {median:>9}  {times}")
walls = [run[-1]["elapsed-ms"] for run in runs]
simulated = f" (simulated: {record['simulated']})" if record["simulated"] else ""
print(f"\n{len(record['cases'])} cases, {len(runs)} runs{simulated}; wall time of a run: " + ", ".join(f"{wall / 1000:.2f} s" for wall in walls))
print(f"record: {out / 'record.json'}")
