"""`gaitway evaluate` from recordings to tables, with recipes that cost nothing."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.trainer import made
from trainer.errors import DataError, MissingError
from trainer.evaluation import made_up
from trainer.evaluation.evaluate import Plan, evaluate
from trainer.options import Protocol
from trainer.progress import Step
from trainer.recipes import RECIPES, Predict, Recipe
from trainer.windows import Examples

PNG = b"\x89PNG\r\n\x1a\n"


def nearest(part: Examples, seed: int, epochs: int | None, step: Step) -> Predict:
    """Remember how much each activity shakes, and answer with the nearest."""
    shaken = part.xyz.std(axis=(1, 2))
    masks = [part.labels == at for at in range(6)]
    usual = np.array([shaken[mask].sum() / max(int(mask.sum()), 1) for mask in masks])

    def predict(windows: NDArray[np.float32]) -> NDArray[np.float32]:
        chance = np.exp(-np.abs(windows.std(axis=(1, 2))[:, None] - usual))
        return np.asarray(chance / chance.sum(axis=1, keepdims=True), np.float32)

    return predict


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    made.motionsense_folder(folder, (1, 2, 4), seconds=25)
    made.wisdm_2019_zip(folder, (1600, 1607), seconds=25)
    return folder


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Two recipes under other names; every training puts its recipe's name on the list."""
    calls: list[str] = []

    def counted(name: str) -> Recipe:
        def fitted(part: Examples, seed: int, epochs: int | None, step: Step) -> Predict:
            calls.append(name)
            return nearest(part, seed, epochs, step)

        return Recipe(fitted, ())

    for name in ("one", "two"):
        monkeypatch.setitem(RECIPES, name, counted(name))
    return calls


def plan(tmp_path: Path, protocol: Protocol = Protocol.LODO, **options: Any) -> Plan:
    plain = Plan(protocol, ("one",), tmp_path / "out")
    return replace(plain, **options)


def test_side_by_side(
    data: Path, tmp_path: Path, trained: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    card = evaluate(plan(tmp_path, data=data, recipes=("one", "two"))).read_text()
    evaluate(plan(tmp_path, Protocol.SPLIT, data=data))
    evaluate(plan(tmp_path, Protocol.LOSO, data=data, groups=2))
    assert trained == ["one"] * 2 + ["two"] * 2 + ["one"] * 3
    assert "| lodo | one | wisdm-2019 | 2 |" in card
    assert "| lodo | two | all | 5 |" in card
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert {name: set(found) for name, found in metrics.items()} == {
        "lodo": {"one", "two"},
        "split": {"one"},
        "loso-2": {"one"},
    }
    found = metrics["lodo"]["one"]
    assert (found["folds"], found["folds_of_protocol"], found["seed"]) == (2, 2, 0)
    assert set(found["groups"]) == {"motionsense", "wisdm-2019", "all"}
    w19 = found["groups"]["wisdm-2019"]
    assert w19["windows"] > w19["labelled_windows"] > 0
    assert set(w19["accuracy_by_person"]) == {"wisdm-2019/1600", "wisdm-2019/1607"}
    assert w19["streams"]["changes"] + w19["streams"]["already_confirmed"] == 4
    assert [kind["word"] for kind in found["made_up"]] == list(made_up.KINDS)
    assert {kind["windows"] for kind in found["made_up"]} == {2 * made_up.EACH}
    assert "| lodo | one | shaken | 400 |" in card
    pictures = list((tmp_path / "out" / "lodo" / "one").glob("*.png"))
    assert len(pictures) == 6
    assert all(file.read_bytes().startswith(PNG) for file in pictures)
    said = capsys.readouterr().err
    assert "loso-2, one\n" in said
    assert "worst person" in said
    assert "made up, unsure: shaken" in said


def test_it_goes_on_where_it_was(data: Path, tmp_path: Path, trained: list[str]) -> None:
    card = evaluate(plan(tmp_path, data=data)).read_text()
    (tmp_path / "out" / "lodo" / "one" / "motionsense.npz").unlink()
    assert evaluate(plan(tmp_path, data=data)).read_text() == card
    assert trained == ["one"] * 3


def test_what_is_not_whole_is_said(
    data: Path, tmp_path: Path, trained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate(plan(tmp_path, data=data))
    (tmp_path / "out" / "lodo" / "one" / "motionsense.npz").unlink()
    monkeypatch.setitem(RECIPES, "one", Recipe(nearest, ("trainer.labels",)))
    card = evaluate(plan(tmp_path, data=data, recipes=("two",))).read_text()
    assert "| lodo | one (1 of 2 folds, older code) | wisdm-2019 |" in card


def test_folds_that_were_asked_about_other_made_up_windows_say_nothing_of_them(
    data: Path, tmp_path: Path, trained: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluate(plan(tmp_path, data=data))
    monkeypatch.setattr(made_up, "checksum", lambda: "other windows")
    card = evaluate(plan(tmp_path, data=data, recipes=("two",))).read_text()
    assert "| lodo | one | motionsense |" in card
    assert "| lodo | one | shaken |" not in card
    assert "| lodo | two | shaken |" in card
    evaluate(plan(tmp_path, data=data))
    assert trained == ["one"] * 2 + ["two"] * 2 + ["one"] * 2


def test_folds_of_different_ways_are_no_result(
    data: Path, tmp_path: Path, trained: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(plan(tmp_path, data=data))
    kept = (tmp_path / "out" / "lodo" / "one" / "motionsense.npz").read_bytes()
    evaluate(plan(tmp_path, data=data, seed=1))
    (tmp_path / "out" / "lodo" / "one" / "motionsense.npz").write_bytes(kept)
    card = evaluate(plan(tmp_path, data=data, recipes=("two",))).read_text()
    assert "lodo one: folds differ in seed" in " ".join(capsys.readouterr().err.split())
    assert "| lodo | one" not in card


def test_other_recordings_are_another_table(
    data: Path, tmp_path: Path, trained: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(plan(tmp_path, data=data))
    other = tmp_path / "other"
    made.motionsense_folder(other, (1, 2, 4), seconds=25)
    card = evaluate(plan(tmp_path, Protocol.SPLIT, data=other)).read_text()
    said = " ".join(capsys.readouterr().err.split())
    assert "lodo one: was measured on other recordings" in said
    assert "| split | one | motionsense |" in card
    assert "| lodo |" not in card


def test_a_trial_leaves_results_alone(data: Path, tmp_path: Path, trained: list[str]) -> None:
    card = evaluate(plan(tmp_path, Protocol.LOSO, data=data))
    before = card.read_text()
    trial = evaluate(plan(tmp_path, Protocol.LOSO, data=data, quick=True))
    assert len(trained) == 5 + 2
    assert trial != card
    assert card.read_text() == before
    assert "one (2 of 5 folds)" in trial.read_text()


def test_what_cannot_be_says_what_to_do(data: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="--groups 2: goes with --protocol loso alone"):
        evaluate(plan(tmp_path, data=data, groups=2))
    with pytest.raises(MissingError, match="gaitway data get"):
        evaluate(plan(tmp_path, data=tmp_path / "nowhere"))
    only = tmp_path / "only"
    made.motionsense_folder(only, (1, 2), seconds=12)
    with pytest.raises(DataError, match="lodo: needs two data sets at least; get another with"):
        evaluate(plan(tmp_path, data=only))
