"""What adapting is worth, measured on windows that share no sample with what was adapted to."""

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from rich.console import Console

from tests.trainer import made
from tests.trainer import toy_graphs as toys
from trainer.errors import DataError
from trainer.labels import NONE
from trainer.personal.division import apart, chosen, divide
from trainer.personal.evaluate import Settings, evaluate, lifted, rows, scored_on, table
from trainer.personal.fit import PULL
from trainer.personal.fold_models import model_of
from trainer.personal.graph import Graph
from trainer.personal.material import Recorded, collect, numbers
from trainer.personal.measure import Person, Shares, everyone, measured, shares
from trainer.recordings import Recording


def people(count: int, each: int = 30, takes: int = 1) -> Recorded:
    """Return windows of people who do two activities and kick, around places of their own."""
    rng = np.random.default_rng(3)
    words = ["Walking", "Sitting", "Kicking"]
    place = {word: rng.normal(0, 3, 3) for word in words}
    names = np.repeat(np.array(words), each)
    one = np.stack([place[name] + rng.normal(0, 0.3, (200, 3)) for name in names])
    return Recorded(
        names=np.tile(names, count),
        datasets=np.full(count * len(names), "made"),
        subjects=np.repeat([str(at) for at in range(count)], len(names)),
        xyz=np.tile(one, (count, 1, 1)).astype(np.float32),
        recordings=np.arange(count * len(names)) // (each // takes),
    )


def test_half_is_taken_from_the_start_and_half_from_the_middle() -> None:
    labels = np.array([3] * 20 + [NONE] * 5 + [1] * 9 + [5] * 10)
    taken = chosen(labels, labels, 5)
    assert taken.tolist() == [0, 1, 2, 10, 11, 34, 35, 36, 39, 40]
    assert chosen(np.full(30, NONE), np.zeros(30, np.int64), 5).tolist() == []


def test_other_recordings_of_an_activity_are_scored_where_there_are_any() -> None:
    # Recording 1 is the first that has five windows, and may be shorter than ten.
    labels = np.array([3] * 4 + [3] * 7 + [3] * 6 + [5] * 20)
    recordings = np.repeat([0, 1, 2, 3], [4, 7, 6, 20])
    division = divide(labels, recordings, 5)
    assert division.taken.tolist() == [4, 5, 6, 8, 9, 17, 18, 19, 27, 28]
    assert division.scored.nonzero()[0].tolist() == [*range(4), *range(11, 17), 33, 34, 35, 36]
    assert division.same.nonzero()[0].tolist() == [33, 34, 35, 36]


def test_what_overlaps_is_not_scored() -> None:
    # Windows are 200 samples long and begin every 40: number 5 begins where number 0 ends.
    one = np.zeros(12, np.int64)
    assert apart(one, np.array([0, 11])).nonzero()[0].tolist() == [5, 6]
    assert apart(np.arange(12) // 6, np.array([5])).nonzero()[0].tolist() == [0, *range(6, 12)]


def test_a_person_is_lifted() -> None:
    graph = Graph(toys.rejecting(), "toy")
    found = measured(graph, people(1), 10)
    assert found is not None
    assert (found.dataset, found.subject, found.adapted) == ("made", "0", 20)
    assert (found.scored, found.same_recording) == (16, 16)  # windows 9, 10 and 24 to 29 of each
    assert found.after.right > found.before.right
    assert found.before.unsure is not None


def test_who_recorded_twice_is_scored_on_what_was_not_adapted_to() -> None:
    found = measured(Graph(toys.rejecting(), "toy"), people(1, takes=2), 10)
    assert found is not None
    assert (found.adapted, found.scored, found.same_recording) == (20, 30, 0)


def test_unknown_is_decided_as_the_server_does() -> None:
    # On four decimals 0.49996 is 0.5, which is enough, and 0.59996 is 0.6.
    rows = np.array([[0.49996, 0.1, 0.1, 0.1, 0.1, 0.10004], [0.3, 0.3, 0.1, 0.1, 0.1, 0.1]])
    found = shares(rows, np.array([0, NONE]), np.array([False, True]))
    assert found == Shares(right=1.0, lost=0.0, unsure=1.0)


def recording(
    t: NDArray[np.float64] | None, subject: str = "1", label: str = "Walking"
) -> Recording:
    xyz: NDArray[np.float32] = np.zeros((4, 3), np.float32)
    return Recording("made", subject, "phone", 20.0, t, xyz, np.full(4, label))


def test_what_a_short_break_divides_is_one_recording() -> None:
    t = np.arange(4) / 20
    rows = [
        recording(t),
        recording(t + 59),
        recording(t + 120),
        recording(t + 120.5, label="Sitting"),
        recording(t + 121, "2", "Sitting"),
        recording(t, "2", "Sitting"),
        recording(None, "2", "Sitting"),
        recording(None, "2", "Sitting"),
    ]
    assert numbers(rows).tolist() == [0, 0, 1, 2, 3, 4, 5, 6]
    assert numbers([]).tolist() == []


def test_everybody_is_measured_who_has_enough() -> None:
    graph, both = Graph(toys.rejecting(), "toy"), people(2)
    walks = both.where((both.names == "Walking") | (both.subjects == "1"))
    found = list(everyone([(graph, walks)], 10))
    assert [person.subject for person in found] == ["1"]


def test_the_table_names_the_worst_off_and_counts_who_falls() -> None:
    def person(subject: str, before: float, after: float, unsure: float | None) -> Person:
        first, second = Shares(before, 0.1, unsure), Shares(after, 0.02, unsure)
        return Person("made", subject, 20, 12, 0, first, second)

    people = [person("1", 0.5, 0.9, None), person("2", 0.9, 0.8, 0.75)]
    (row,) = rows(people)
    change = "0.100 → 0.020"
    assert row == (
        *("made", "2", "other recordings", "0.700 → 0.850", "1 0.500 → 2 0.800"),
        *(change, "0.750 → 0.750"),
    )
    assert lifted(people) == (
        "made 1, the worst off, goes from 0.500 to 0.900; 1 of 2 people fall."
    )
    assert scored_on([replace(people[0], same_recording=12)]) == "same recording"
    assert scored_on([people[0], replace(people[0], same_recording=6)]) == "same recording: 25%"


def test_eighty_columns_show_every_figure() -> None:
    before, after = Shares(0.635, 0.012, 0.911), Shares(0.893, 0.004, 0.872)
    file = io.StringIO()
    console = Console(width=80, file=file)
    console.print(table("a title", [Person("wisdm-2019", "1630", 20, 12, 12, before, after)]))
    shown = file.getvalue()
    assert all(figure in shown for figure in ("0.635 →", "0.893", "0.004", "0.872"))
    assert "…" not in shown


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_folds_are_trained_once_and_everybody_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    made.motionsense_folder(data, (1, 2), seconds=40)
    settings = Settings(tmp_path / "out", data, windows=4, epochs=1)
    card = evaluate(settings)
    assert card == tmp_path / "out" / "loso" / "ADAPT.md"
    assert "| motionsense | 2 | same recording | " in card.read_text()
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


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_trial_takes_a_few_whole_people_two_folds_and_one_epoch(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    made.wisdm_2019_zip(data, (1600, 1604, 1606, 1607, 1609), seconds=40)
    _, recorded = collect(data, 4, quick=True)
    assert recorded.people() == {"wisdm-2019": ["1600", "1604", "1606", "1607"]}
    assert len(recorded) == 4 * 3 * 15
    card = evaluate(Settings(tmp_path / "out", data, windows=4, quick=True))
    assert card == tmp_path / "out" / "quick" / "loso" / "ADAPT.md"
    kept = sorted((card.parent / "pocket").glob("*.onnx"))
    assert len(kept) == 2
    notes = json.loads(next(n.value for n in onnx.load(kept[0]).metadata_props))
    assert notes["epochs"] == 1


def test_nothing_is_trained_where_nobody_has_enough(tmp_path: Path) -> None:
    data = tmp_path / "data"
    made.motionsense_folder(data, (1, 2), seconds=30)
    for quick in (False, True):
        with pytest.raises(DataError, match="nobody has 40 windows of each of two activities"):
            evaluate(Settings(tmp_path / "out", data, windows=20, quick=quick))
    assert not (tmp_path / "out").exists()


def test_a_predictor_without_a_model_is_said() -> None:
    with pytest.raises(DataError, match="holds no Keras model"):
        model_of(lambda windows: windows)
