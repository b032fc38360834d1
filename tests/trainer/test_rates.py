"""`gaitway evaluate-rates`: a movement sampled another way is the same movement, and is counted."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from stream.model.artifact import SHIPPED
from tests.trainer import made
from trainer.errors import DataError
from trainer.rates.agreement import agreement, agreements
from trainer.rates.movement import Movement
from trainer.rates.pairs import Pairs
from trainer.rates.run import Plan, evaluate, everyone, measured
from trainer.rates.variants import AGAINST, RATES_HZ, VARIANTS, Variant, sent
from trainer.recordings import Recording

PNG = b"\x89PNG\r\n\x1a\n"
SECONDS = 30.0


def tone(hz: float, t: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.stack([np.sin(2 * np.pi * hz * t + axis) for axis in range(3)], 1).astype(np.float32)


def recording(hz: float, rate_hz: float = 20.0, begin: float = 1000.0) -> Recording:
    t = begin + np.arange(round(SECONDS * rate_hz)) / rate_hz
    return Recording("x", "1", "phone", rate_hz, t, tone(hz, t), np.full(len(t), "Walking"))


def stream(
    variant: Variant, rate_hz: float = 20.0
) -> tuple[NDArray[np.float64], NDArray[np.float32]]:
    """Return all times and readings that a variant sends of a tone of 2 Hz."""
    one = recording(2.0, rate_hz)
    frames = list(sent(one, Movement(one), variant, np.random.default_rng(0)))
    t = np.concatenate([frame.t for frame in frames if frame.t is not None])
    return t, np.concatenate([frame.xyz for frame in frames])


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("hz", [0.5, 3.0, 8.0])
def test_between_samples_a_tone_goes_on(hz: float, rate_hz: float) -> None:
    t = 1000 + np.arange(2 * rate_hz, (SECONDS - 2) * rate_hz) / rate_hz  # its ends are guessed
    found = Movement(recording(hz)).sampled(t, rate_hz)
    np.testing.assert_allclose(found, tone(hz, t), atol=0.02)


def test_it_goes_through_every_sample() -> None:
    one = recording(9.0)
    found = Movement(one).sampled(Movement(one).t, 60.0)
    np.testing.assert_allclose(found, one.xyz, atol=1e-3)


@pytest.mark.parametrize(("hz", "left"), [(3.0, 1.0), (8.0, 1.0), (14.0, 0.0), (20.0, 0.0)])
def test_a_slower_phone_sees_nothing_above_half_its_rate(hz: float, left: float) -> None:
    one = recording(hz, rate_hz=50.0)
    t = 1002 + np.arange(20 * 20) / 20
    size = Movement(one).sampled(t, 20.0).std() * np.sqrt(2)
    assert size == pytest.approx(left, abs=0.06)


def test_jitter_is_a_fifth_of_the_interval_and_stamped_truly() -> None:
    t, xyz = stream(Variant("j", 60.0, jittered=True))
    late = (t - 1000) * 60 - np.arange(len(t))
    inner = late[1:-1]
    assert 0.15 < np.abs(inner).max() <= 0.2 + 1e-6
    middle = slice(120, -120)
    np.testing.assert_allclose(xyz[middle], tone(2.0, t[middle]), atol=0.02)


def test_stamps_may_hide_jitter_or_be_whole_milliseconds() -> None:
    counted, moved = stream(Variant("c", 60.0, jittered=True, stamps="counted"))
    np.testing.assert_allclose(np.diff(counted), 1 / 60)
    assert np.abs(moved - tone(2.0, counted)).max() > 0.02
    whole, _ = stream(Variant("m", 60.0, stamps="ms"))
    np.testing.assert_array_equal(whole, np.round(whole, 3))


def test_rounding_is_to_a_tenth() -> None:
    _, xyz = stream(Variant("r", 60.0, rounded=True))
    np.testing.assert_allclose(xyz * 10, np.round(xyz * 10), atol=1e-4)


def test_frames_last_a_tenth_to_five_seconds_and_lose_nothing() -> None:
    one = recording(2.0)
    frames = list(sent(one, Movement(one), Variant("f", cut=True), np.random.default_rng(0)))
    assert [frame.seq for frame in frames] == list(range(len(frames)))
    lasting = [len(frame.xyz) / 20 for frame in frames[:-1]]
    assert 0.1 <= min(lasting) <= max(lasting) <= 5.05
    np.testing.assert_array_equal(np.concatenate([frame.xyz for frame in frames]), one.xyz)


def pairs(*rows: tuple[str, str, str, str, float, float]) -> Pairs:
    """Make pairs of (word, subject, before, after, confidence before, confidence after)."""
    names, subjects, before, after, sure, then = (
        np.array(column) for column in zip(*rows, strict=True)
    )
    same = np.full(len(rows), "x")
    apart = np.where(after == "", np.nan, 0.5)
    return Pairs(names, same, subjects, same, same, before, after, sure, then, apart)


def test_shares_by_hand() -> None:
    found = agreement(
        pairs(
            ("Walking", "1", "Walking", "Walking", 0.9, 0.9),
            ("Walking", "1", "Walking", "Upstairs", 0.9, 0.55),
            ("Sitting", "2", "Sitting", "Standing", 0.9, 0.9),
            ("Sitting", "2", "Unknown", "Unknown", 0.4, 0.4),
            ("Sitting", "2", "Unknown", "Sitting", 0.4, 0.9),
            ("Sitting", "2", "Sitting", "", 0.9, np.nan),
        )
    )
    assert (found.windows, found.missing) == (5, 1)
    assert found.kept == pytest.approx(2 / 5)
    assert found.by_person == pytest.approx({"1": 1 / 2, "2": 1 / 3})
    assert found.worst[0] == "2"
    assert found.worst[1] == pytest.approx(1 / 3)
    assert found.by_word == pytest.approx({"Walking": 1 / 2, "Sitting": 1 / 3})
    assert found.changes == {
        "Walking → Upstairs": 1,
        "Sitting → Standing": 1,
        "Unknown → Sitting": 1,
    }
    assert found.unsure == pytest.approx(2 / 3)
    assert found.difference == pytest.approx(0.5)
    assert not found.enough


def test_words_of_others_are_a_group_of_their_own() -> None:
    rows = [(word, "1", "Sitting", "Sitting", 0.9, 0.9) for word in ("Soup", "Sitting", "Stairs")]
    six, others = agreements(pairs(*rows))
    assert (six.group, six.windows, six.enough) == ("x", 2, True)
    assert (others.group, others.windows) == ("x, others", 1)


def of_four(data: Path, seconds: float) -> Path:
    made.motionsense_folder(data, (1, 2), seconds)
    made.wisdm_2019_zip(data, (1600, 1607), seconds)
    return data


@pytest.fixture
def plan(tmp_path: Path, toy_artifact: Path) -> Plan:
    return Plan(toy_artifact, tmp_path / "out", of_four(tmp_path / "data", seconds=14))


def test_from_recordings_to_figures(plan: Plan, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(evaluate(plan).read_text())
    assert found["model"].startswith("toy@")
    assert set(found["against"]) == set(AGAINST)
    for against in found["against"].values():
        assert set(against) == {"motionsense", "wisdm-2019"}
        for group in against.values():
            assert list(group) == [variant.name for variant in VARIANTS]
    of_recorded = found["against"]["recorded"]["motionsense"]
    assert of_recorded["recorded, in frames"]["kept"] == 1.0
    assert of_recorded["recorded, in frames"]["difference"] == 0.0
    assert set(of_recorded["200 Hz"]["by_person"]) == {"1", "2"}
    assert found["against"]["20 Hz"]["wisdm-2019"]["20 Hz"]["kept"] == 1.0
    pictures = sorted(plan.folder.glob("*.png"))
    assert [path.name for path in pictures] == ["kept_20_Hz.png", "kept_recorded.png"]
    assert all(path.read_bytes().startswith(PNG) for path in pictures)
    said = capsys.readouterr().err
    assert "against the stream recorded" in said
    assert "200 Hz, all at once" in said


def test_processes_side_by_side_give_the_same(plan: Plan) -> None:
    people = everyone(plan)
    one, two = (measured(replace(plan, jobs=jobs), people) for jobs in (1, 2))
    for mine, other in zip(one.columns(), two.columns(), strict=True):
        np.testing.assert_array_equal(mine, other)


def test_a_trial_leaves_results_alone(plan: Plan) -> None:
    path = evaluate(replace(plan, quick=True))
    assert path == plan.out / "quick" / "metrics.json"
    assert not (plan.out / "metrics.json").exists()


def test_too_short_recordings_are_named(plan: Plan, tmp_path: Path) -> None:
    short = tmp_path / "short"
    made.motionsense_folder(short, (1,), seconds=5)
    with pytest.raises(DataError, match="long enough for one window"):
        evaluate(replace(plan, data=short))


def test_people_who_walk_keep_it_with_the_model_that_ships(tmp_path: Path) -> None:
    """Long enough that one window on the edge of an activity doesn't decide."""
    plan = Plan(SHIPPED, tmp_path / "out", of_four(tmp_path / "data", seconds=40))
    found = list(agreements(measured(plan, everyone(plan))))
    assert len(found) == len(AGAINST) * 2 * len(VARIANTS)
    assert min(one.kept for one in found) >= 0.9
