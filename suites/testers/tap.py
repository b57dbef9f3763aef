"""What the scripts beside this file share: they print TAP 14, and compare element by element.

A test is a function with a sentence that says what a pass proves. Its inputs are integers from a seed that is printed,
its reference is computed here, in Python's own integers, and a difference of one is a failure. Where rounding cannot be
avoided, the bound is given with its reason.

CUDACHECK_TEST_DEVICE=cpu makes the scripts compute on the processor, to test the scripts themselves. Nothing that it
prints is about a GPU, and it says so.
"""

import importlib
import os
import random
import sys
import time
import traceback

SEED = int(os.environ.get("CUDACHECK_TEST_SEED", "20261121"))
ON_CPU = os.environ.get("CUDACHECK_TEST_DEVICE", "") == "cpu"

_tests = []


class Wrong(Exception):
    """A result is not what it must be."""


class Skip(Exception):
    """A test cannot be made here, for a reason that is nobody's fault."""


def proves(sentence):
    """Makes a function a test; the sentence is what a pass proves."""

    def add(function):
        _tests.append((function.__name__.replace("_", "-"), sentence, function))
        return function

    return add


def need(name):
    """Imports the module under test. Without it nothing can be said; with a broken one, everything is."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            skip_all(f"this interpreter has no module {name}")
        print(f"Bail out! {name} cannot be imported: {error}")
    except BaseException as error:
        traceback.print_exc()
        print(f"Bail out! {name} cannot be imported: {one_line(error)}")
    sys.exit(1)


def skip_all(reason):
    """Ends everything: the package is for something else. A suite that must run makes a failure of it."""
    print(f"1..0 # SKIP {one_line(reason)}")
    sys.stdout.flush()
    sys.exit(0)


def give_up(reason):
    """Ends everything: what comes after could not be believed."""
    print(f"Bail out! {one_line(reason)}")
    sys.stdout.flush()
    sys.exit(1)


def integers(count, low, high, salt=0):
    """Integers that are the same in every run with the same seed."""
    stream = random.Random(SEED * 1000003 + salt)
    return [stream.randint(low, high) for _ in range(count)]


def matrix(rows, columns, low, high, salt=0):
    """Rows of such integers."""
    flat = integers(rows * columns, low, high, salt)
    return [flat[row * columns : (row + 1) * columns] for row in range(rows)]


def product(left, right):
    """The product of two matrices, in Python's integers."""
    columns = list(zip(*right))
    return [[sum(x * y for x, y in zip(row, column)) for column in columns] for row in left]


def transposed(rows):
    return [list(row) for row in zip(*rows)]


def flat(value):
    """Every element of nested lists, with its place."""
    if isinstance(value, (list, tuple)):
        for index, inner in enumerate(value):
            for place, element in flat(inner):
                yield (index, *place), element
    else:
        yield (), value


def same(found, expected):
    """Every element is there, and equal."""
    within(found, expected, 0)


def within(found, expected, bound):
    """Every element is there, and differs by no more than the bound. NaN never does."""
    found, expected = list(flat(found)), list(flat(expected))
    if [place for place, _ in found] != [place for place, _ in expected]:
        raise Wrong(f"it has {len(found)} elements of another shape, expected {len(expected)}")
    if not expected:
        raise Wrong("there is nothing to compare")
    wrong = [
        (place, has, wants)
        for (place, has), (_, wants) in zip(found, expected)
        if not (has == wants or abs(has - wants) <= bound)
    ]
    if wrong:
        shown = "; ".join(f"at {list(place)} {has!r}, expected {wants!r}" for place, has, wants in wrong[:3])
        limit = f" by more than {bound}" if bound else ""
        raise Wrong(f"{len(wrong)} of {len(expected)} elements differ{limit}: {shown}")


def true(condition, otherwise):
    """A condition holds; the words say what it means that it does not."""
    if not condition:
        raise Wrong(otherwise)


def one_line(value):
    text = " ".join(str(value).split())
    return (text or type(value).__name__)[:500]


def run(about):
    """Makes all tests, one after the other, and ends the process."""
    print("TAP version 14")
    print(f"# {about}")
    print(f"# seed {SEED}")
    if ON_CPU:
        print("# CUDACHECK_TEST_DEVICE=cpu: NOTHING HERE IS ABOUT A GPU")
    print(f"1..{len(_tests)}")
    failed = 0
    for number, (name, sentence, function) in enumerate(_tests, 1):
        begun = time.monotonic()
        notes = []
        verdict, directive = "ok", ""
        try:
            function()
        except Skip as reason:
            directive = f" # SKIP {one_line(reason)}"
        except Wrong as wrong:
            verdict = "not ok"
            notes = [one_line(wrong)]
        except Exception as error:
            verdict = "not ok"
            notes = [f"{type(error).__name__}: {one_line(error)}"]
            notes += [line for line in traceback.format_exc().splitlines() if line.strip()][-12:]
        failed += verdict != "ok"
        milliseconds = (time.monotonic() - begun) * 1000
        escaped = f"{name}: {sentence}".replace("\\", "\\\\").replace("#", "\\#")
        print(f"{verdict} {number} - {escaped}{directive}")
        print("  ---")
        if notes:
            message = notes[0].replace("\\", "\\\\").replace('"', '\\"')
            print(f'  message: "{message}"')
        print(f"  duration_ms: {milliseconds:.1f}")
        if notes[1:]:
            print("  trace: |")
            for line in notes[1:]:
                print(f"    {line}")
        print("  ...")
        sys.stdout.flush()
    sys.exit(1 if failed else 0)
