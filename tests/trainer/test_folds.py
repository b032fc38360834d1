"""Folds: nobody is on both sides, everybody is measured, and those held out never appear."""

from pathlib import Path

import numpy as np
import pytest

from stream.config import Signal
from tests.trainer import made
from trainer import gather
from trainer.errors import DataError
from trainer.evaluation.folds import folds
from trainer.options import Protocol
from trainer.people import HELD_OUT, WISDM_2019_PEOPLE
from trainer.windows import Described, examples

PEOPLE = {"motionsense": [2, 4, 10, 12, 3], "wisdm-2019": [1600, 1607, 1615], "wisdm-v1.1": [4, 33]}


def everyone(people: dict[str, list[int]] | None = None) -> Described:
    """Describe three windows of each person; a number may stand in more than one data set."""
    known = PEOPLE if people is None else people
    pairs = [(name, str(one)) for name, numbers in known.items() for one in numbers] * 3
    datasets, subjects = (np.array(column) for column in zip(*pairs, strict=True))
    return Described(np.full(len(pairs), "Walking"), datasets, subjects)


CASES = [(Protocol.LOSO, None, 10), (Protocol.LOSO, 3, 3), (Protocol.LODO, None, 3)]


@pytest.mark.parametrize(("protocol", "groups", "count"), [*CASES, (Protocol.SPLIT, None, 1)])
def test_nobody_is_on_both_sides(protocol: Protocol, groups: int | None, count: int) -> None:
    known = everyone()
    made_of = folds(known, protocol, groups)
    assert len(made_of) == len({fold.name for fold in made_of}) == count
    for fold in made_of:
        trained, measured = (set(known.where(side).persons) for side in (fold.train, fold.test))
        assert trained
        assert measured
        assert not trained & measured
        assert trained | measured == set(known.persons)


@pytest.mark.parametrize(("protocol", "groups", "count"), CASES)
def test_everybody_is_measured_once(protocol: Protocol, groups: int | None, count: int) -> None:
    made_of = folds(everyone(), protocol, groups)
    assert (np.sum([fold.test for fold in made_of], axis=0) == 1).all()


def test_names_and_order() -> None:
    assert [fold.name for fold in folds(everyone(), Protocol.LOSO)][:6] == [
        *(f"motionsense-{number}" for number in (2, 3, 4, 10, 12)),
        "wisdm-2019-1600",
    ]
    assert [fold.name for fold in folds(everyone(), Protocol.LODO)] == sorted(PEOPLE)


def test_groups_hold_people_of_every_data_set() -> None:
    known = everyone()
    for fold in folds(known, Protocol.LOSO, 2):
        assert set(known.where(fold.test).datasets) == set(PEOPLE)
    names = [fold.name for fold in folds(known, Protocol.LOSO, 2)]
    assert names == ["group-1-of-2", "group-2-of-2"]


@pytest.mark.parametrize(
    ("protocol", "groups", "people", "said"),
    [
        (Protocol.LODO, None, {"motionsense": [1, 2]}, "lodo: needs two data sets at least"),
        (Protocol.LOSO, None, {"motionsense": [1]}, "loso: needs two people at least"),
        (Protocol.LOSO, 1, {"motionsense": [1, 2]}, "more than one group"),
        (Protocol.SPLIT, None, {"motionsense": [1, 2]}, r"split: .*found motionsense/1, motion"),
        (Protocol.SPLIT, None, {"motionsense": [4, 8]}, "some others"),
    ],
)
def test_too_few_people_are_an_error(
    protocol: Protocol, groups: int | None, people: dict[str, list[int]], said: str
) -> None:
    with pytest.raises(DataError, match=said):
        folds(everyone(people), protocol, groups)


def test_people_held_out_never_appear(tmp_path: Path) -> None:
    made.motionsense_folder(tmp_path, (18, 19, 24), seconds=12)
    made.wisdm_2019_zip(tmp_path, (1600, 1650), seconds=12)
    (tmp_path / "WISDM_ar_v1.1_raw.txt").write_text(made.wisdm_v1_text((19, 20), seconds=12))
    found = examples((one for _, items in gather.load(tmp_path) for one in items), Signal())
    assert found.people() == {"motionsense": ["18"], "wisdm-2019": ["1600"], "wisdm-v1.1": ["19"]}
    assert "Stairs" in found.names
    for dataset, subjects in found.people().items():
        assert not HELD_OUT.get(dataset, frozenset()) & set(subjects)
    assert set(found.people()["wisdm-2019"]) <= WISDM_2019_PEOPLE
