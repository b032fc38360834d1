"""Windows and splits: the server's own windows, and no person on both sides."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.preprocessing import RobustScaler

from stream.config import Signal
from stream.signal.resample import Resampler
from stream.signal.window import Windower
from tests.trainer import made
from trainer import gather
from trainer.errors import DataError
from trainer.people import HELD_OUT, TEST, WISDM_2019_PEOPLE, is_test, may_train
from trainer.recipes.plain_windows import modes, part, windows
from trainer.recipes.wisdm_bilstm import split
from trainer.recordings import ACTIVITIES, Recording
from trainer.recordings.wisdm_v1 import parse, recordings
from trainer.windows import cut, examples

SIGNAL = Signal()


def recording(
    dataset: str = "x", subject: str = "1", *, count: int = 900, timed: bool = True
) -> Recording:
    t = np.arange(count) / 20.0
    labels = np.full(count, "Walking")
    xyz = made.moving("Walking", t, 3)
    return Recording(dataset, subject, "phone", 20.0, t if timed else None, xyz, labels)


def test_windows_are_the_servers() -> None:
    one = recording()
    assert one.t is not None
    resampler, windower = Resampler(SIGNAL), Windower(SIGNAL)
    served = []
    for at in range(0, len(one), 7):  # as a phone would send them
        stretches = resampler.feed(one.t[at : at + 7], one.xyz[at : at + 7])
        served += [window for stretch in stretches for window in windower.feed(stretch)]
    trained = cut(one, SIGNAL)
    assert len(trained) == len(served) > 10
    for ours, theirs in zip(trained, served, strict=True):
        np.testing.assert_array_equal(ours.xyz, theirs.xyz)


def test_untimed_recordings_pass_bit_for_bit() -> None:
    one = recording(timed=False)
    for window in cut(one, SIGNAL):
        np.testing.assert_array_equal(window.xyz, one.xyz[window.start : window.end])


def test_a_window_gets_its_most_frequent_label_or_none() -> None:
    one = recording(count=480)
    labels = np.where(np.arange(480) < 290, "Walking", "Jogging")
    mixed = Recording("x", "1", "phone", 20.0, one.t, one.xyz, labels)
    found = examples([mixed], SIGNAL)
    assert found.names.tolist() == ["Walking"] * 5 + ["Jogging"] * (len(found) - 5)
    assert [ACTIVITIES[at] for at in found.labels] == found.names.tolist()
    with pytest.raises(DataError, match="one window of 200"):
        examples([recording(count=199)], SIGNAL)


def test_no_person_is_on_both_sides(tmp_path: Path) -> None:
    made.motionsense_folder(tmp_path, (3, 4, 5, 8), seconds=15)
    made.wisdm_2019_zip(tmp_path, (1600, 1607), seconds=15)
    found = [item for _, items in gather.load(tmp_path) for item in items]
    everyone = examples(found, SIGNAL)
    test = is_test(everyone.datasets, everyone.subjects)
    trained, measured = everyone.where(~test).people(), everyone.where(test).people()
    assert trained == {"motionsense": ["3", "5"], "wisdm-2019": ["1600"]}
    assert measured == {"motionsense": ["4", "8"], "wisdm-2019": ["1607"]}


@pytest.mark.parametrize(
    ("dataset", "subject"),
    [("motionsense", str(n)) for n in range(19, 25)]
    + [("wisdm-v1.1", "20"), ("wisdm-2019", "1650")],
)
def test_people_held_out_are_never_trained_on(dataset: str, subject: str) -> None:
    assert not may_train(recording(dataset, subject))


def test_the_recipe_leaves_them_out_of_a_complete_download(tmp_path: Path) -> None:
    made.motionsense_folder(tmp_path, (18, 19, 24), seconds=1)
    made.wisdm_2019_zip(tmp_path, (1600, 1650), seconds=1)
    (tmp_path / "WISDM_ar_v1.1_raw.txt").write_text(made.wisdm_v1_text((19, 20), seconds=1))
    found = dict(gather.load(tmp_path))
    people = {name: {item.subject for item in items} for name, items in found.items()}
    assert people == {"motionsense": {"18"}, "wisdm-2019": {"1600"}, "wisdm-v1.1": {"19"}}


def test_the_lists_of_people_do_not_overlap() -> None:
    assert not any(TEST[name] & HELD_OUT[name] for name in HELD_OUT)
    assert TEST["wisdm-2019"] < WISDM_2019_PEOPLE


def test_the_classic_split_and_scaler_see_training_users_only() -> None:
    table, _ = parse(made.wisdm_v1_text((29, 30, 31), seconds=12))
    training, test = split(table)
    assert set(training.users.tolist()) == {29, 30}
    assert set(test.users.tolist()) == {31}
    scaler = RobustScaler().fit(training.xyz.astype(np.float64))
    side = part(training, scaler, SIGNAL)
    middle = np.median(training.xyz, axis=0)
    spread = np.subtract(*np.percentile(training.xyz, [75, 25], axis=0))
    np.testing.assert_allclose(side.scaled, (side.raw.xyz - middle) / spread, atol=1e-4)
    with pytest.raises(DataError, match="users 31: some up to 30"):
        split(test)


def test_plain_windows_are_the_tutorials() -> None:
    xyz = np.arange(3 * 500, dtype=np.float32).reshape(500, 3)
    labels = np.array([0] * 130 + [5] * 370)
    cut_up = windows(xyz, SIGNAL)
    assert cut_up.shape == (len(range(0, 500 - 200, 40)), 200, 3)
    np.testing.assert_array_equal(cut_up[3], xyz[120:320])
    expected = [np.bincount(labels[at : at + 200]).argmax() for at in range(0, 300, 40)]
    assert modes(labels, SIGNAL).tolist() == expected


@pytest.mark.parametrize("records", [898_321, 898_360])
def test_the_complete_file_gives_the_published_shape(records: int) -> None:
    # 898,321 to 898,360 training records are what (22454, 200, 3) takes.
    assert len(range(0, records - 200, 40)) == 22_454


@pytest.mark.skipif("GAITWAY_DATA" not in os.environ, reason="GAITWAY_DATA is not set")
def test_slow_users_come_at_their_own_speed() -> None:
    path = Path(os.environ["GAITWAY_DATA"]) / "WISDM_ar_latest.tar.gz"
    from trainer.recordings.wisdm_v1 import load_table  # noqa: PLC0415

    table, report = load_table(path)
    slow = [item for item in recordings(table, report) if item.subject == "17"]
    seconds = sum(item.t[-1] - item.t[0] for item in slow if item.t is not None)
    found = examples(slow, SIGNAL)
    assert len(found) * SIGNAL.hop / SIGNAL.grid_hz == pytest.approx(seconds, rel=0.1)
