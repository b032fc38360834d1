"""Guided by coverage, makes up inputs for each target: python -m tests.fuzz.run --runs 100000.

What comes out is DeviceError or nothing, in 50 ms of processor time; else it ends with 1, and the
input lies in the working directory.
"""

import argparse
import os
import sys
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

import atheris

with atheris.instrument_imports(include=["stream"]):
    from tests.fuzz.targets import TARGETS, Target

HERE = Path(__file__).parent
MAX_MS = 50.0
LONGEST = 8192  # bytes of an input


class SlowError(Exception):
    """An input takes too long."""


class Watched:
    """Runs one target, and ends the process after `runs` inputs: libFuzzer would not come back."""

    def __init__(self, name: str, target: Target, runs: int) -> None:
        self._name, self._target, self._runs = name, target, runs
        self._count, self._slowest, self._began = 0, 0.0, time.monotonic()

    def __call__(self, data: bytes) -> None:
        ms = self._ms(data)
        if ms > MAX_MS:  # the first time it may have been the garbage collector's turn
            ms = min(ms, self._ms(data), self._ms(data))
        if ms > MAX_MS:
            raise SlowError(f"{ms:.0f} ms for {len(data)} bytes")
        self._count, self._slowest = self._count + 1, max(self._slowest, ms)
        if self._count == self._runs:
            seconds = time.monotonic() - self._began
            print(  # noqa: T201
                f"{self._name}: {self._count} inputs, {self._count / seconds:.0f}/s, "
                f"slowest {self._slowest:.1f} ms",
                flush=True,
            )
            os._exit(0)

    def _ms(self, data: bytes) -> float:
        began = time.thread_time()  # others may have the processor meanwhile
        self._target(data)
        return (time.thread_time() - began) * 1000


def fuzz(name: str, runs: int, seed: int, found: str) -> None:
    """Run one target in this process, which ends with it; inputs that teach go to `found`."""
    warnings.simplefilter("error")
    seeds = [HERE / "corpus" / name, HERE.parent / "data" / name.removesuffix("-tcp")]
    corpus = [found, *(str(folder) for folder in seeds if folder.is_dir())]
    options = [f"-seed={seed + 1}", f"-max_len={LONGEST}", "-timeout=10", "-verbosity=0"]
    atheris.Setup([sys.argv[0], *options, *corpus], Watched(name, TARGETS[name], runs))
    atheris.Fuzz()


def apart(name: str, runs: int, seed: int) -> bool:
    """Run one target in a process of its own; False where it found something."""
    with TemporaryDirectory() as found:
        child = os.fork()  # what is loaded and instrumented need not be so again
        if not child:
            fuzz(name, runs, seed, found)
        return os.waitpid(child, 0)[1] == 0


def main() -> int:
    """Run the targets asked for, one after another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000, help="inputs for each target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--target", choices=[*TARGETS], help="all where none is named")
    asked = parser.parse_args()
    names = [asked.target] if asked.target else [*TARGETS]
    fine = [apart(name, asked.runs, asked.seed) for name in names]
    return int(not all(fine))


if __name__ == "__main__":
    sys.exit(main())
