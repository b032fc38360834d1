"""Words of the data sets: one of the six activities, one of several, or none."""

import numpy as np

from stream.config import Signal
from trainer.labels import DISGUISES, NONE, NONE_OF_THE_SIX, PARTIAL, allowed, meanings, single
from trainer.recordings import ACTIVITIES, Recording, wisdm_2019
from trainer.windows import examples


def test_each_activity_means_itself() -> None:
    may_be = allowed(np.array(ACTIVITIES))
    np.testing.assert_array_equal(may_be, np.eye(6, dtype=bool))
    assert single(may_be).tolist() == list(range(6))


def test_stairs_are_up_or_down() -> None:
    may_be = allowed(np.array(["Stairs", "Walking", "Kicking"]))
    assert [[ACTIVITIES[at] for at in np.flatnonzero(row)] for row in may_be] == [
        ["Downstairs", "Upstairs"],
        ["Walking"],
        [],
    ]
    assert single(may_be).tolist() == [NONE, ACTIVITIES.index("Walking"), NONE]


def test_no_word_at_all() -> None:
    assert allowed(np.array([], np.str_)).shape == (0, 6)


def test_every_word_of_wisdm_2019_has_its_place() -> None:
    other = {word for word in wisdm_2019.LABELS.values() if not meanings(word)}
    assert other == set(DISGUISES) | NONE_OF_THE_SIX
    assert not set(DISGUISES) & NONE_OF_THE_SIX
    assert set(DISGUISES.values()) <= set(ACTIVITIES)
    assert all(set(activities) <= set(ACTIVITIES) for activities in PARTIAL.values())


def test_examples_keep_every_word_and_give_them_apart() -> None:
    t, xyz = np.arange(240) / 20, np.zeros((240, 3), np.float32)
    words = ("Stairs", "Sitting", "Kicking")
    recordings = [Recording("x", "1", "p", 20.0, t, xyz, np.full(240, word)) for word in words]
    found = examples(recordings, Signal())
    assert set(found.names.tolist()) == set(words)
    assert set(found.known().names.tolist()) == {"Stairs", "Sitting"}
    assert set(found.labelled().names.tolist()) == {"Sitting"}
    assert set(found.persons.tolist()) == {"x/1"}
