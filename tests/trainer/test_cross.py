"""Folds are trained once, picked up where they were stopped, and trained again if need be."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.trainer import made
from trainer.errors import DataError
from trainer.evaluation import answers, cross, made_up
from trainer.evaluation.folds import folds
from trainer.evaluation.material import Material, checksum, collect
from trainer.evaluation.streams import OPTIONS
from trainer.options import Protocol
from trainer.progress import Step
from trainer.recipes import Predict, Recipe
from trainer.windows import Examples


class Counting:
    """A recipe that answers by how much a window shakes, and counts how often it was trained."""

    def __init__(self) -> None:
        self.trained_on: list[set[str]] = []
        self.fails_after: int | None = None

    def __call__(self, part: Examples, seed: int, epochs: int | None, step: Step) -> Predict:
        if len(self.trained_on) == self.fails_after:
            raise DataError("stopped")
        self.trained_on.append(set(part.persons.tolist()))
        return shaking


def shaking(windows: NDArray[np.float32]) -> NDArray[np.float32]:
    shaken = windows.std(axis=(1, 2))[:, None]
    return np.asarray(np.hstack([shaken, np.ones((len(windows), 5))]) / (shaken + 5), np.float32)


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    folder = tmp_path_factory.mktemp("data")
    made.motionsense_folder(folder, (1, 2), seconds=24)
    made.wisdm_2019_zip(folder, (1600, 1607), seconds=24)
    return collect(folder, quick=False)


@pytest.fixture
def counting() -> Counting:
    return Counting()


def run(
    material: Material,
    how: Counting,
    folder: Path,
    settings: cross.Settings = cross.Settings(),  # noqa: B008  it is frozen
    code: tuple[str, ...] = (),
) -> list[cross.Task]:
    made_of = folds(material.everyone, Protocol.LOSO)
    wanted = list(cross.tasks(material, ("fake", Recipe(how, code)), made_of, settings, folder))
    cross.run(wanted, material, 1, "fake")
    return wanted


def test_each_fold_is_trained_without_its_person(
    material: Material, counting: Counting, tmp_path: Path
) -> None:
    everyone = set(material.everyone.persons.tolist())
    for task, trained_on in zip(
        run(material, counting, tmp_path), counting.trained_on, strict=True
    ):
        stored = task.stored()
        assert stored is not None
        for part in (stored.windows, stored.streams):
            assert len(part)
            assert set(part.persons.tolist()) == everyone - trained_on
            assert len(set(part.persons.tolist())) == 1
    assert len(counting.trained_on) == 4


def test_answers_are_those_of_the_right_windows(
    material: Material, counting: Counting, tmp_path: Path
) -> None:
    for task in run(material, counting, tmp_path):
        stored = task.stored()
        assert stored is not None
        asked = material.everyone.where(task.fold.test)
        np.testing.assert_array_equal(stored.windows.probabilities, shaking(asked.xyz))
        assert stored.windows.names.tolist() == asked.names.tolist()
        person = material.stream_windows.persons == asked.persons[0]
        asked_of_all = made_up.examples()
        np.testing.assert_array_equal(stored.made_up.probabilities, shaking(asked_of_all.xyz))
        assert stored.made_up.names.tolist() == asked_of_all.names.tolist()
        theirs = material.stream_windows.where(person)
        np.testing.assert_array_equal(stored.streams.probabilities, shaking(theirs.xyz))


def test_what_is_there_is_not_trained_again(
    material: Material, counting: Counting, tmp_path: Path
) -> None:
    counting.fails_after = 2
    with pytest.raises(DataError, match="stopped"):
        run(material, counting, tmp_path)
    assert len(counting.trained_on) == 2
    counting.fails_after = None
    run(material, counting, tmp_path)
    assert len(counting.trained_on) == 4
    run(material, counting, tmp_path)
    assert len(counting.trained_on) == 4


def test_whatever_answers_depend_on_has_them_trained_again(
    material: Material, counting: Counting, tmp_path: Path
) -> None:
    run(material, counting, tmp_path)
    run(material, counting, tmp_path, cross.Settings(seed=1))
    assert len(counting.trained_on) == 8
    run(material, counting, tmp_path, cross.Settings(seed=1, epochs=3))
    assert len(counting.trained_on) == 12
    run(material, counting, tmp_path, cross.Settings(seed=1, epochs=3), ("trainer.labels",))
    assert len(counting.trained_on) == 16
    other = replace(material, checksum="0")
    run(other, counting, tmp_path, cross.Settings(seed=1, epochs=3), ("trainer.labels",))
    assert len(counting.trained_on) == 20


def test_answers_without_made_up_windows_are_read_but_not_whole(
    material: Material, counting: Counting, tmp_path: Path
) -> None:
    task = run(material, counting, tmp_path)[0]
    with np.load(task.path) as arrays:
        kept = {name: arrays[name] for name in arrays.files if not name.startswith("made_up")}
    with task.path.open("wb") as file:
        np.savez_compressed(file, **kept)
    found = answers.load(task.path)
    assert found is not None
    assert (len(found.made_up), found.made_up_as) == (0, "")
    assert len(found.windows) > 0
    assert task.stored() is None


def test_half_a_file_never_counts(material: Material, counting: Counting, tmp_path: Path) -> None:
    wanted = run(material, counting, tmp_path)
    whole = wanted[0].path.read_bytes()
    wanted[0].path.write_bytes(whole[: len(whole) // 2])
    wanted[1].path.write_bytes(b"")
    wanted[2].path.unlink()
    assert [task.stored() is None for task in wanted] == [True, True, True, False]
    run(material, counting, tmp_path)
    assert len(counting.trained_on) == 7
    assert wanted[0].path.read_bytes() == whole
    assert not list(tmp_path.rglob("*.part"))


def test_a_write_that_fails_leaves_what_was_there(
    material: Material, counting: Counting, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = run(material, counting, tmp_path)[0]
    before, stored = task.path.read_bytes(), task.stored()
    assert stored is not None

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="no space"):
        answers.save(task.path, stored)
    assert task.path.read_bytes() == before
    assert not list(tmp_path.rglob("*.part"))


def test_processes_side_by_side_give_the_same(material: Material, tmp_path: Path) -> None:
    recipe = Recipe(by_shaking, ())
    made_of = folds(material.everyone, Protocol.LODO)
    found = []
    for jobs, folder in ((1, tmp_path / "one"), (2, tmp_path / "two")):
        wanted = list(cross.tasks(material, ("fake", recipe), made_of, cross.Settings(), folder))
        cross.run(wanted, material, jobs, "fake")
        found.append([task.stored() for task in wanted])
    for one, two in zip(*found, strict=True):
        assert one is not None
        assert two is not None
        np.testing.assert_array_equal(one.windows.probabilities, two.windows.probabilities)
        np.testing.assert_array_equal(one.streams.probabilities, two.streams.probabilities)


def by_shaking(part: Examples, seed: int, epochs: int | None, step: Step) -> Predict:
    return shaking


def test_the_checksum_follows_words_and_samples(material: Material) -> None:
    everyone = material.everyone
    words = replace(everyone, names=np.roll(everyone.names, 1))
    moved = replace(everyone, xyz=everyone.xyz + 1)
    assert checksum(everyone) == checksum(everyone.where(np.arange(len(everyone))))
    assert len({checksum(part) for part in (everyone, words, moved)}) == 3
    assert OPTIONS.signal.window == everyone.xyz.shape[1]
