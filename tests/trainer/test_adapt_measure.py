"""What adapting is worth, measured on windows that share no sample with what was adapted to."""

import numpy as np

from tests.trainer import toy_graphs as toys
from trainer.adapt_measure import apart, chosen, everyone, measured
from trainer.graph import Graph
from trainer.labels import NONE
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
