"""Times whole commands of cudacheck, in turn with a command to compare with, and prints medians and ratios."""

import json
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile
import time

cudacheck = pathlib.Path(sys.argv[1]).resolve()


def seconds(command, directory):
    began = time.perf_counter()
    subprocess.run(command, cwd=directory, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    return time.perf_counter() - began


def side_by_side(ours, theirs, rounds, directory):
    """Runs two commands in turn; the ratio of each pair cancels drift of the machine."""
    pairs = [(seconds(ours, directory), seconds(theirs, directory)) for _ in range(rounds + 1)][1:]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def row(what, measured, budget, beside):
    print(f"{what:44} {measured:>16} {budget:>16}   {beside}")


with tempfile.TemporaryDirectory() as directory:
    row("what", "measured", "budget", "beside it, in the same run")
    python = [sys.executable, "-S", "-c", "pass"]
    for arguments in (["--version"], ["list"], ["list", "--kernels"], ["validate"]):
        ours, theirs, ratio = side_by_side([cudacheck, *arguments], python, 20, directory)
        row(f"cudacheck {' '.join(arguments)}", f"{ours * 1000:.1f} ms", "10 ms", f"an empty Python program {theirs * 1000:.1f} ms, ratio {ratio:.2f}")

    run = [cudacheck, "run", "--simulate", "h100", "--seed", "1", "--quiet", "--runs", "runs"]
    one = [*run, "--case", "launch-canary"]
    ours, theirs, ratio = side_by_side(run, one, 3, directory)
    row("the whole simulated kernel suite", f"{ours:.2f} s", "5 s", f"one case of it {theirs:.2f} s, ratio {ratio:.1f}")

    peaks = []
    for path in pathlib.Path(directory, "runs").glob("*/supervisor.json"):
        peaks.append(json.loads(path.read_text())["peak-resident-kib"])
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    row("memory of the supervising process", f"{max(peaks) / 1024:.1f} MiB", "32 MB", f"the largest of all its processes {children / 1024:.1f} MiB")
    size = cudacheck.stat().st_size / 2**20
    library = (cudacheck.parent / "deps" / "libcudacheck_simulator.so")
    beside = library if library.exists() else cudacheck.parent / "libcudacheck_simulator.so"
    row("the binary", f"{size:.1f} MiB", "", f"the simulator's library {beside.stat().st_size / 2**20:.1f} MiB")
