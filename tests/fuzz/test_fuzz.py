"""Inputs guided by coverage: read or refused, at once. In a process that libFuzzer may end."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.targets import TARGETS

pytest.importorskip("atheris", reason="atheris is for Linux on x86-64 only")
ROOT = Path(__file__).parents[2]


def python(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    """Run Python in the folder where what is found shall lie."""
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def runs_all(folder: Path, runs: int) -> None:
    done = python(folder, "-m", "tests.fuzz.run", "--runs", str(runs))
    print(done.stdout)  # noqa: T201  seen where the test fails, or with -s
    assert done.returncode == 0, done.stderr[-4000:]
    found = re.findall(rf"^([\w-]+): {runs} inputs", done.stdout, re.MULTILINE)
    assert found == [*TARGETS]
    assert not list(folder.iterdir())


def test_some_thousand_inputs_of_each_kind(tmp_path: Path) -> None:
    runs_all(tmp_path, 1500)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_a_million_inputs(tmp_path: Path) -> None:
    runs_all(tmp_path, -(-1_000_000 // len(TARGETS)))


def test_a_crash_and_a_slow_input_would_be_seen(tmp_path: Path) -> None:
    for body, word in [("raise KeyError(data)", "KeyError"), ("sum(range(9**8))", "SlowError")]:
        code = (
            "from tests.fuzz import run\n"
            f"def bad(data):\n    if len(data) > 2: {body}\n"
            "run.TARGETS['wire-text'] = bad\n"
            "import sys; sys.argv[1:] = ['--target', 'wire-text']; sys.exit(run.main())"
        )
        done = python(tmp_path, "-c", code)
        assert done.returncode == 1
        assert word in done.stdout
    assert list(tmp_path.glob("crash-*"))
