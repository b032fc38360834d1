"""`gaitway bench model`: turns and medians by a clock moved by hand; the command end to end."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from trainer.bench.report import Machine, Report
from trainer.bench.timing import WARM_UPS, Contender, Plan, Speed, Spread, Windows, measure
from trainer.bench.view import show


class Track:
    """A clock that only contenders move, and the order in which they did."""

    def __init__(self) -> None:
        self.now = 100.0
        self.calls: list[tuple[str, int]] = []

    def clock(self) -> float:
        return self.now

    def contender(self, name: str, *seconds: float) -> Contender:
        """Take `seconds` for each call; of several, the n-th from the n-th counted call on."""
        taken = 0

        def classify(windows: Windows) -> None:
            nonlocal taken
            at = max(taken - WARM_UPS - 1, 0)  # one more call sees how long a call takes
            taken += 1
            self.now += seconds[min(at, len(seconds) - 1)]
            self.calls.append((name, len(windows)))

        return Contender(name, "by hand", classify)


def batch(count: int) -> Windows:
    return np.zeros((count, 200, 3), np.float32)


def names(calls: Sequence[tuple[str, int]]) -> str:
    return " ".join(f"{name}{count}" for name, count in calls)


def test_everyone_has_one_turn_a_round() -> None:
    track = Track()
    contenders = [track.contender("a", 1.0), track.contender("b", 2.0)]
    steps: list[str] = []
    plan = Plan(rounds=3)
    measure(
        contenders,
        [batch(1), batch(64)],
        plan,
        track.clock,
        step=lambda: steps.append(names(track.calls)),
    )
    warm = 4 * (WARM_UPS + 1)
    assert names(track.calls[warm:]) == " ".join(["a1 b1 a64 b64"] * 3)
    assert len(steps) == plan.steps(4) == 16
    assert len(set(steps)) == 16  # each says that something has happened


def test_medians_and_quartiles_ignore_a_busy_moment_and_warming_up() -> None:
    track = Track()
    slow_once = track.contender("a", 0.2, 0.1, 30.0, 0.4, 0.3)
    (speed,) = measure([slow_once], [batch(6)], Plan(rounds=5), track.clock)
    assert (speed.model, speed.runtime, speed.batch) == ("a", "by hand", 6)
    assert spread(speed.ms_per_batch) == pytest.approx((200, 300, 400))
    assert spread(speed.windows_per_s) == pytest.approx((15, 20, 30))
    assert speed.ratio is None


def spread(found: Spread) -> tuple[float, float, float]:
    return found.low, found.median, found.high


def test_ratios_are_to_the_reference_at_the_same_batch() -> None:
    track = Track()
    quick, reference = track.contender("quick", 0.25), track.contender("reference", 2.0)
    batches = [batch(1), batch(8)]
    found = measure([quick, reference], batches, Plan(3), track.clock, reference=reference)
    ratios = {(speed.model, speed.batch): speed.ratio for speed in found}
    assert list(ratios) == [("quick", 1), ("reference", 1), ("quick", 8), ("reference", 8)]
    assert list(ratios.values()) == pytest.approx([8, 1, 8, 1])


def test_quick_ones_are_called_often_in_a_turn() -> None:
    track = Track()
    quick, slow = track.contender("q", 2**-6), track.contender("s", 1.0)
    found = measure([quick, slow], [batch(1)], Plan(rounds=1, turn_s=2**-4), track.clock)
    assert names(track.calls[2 * (WARM_UPS + 1) :]) == "q1 q1 q1 q1 s1"
    assert [speed.ms_per_batch.median for speed in found] == pytest.approx([15.625, 1000])


def test_a_clock_that_stands_still_is_survived() -> None:
    track = Track()
    plan = Plan(rounds=1, turn_s=1e-5)
    (speed,) = measure([track.contender("a", 0.0)], [batch(1)], plan, track.clock)
    assert 0 < speed.windows_per_s.median < np.inf


def test_the_table_says_who_where_and_how_fast(capsys: pytest.CaptureFixture[str]) -> None:
    def speed(model: str, size: int, ratio: float | None) -> Speed:
        rate, ms = Spread(9000, 9500, 9800), Spread(6.5, 6.74, 7.1)
        return Speed(
            model=model, runtime="by hand", batch=size, windows_per_s=rate, ms_per_batch=ms,
            ratio=ratio,
        )  # fmt: skip

    speeds = [speed("pocket@12345678", 1, None), speed("[odd]", 64, 8.5)]
    machine = Machine("Some CPU @ 3 GHz", 2, "3.11.7", {"onnxruntime": "1.23"})
    report = Report(artifact="pocket@12345678", threads=1, rounds=5, machine=machine, speeds=speeds)
    show(report, Console(width=80))
    said = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert said[0] == "Some CPU @ 3 GHz, 2 cores; 1 thread"
    assert "1 pocket by hand 9,500 9,000–9,800 6.74" in said  # noqa: RUF001
    assert "64 [odd] by hand 9,500 9,000–9,800 6.74 8.50" in said  # noqa: RUF001


def gaitway(*words: str, before: str = "pass") -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, where TensorFlow has not started yet."""
    code = f"import sys; {before}; sys.argv = ['gaitway', *{words!r}]"
    command = [sys.executable, "-c", f"{code}; from stream.cli import main; main()"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def pairs(figures: Any) -> list[tuple[str, str, int]]:
    return [(one["model"], one["runtime"], one["batch"]) for one in figures["speeds"]]


def test_the_command_times_all_four(toy_artifact: Path, tmp_path: Path) -> None:
    file = tmp_path / "speed.json"
    done = gaitway(
        *("bench", "model", "--artifact", str(toy_artifact), "--batch", "2", "--batch", "2"),
        *("--rounds", "1", "--json", str(file)),
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "model.predict" in done.stdout
    figures = json.loads(file.read_text())
    assert (figures["threads"], figures["rounds"]) == (1, 1)
    assert {"onnxruntime", "tensorflow", "keras"} <= figures["machine"]["versions"].keys()
    assert pairs(figures) == [
        (figures["artifact"], "ONNX Runtime", 2),
        ("classic", "ONNX Runtime", 2),
        ("classic", "tf.function", 2),
        ("classic", "model.predict", 2),
    ]
    for one in figures["speeds"]:
        assert 0 < one["windows_per_s"]["low"] <= one["windows_per_s"]["median"]
        assert one["ratio"] > 0


def test_without_tensorflow_the_artifact_is_timed_alone(toy_artifact: Path, tmp_path: Path) -> None:
    file = tmp_path / "speed.json"
    # None in `sys.modules` is how Python marks a module as not to be found.
    done = gaitway(
        *("bench", "model", "--artifact", str(toy_artifact), "--rounds", "1", "--json", str(file)),
        before="sys.modules.update(tensorflow=None, keras=None)",
    )
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert said.startswith("only the artifact is timed: ")
    assert said.endswith("pip install '.[train]'")
    figures = json.loads(file.read_text())
    assert [(runtime, size) for _, runtime, size in pairs(figures)] == [
        ("ONNX Runtime", 1),
        ("ONNX Runtime", 64),
    ]
    assert all(one["ratio"] is None for one in figures["speeds"])


def test_a_missing_artifact_is_one_line(tmp_path: Path) -> None:
    done = gaitway("bench", "model", "--artifact", str(tmp_path / "nowhere"))
    assert done.returncode == 2
    file = tmp_path / "nowhere" / "manifest.json"
    assert done.stderr == f"gaitway: error: {file}: cannot be read: No such file or directory\n"


def test_figures_that_cannot_be_written_are_one_line(toy_artifact: Path) -> None:
    done = gaitway(
        *("bench", "model", "--artifact", str(toy_artifact), "--rounds", "1"),
        *("--json", "/nowhere/speed.json"),
        before="sys.modules.update(tensorflow=None, keras=None)",
    )
    assert done.returncode == 2
    assert "toy" in done.stdout  # the table is not lost
    last = done.stderr.splitlines()[-1]
    assert last.startswith("gaitway: error: --json /nowhere/speed.json: cannot be written: ")
