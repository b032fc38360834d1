"""What is said of a phone: each text once in ten minutes, and no more texts remembered than 16."""

from stream.dial.said import MAX_SAID, REPEAT_S, Said


class Clock:
    """Time that a test moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_faults_that_alternate_are_each_said_once_in_ten_minutes() -> None:
    clock = Clock()
    said, told = Said(clock), []
    for second in range(0, 1200, 5):
        clock.now = 1000.0 + second
        told += [(second, text) for text in ("no sensor", "no network") if said.due(text)]
    assert told == [(s, text) for s in (0, 600) for text in ("no sensor", "no network")]


def test_what_is_held_back_by_another_was_not_said() -> None:
    clock = Clock()
    said = Said(clock)
    assert said.due("a refusal", 5.0)
    assert not said.due("another refusal", 5.0)
    assert said.due("the connection broke")  # what waits for nothing
    clock.now += 4.9
    assert not said.due("another refusal", 5.0)
    clock.now += 0.1
    assert said.due("another refusal", 5.0)


def test_what_is_remembered_is_bounded() -> None:
    clock = Clock()
    said = Said(clock)
    assert said.due("often")
    for n in range(10 * MAX_SAID):
        clock.now += 1.0
        assert said.due(f"once {n}")
        assert not said.due("often")  # what goes on is not what is forgotten
    assert len(said._said) == MAX_SAID
    assert not said.due(f"once {n}")
    assert said.due("once 0")  # forgotten, so said again
    clock.now = 1000.0 + REPEAT_S
    assert said.due("often")
