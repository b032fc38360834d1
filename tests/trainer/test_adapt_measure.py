"""What adapting is worth, measured on windows that share no sample with what was adapted to."""

import json
from pathlib import Path

import numpy as np
import pytest

from tests.trainer import made
from tests.trainer import toy_graphs as toys
from trainer.errors import DataError
from trainer.labels import NONE
from trainer.personal.evaluate import Settings, evaluate, lifted, rows
from trainer.personal.fit import PULL
from trainer.personal.fold_models import model_of
from trainer.personal.graph import Graph
from trainer.personal.measure import Person, Shares, apart, chosen, everyone, measured
from trainer.windows import Examples


def people(count: int, each: int = 30) -> Examples:
    """Return windows of people who do two activities and kick, around places of their own."""
    rng = np.random.default_rng(3)
    words = ["Walking", "Sitting", "Kicking"]
    place = {word: rng.normal(0, 3, 3) for word in words}
    names = np.repeat(np.array(words), each)
    one = np.stack([place[name] + rng.normal(0, 0.3, (200, 3)) for name in names])
    return Examples(
        names=np.tile(names, count),
        datasets=np.full(count * len(names), "made"),
        subjects=np.repeat([str(at) for at in range(count)], len(names)),
        xyz=np.tile(one, (count, 1, 1)).astype(np.float32),
    )


def test_half_is_taken_from_the_start_and_half_from_the_middle() -> None:
    labels = np.array([3] * 20 + [NONE] * 5 + [1] * 9 + [5] * 10)
    taken = chosen(labels, 5)
    assert taken.tolist() == [0, 1, 2, 10, 11, 34, 35, 36, 39, 40]
    assert chosen(np.full(30, NONE), 5).tolist() == []


def test_what_overlaps_is_not_scored() -> None:
    # Windows are 200 samples long and begin every 40: number 5 begins where number 0 ends.
    assert apart(12, np.array([0, 11])).nonzero()[0].tolist() == [5, 6]


def test_a_person_is_lifted() -> None:
    graph = Graph(toys.rejecting(), "toy")
    found = measured(graph, people(1), 10)
    assert found is not None
    assert (found.dataset, found.subject, found.adapted) == ("made", "0", 20)
    assert found.scored == 4 + 8  # windows 9, 10, 24, 25 and 39, 40, 54 to 59
    assert found.after.right > found.before.right
    assert found.before.unsure is not None


def test_everybody_is_measured_who_has_enough() -> None:
    graph, both = Graph(toys.rejecting(), "toy"), people(2)
    walks = both.where((both.names == "Walking") | (both.subjects == "1"))
    found = list(everyone([(graph, walks)], 10))
    assert [person.subject for person in found] == ["1"]


def test_the_table_names_the_worst_off_and_counts_who_falls() -> None:
    def person(subject: str, before: float, after: float, unsure: float | None) -> Person:
        first, second = Shares(before, 0.1, unsure), Shares(after, 0.02, unsure)
        return Person("made", subject, 20, 12, first, second)

    people = [person("1", 0.5, 0.9, None), person("2", 0.9, 0.8, 0.75)]
    (row,) = rows(people)
    change = "0.100 → 0.020"
    assert row == (
        *("made", "2", "0.700 → 0.850", "1 0.500 → 2 0.800"),
        *(change, "0.750 → 0.750"),
    )
    assert lifted(people) == (
        "made 1, the worst off, goes from 0.500 to 0.900; 1 of 2 people fall."
    )


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_folds_are_trained_once_and_everybody_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    made.motionsense_folder(data, (1, 2), seconds=40)
    settings = Settings(tmp_path / "out", data, windows=4, epochs=1)
    card = evaluate(settings)
    assert card == tmp_path / "out" / "loso" / "ADAPT.md"
    assert "| motionsense | 2 | " in card.read_text()
    found = json.loads((card.parent / "adapt.json").read_text())
    people = found["pulls"][f"{PULL:g}"]
    assert [(one["dataset"], one["subject"]) for one in people] == [
        ("motionsense", "1"),
        ("motionsense", "2"),
    ]
    kept = sorted((card.parent / "pocket").glob("*.onnx"))
    assert [path.stem for path in kept] == ["motionsense-1", "motionsense-2"]
    before = [path.stat().st_mtime_ns for path in kept]
    evaluate(settings)
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert "the worst off" in capsys.readouterr().err


def test_a_predictor_without_a_model_is_said() -> None:
    with pytest.raises(DataError, match="holds no Keras model"):
        model_of(lambda windows: windows)
