"""Both recipes end to end on recordings that the tests make: `gaitway train --quick`."""

import json
from pathlib import Path

import numpy as np
import pytest

from stream.config import Signal
from stream.model.classifier import OnnxClassifier
from tests.trainer import made
from trainer.evaluation.answers import Answers
from trainer.evaluation.scores import scores
from trainer.options import Options
from trainer.recipes.pocket import FIRSTS, kept_back
from trainer.recipes.pocket import train as train_pocket
from trainer.recipes.wisdm_bilstm import completeness
from trainer.recipes.wisdm_bilstm import train as train_classic
from trainer.recordings import ACTIVITIES, LoadReport
from trainer.windows import Examples

# Keras 3.15 reads TensorFlow's variables in a way that numpy 2 has announced to drop.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PNG = b"\x89PNG\r\n\x1a\n"


def check_results(folder: Path, recipe: str, plots: set[str]) -> None:
    classifier = OnnxClassifier(folder, Signal())
    manifest = classifier.manifest
    assert manifest.name == recipe
    assert manifest.activities == tuple(sorted(ACTIVITIES))
    assert not set(manifest.split["train"]) & set(manifest.split["test"])
    assert json.loads((folder / "metrics.json").read_text()) == manifest.metrics
    card = (folder / "MODEL_CARD.md").read_text()
    assert f"`gaitway train --recipe {recipe} --quick`" in card
    assert {file.name for file in folder.glob("*.png")} == plots
    assert all(file.read_bytes().startswith(PNG) for file in folder.glob("*.png"))
    answered = classifier.classify(np.zeros((3, 200, 3), np.float32))
    np.testing.assert_allclose(answered.sum(axis=1), 1.0, rtol=1e-5)


def test_classic(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "WISDM_ar_v1.1_raw.txt"
    data.write_text(made.wisdm_v1_text((3, 30, 31), seconds=20) + "\n31,Walking,1,2,3,;")
    train_classic(Options(tmp_path / "out", data, quick=True))
    said = " ".join(capsys.readouterr().err.split())
    assert "1 x empty or missing z, left out" in said
    assert "a part of WISDM v1.1, 7,201 of 1,098,207 records" in said
    assert "training (115, 200, 3), test (55, 200, 3)" in said
    plots = {"class_counts", "records_by_user", "activities", "history", "confusion"}
    check_results(tmp_path / "out", "wisdm-bilstm", {f"{name}.png" for name in plots})
    assert (tmp_path / "out" / "model.keras").exists()


def test_pocket(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    data = tmp_path / "data"
    made.motionsense_folder(data, (3, 4), seconds=15)
    made.wisdm_2019_zip(data, (1600, 1607), seconds=15)
    train_pocket(Options(tmp_path / "out", data, quick=True))
    said = " ".join(capsys.readouterr().err.split())
    assert "goes on without it: no WISDM_ar_v1.1_raw.txt" in said
    groups = ("motionsense", "wisdm-2019", "all")
    plots = {"class_counts.png", "history.png", *(f"confusion_{name}.png" for name in groups)}
    check_results(tmp_path / "out", "pocket", plots)
    trained_on = OnnxClassifier(tmp_path / "out", Signal()).manifest.trained_on
    assert [(part.name, part.subjects) for part in trained_on] == [
        ("motionsense", ("3", "4")),
        ("wisdm-2019", ("1600", "1607")),
    ]


def test_nobody_is_kept_for_the_temperature_twice() -> None:
    people = np.array([str(number) for number in range(1, 19)] * 2)
    words = np.full(len(people), "Walking")
    windows = np.zeros((len(people), 200, 3), np.float32)
    part = Examples(words, np.full(len(people), "made"), people, windows)
    kept = [set(part.where(kept_back(part, first)).subjects.tolist()) for first in FIRSTS]
    assert kept == [{"4", "12"}, {"8", "16"}]


@pytest.mark.parametrize(
    ("found", "windows", "said"),
    [
        (29_006, 142, "a part of"),
        (1_098_207, 22_454, "the complete"),
        (1_098_204, 22_454, "the complete"),
        (1_098_207, 22_455, "WARNING"),
    ],
)
def test_the_complete_file_is_recognised(found: int, windows: int, said: str) -> None:
    assert completeness(LoadReport(found=found), windows).startswith(said)


def test_scores_name_the_worst_subject() -> None:
    answers = Answers(
        names=np.array(["Downstairs", "Downstairs", "Jogging", "Jogging"]),
        datasets=np.array(["a", "a", "a", "b"]),
        subjects=np.array(["1", "1", "2", "1"]),
        probabilities=np.eye(6, dtype=np.float32)[[0, 1, 1, 0]],
    )
    a, b, both = scores(answers)
    assert (a.group, b.group, both.group) == ("a", "b", "all")
    assert a.accuracy == pytest.approx(2 / 3)
    assert a.known.worst == ("a/1", 0.5)
    assert a.f1 == {"Downstairs": pytest.approx(2 / 3), "Jogging": pytest.approx(2 / 3)}
    assert both.known.worst == ("b/1", 0.0)
    assert both.metrics("split")["split_worst_subject_accuracy_all"] == 0.0
