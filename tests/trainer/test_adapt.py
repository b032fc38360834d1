"""`gaitway adapt` on recordings that the tests make: what it writes, says, and refuses."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from stream import config
from stream.config import Signal
from stream.errors import ArtifactError, GaitwayError, ParameterError
from stream.model import artifact
from stream.model.classifier import OnnxClassifier
from tests.conftest import ACTIVITIES
from tests.trainer import toy_graphs as toys
from tests.trainer.made import moving
from trainer.errors import DataError
from trainer.personal.adapt import adapt
from trainer.personal.options import Plan
from trainer.personal.own_windows import own_windows
from trainer.personal.report import settings
from trainer.recordings import Recording, own


def record(folder: Path, *activities: str, seconds: float = 40.0, takes: int = 2) -> Path:
    """Write recordings of one person, a file for each activity and take."""
    folder.mkdir(parents=True, exist_ok=True)
    t = np.arange(int(seconds * 20)) / 20
    for activity in activities:
        for take in range(takes):
            rows = moving(activity, t, take).tolist()
            lines = [f"{when:.2f},{x},{y},{z}" for when, (x, y, z) in zip(t, rows, strict=True)]
            text = "\n".join(["t,x,y,z", *lines])
            (folder / f"{activity}-{take}.csv").write_text(text)
    return folder


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return toys.write_rejecting(tmp_path_factory.mktemp("base") / "toy")


def right(folder: Path, recordings: Path) -> float:
    """Return the share of windows of whole recordings that an artifact, as served, names right."""
    found = own_windows(own.load(recordings)[0], ACTIVITIES, Signal())
    answered = OnnxClassifier(folder, Signal()).classify(found.xyz)
    return float((answered.argmax(axis=1) == found.labels).mean())


def test_it_writes_an_artifact_that_knows_the_person(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = record(tmp_path / "mine", "Jogging", "Sitting", "Standing")
    folder = adapt(Plan("pixel-7", mine, base, tmp_path / "out"))
    assert right(base, mine) < 0.6
    assert right(folder, mine) > 0.9
    manifest = artifact.load(folder)
    assert manifest.name == "toy-pixel-7"
    assert manifest.activities == ACTIVITIES
    assert (manifest.trained_on[-1].name, manifest.trained_on[-1].subjects) == ("own", ("me",))
    assert manifest.split == {"adapted": ("own/me",)}
    metrics = manifest.metrics
    assert metrics["export_max_difference"] <= 1e-5
    assert (metrics["left_out_takes"], metrics["left_out_windows"]) == (6, 6 * 15)
    assert metrics["left_out_accuracy_before"] < 0.6 < metrics["left_out_accuracy_after"]
    assert json.loads((folder / "metrics.json").read_text()) == metrics
    card = (folder / "MODEL_CARD.md").read_text()
    assert manifest.model in card
    assert "gaitway adapt --device pixel-7" in card
    said = " ".join(capsys.readouterr().err.split())
    assert "90 windows: Jogging 30, Sitting 30, Standing 30" in said
    assert "on takes left out: 0." in said


def test_the_same_recordings_give_the_same_model(base: Path, tmp_path: Path) -> None:
    mine = record(tmp_path / "mine", "Walking", "Sitting", takes=1)
    names = {adapt(Plan("p", mine, base, tmp_path / name)).name for name in ("a", "b")}
    assert len({artifact.load(tmp_path / name).sha256 for name in names}) == 1
    again = adapt(Plan("p", mine, tmp_path / "a", tmp_path / "c"))
    assert artifact.load(again).name == "toy-p"


def test_what_is_missing_or_left_out_is_said(
    base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    mine = record(tmp_path / "mine", "Walking", "Sitting", takes=1)
    record(mine, "Jogging", seconds=14, takes=1)
    (mine / "Walking-0.csv").rename(mine / "walk.csv")
    dance = (mine / "Sitting-0.csv").read_text().splitlines()
    labels = ["label", *["Dancing"] * (len(dance) - 1)]
    rows = [f"{row},{label}" for row, label in zip(dance, labels, strict=True)]
    (mine / "other.csv").write_text("\n".join(rows))
    adapt(Plan("p", mine, base, tmp_path / "out", windows=8))
    said = " ".join(capsys.readouterr().err.split())
    assert "16 windows: Sitting 8, Walking 8" in said
    assert "left out: Dancing 15" in said
    assert "not recorded enough: Downstairs, Jogging, Standing, Upstairs" in said
    assert "not measured: no activity was recorded twice" in said


def two_people(folder: Path) -> Path:
    record(folder / "anna", "Walking", "Sitting")
    record(folder / "ben", "Walking", "Standing")
    return folder


def test_one_of_several_people_is_picked(base: Path, tmp_path: Path) -> None:
    folder = two_people(tmp_path / "both")
    with pytest.raises(DataError, match=r"has recordings of ben, anna.*choose with --subject ben"):
        adapt(Plan("p", folder, base, tmp_path / "out"))
    with pytest.raises(DataError, match=r"--subject cleo: .* has recordings of ben, anna"):
        adapt(Plan("p", folder, base, tmp_path / "out", ("cleo",)))
    assert not (tmp_path / "out").exists()
    adapt(Plan("p", folder, base, tmp_path / "out", ("anna",)))
    assert artifact.load(tmp_path / "out").split == {"adapted": ("own/anna",)}


def test_of_several_people_the_one_named_like_the_device_is_meant(
    base: Path, tmp_path: Path
) -> None:
    adapt(Plan("ben", two_people(tmp_path / "both"), base, tmp_path / "out"))
    assert artifact.load(tmp_path / "out").split == {"adapted": ("own/ben",)}


@pytest.mark.parametrize(
    ("activities", "seconds", "words"),
    [
        (("Walking",), 40.0, "too few windows: Walking 30; at least 5 of each of 2 activities"),
        (("Walking", "Sitting"), 16.0, "too few windows: Sitting 3, Walking 3"),
        (("Walking", "Sitting"), 5.0, "too few windows: none; .* record 28 s of each"),
    ],
)
def test_too_little_is_refused_with_what_to_do(
    base: Path, tmp_path: Path, activities: tuple[str, ...], seconds: float, words: str
) -> None:
    takes = 2 if seconds != 16.0 else 1
    mine = record(tmp_path / "mine", *activities, seconds=seconds, takes=takes)
    with pytest.raises(DataError, match=words) as error:
        adapt(Plan("p", mine, base, tmp_path / "out"))
    assert str(error.value).startswith(f"{mine}: ")
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("plan", "kind", "words"),
    [
        (Plan("a b", Path("x")), ParameterError, "device id 'a b'"),
        (Plan("p", Path("/nowhere")), DataError, "/nowhere: there is no such folder"),
        (Plan("p", Path("x"), Path("/nowhere")), ArtifactError, "/nowhere/manifest.json: cannot"),
        (Plan("p", Path("x"), Path("y"), Path("z/../y")), DataError, "is the artifact itself"),
    ],
)
def test_impossible_plans_are_refused(plan: Plan, kind: type[GaitwayError], words: str) -> None:
    with pytest.raises(kind, match=words):
        adapt(plan)


def test_the_settings_are_toml_that_the_server_reads() -> None:
    for device, folder in (("pixel-7", 'my "own"\\model'), ("a.b", "personal/ä")):
        plan = Plan(device, Path("x"), out=Path(folder))
        read = config.check(tomllib.loads(settings(plan)), "printed")
        assert read.devices == {device: config.Device(artifact=folder)}


def recording(labels: list[str]) -> Recording:
    xyz: NDArray[np.float32] = np.zeros((len(labels), 3), np.float32)
    return Recording("own", "me", "phone", 20.0, None, xyz, np.array(labels))


def test_windows_have_one_label_and_know_their_take() -> None:
    #   Walking  |---- 0 ----|---- 40 ---|  Sitting from 240: windows 2..6 are mixed
    first = recording(["Walking"] * 240 + ["Sitting"] * 240)
    found = own_windows([first, recording(["Walking"] * 200)], ACTIVITIES, Signal())
    assert [ACTIVITIES[at] for at in found.labels] == ["Walking"] * 2 + ["Sitting"] * 2 + [
        "Walking"
    ]
    assert found.takes.tolist() == [0, 0, 1, 1, 2]
    assert found.others == {"more than one label": 4}
    assert found.thinned(1).takes.tolist() == [0, 1]


def gaitway(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command where TensorFlow is not to be found."""
    code = (
        "import sys; sys.modules.update(tensorflow=None, keras=None);"
        f"sys.argv = ['gaitway', *{arguments!r}];"
        "from stream.cli import main; main()"
    )
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def test_the_command_needs_no_tensorflow_and_prints_settings_alone(
    base: Path, tmp_path: Path
) -> None:
    mine, out = record(tmp_path / "mine", "Walking", "Sitting"), tmp_path / "out"
    places = ("--recordings", str(mine), "--artifact", str(base), "--out", str(out))
    done = gaitway("adapt", "--device", "pixel-7", *places)
    assert done.returncode == 0, done.stderr
    assert tomllib.loads(done.stdout) == {"devices": {"pixel-7": {"artifact": str(out)}}}
    assert "Put this into config.toml" in done.stderr
    refused = gaitway("adapt", "--device", "pixel 7", *places)
    assert refused.returncode == 2
    assert refused.stderr.startswith("gaitway: error: device id 'pixel 7': 1 to 64 of")
    assert len(refused.stderr.splitlines()) == 1
