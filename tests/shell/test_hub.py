"""Sessions and devices over time; time moves by hand."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from stream import config
from stream.errors import DeviceError, InferenceError, OverloadedError, TooManyError
from stream.events import Error, Message
from stream.hub import Hub
from stream.journal.groups import Group
from stream.journal.history import History
from stream.journal.journal import Journal
from stream.live import Live
from stream.metrics import Metrics
from stream.model.batcher import Batcher, Deliver
from stream.model.models import Model, Models
from stream.outbox import Outbox
from stream.publish import Publisher
from stream.session import SessionOptions
from stream.wire import Frame


class Unused:
    def classify(self, windows: NDArray[np.float32]) -> NDArray[np.float32]:
        raise AssertionError(windows)


class Held(Batcher):
    """A batcher that answers when told."""

    def __init__(self) -> None:
        super().__init__(Unused(), config.Batcher())
        self.asked: list[Deliver] = []

    def submit(self, xyz: NDArray[np.float32], deliver: Deliver) -> None:
        self.asked.append(deliver)

    def answer(self) -> None:
        for deliver in self.asked:
            deliver(np.array([0.9, 0.1], np.float32))
        self.asked.clear()


class Instant(Journal):
    """A journal whose commits are always done."""

    def __init__(self) -> None:
        super().__init__(config.Journal(), Metrics())
        self.opened, self.problem = True, None

    def then(self, group: int, call: Callable[[], None]) -> None:
        call()

    def forget(self) -> None:
        """Drop what a real one would have written."""
        self._group = Group(self.next_input)


class World:
    """A hub with a clock of its own, and all that it published."""

    def __init__(self, options: config.Hub | None = None) -> None:
        self.now = 1000.0
        self.heard: list[tuple[str, Message]] = []
        self.batcher = Held()
        tracker = config.Tracker(confirm_sum=1.8)  # two answers
        shared = SessionOptions(("Sitting", "Walking"), "toy@0", tracker=tracker)
        metrics = Metrics()
        journal = Instant()
        publisher = Publisher(History(journal), metrics)
        publisher.add_sink(lambda device, message, _channel: self.heard.append((device, message)))
        clock: Callable[[], float] = lambda: self.now  # noqa: E731
        self.hub = Hub(
            options or config.Hub(),
            Models(Model(shared, self.batcher)),
            publisher,
            metrics,
            clock=clock,
            utc=clock,
            journal=journal,
        )

    def words(self, kind: str) -> list[str]:
        """Return ids or statuses of what was published, by type."""
        found = [m for _, m in self.heard if m.__struct_config__.tag == kind]
        return [getattr(m, "id", "") or getattr(m, "status", "") for m in found]

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.hub.sweep()


def frame(seq: int | None, count: int = 40, session: str | None = None) -> Frame:
    xyz = np.random.default_rng(seq).normal(9, 1, (count, 3)).astype(np.float32)
    return Frame(seq, None, None, xyz, session)


def fed(world: World, device: str, channel: str = "mqtt") -> Live:
    """Return the session of a device that has sent a second of samples."""
    live = world.hub.open(channel, device, "s")
    world.hub.take(live, frame(0, 20), 20)
    return live


def test_online_while_connected_and_ten_seconds_after_the_last_frame() -> None:
    world = World()
    live, outbox = world.hub.open("websocket", "a"), Outbox(10)
    world.hub.attach(live, outbox)
    assert world.words("status") == ["online"]
    world.wait(60)
    world.hub.take(live, frame(0), 20)
    world.hub.detach(live, outbox, done=False)
    world.wait(9)
    assert world.words("status") == ["online"]
    world.wait(2)
    assert world.words("status") == ["online", "offline"]


def test_a_session_expires_and_ends_its_activity() -> None:
    world = World()
    live = world.hub.open("mqtt", "a", "s")
    world.hub.take(live, frame(0), 20)
    world.wait(599)
    assert world.hub.open("mqtt", "a", "s") is live
    world.wait(2)
    assert world.words("activity") == ["a/s/close/ended"]
    assert world.hub.open("mqtt", "a", "s").session.next_seq == 0


def test_an_expired_connection_is_asked_to_come_back() -> None:
    world = World()
    live, outbox = world.hub.open("websocket", "a"), Outbox(10)
    world.hub.attach(live, outbox)
    world.hub.take(live, frame(0), 20)
    world.wait(601)
    assert outbox.closed is not None
    assert outbox.closed.code == 1001


def test_the_end_waits_for_the_last_predictions() -> None:
    world = World()
    live = world.hub.open("mqtt", "a", "s")
    for seq in range(6):
        world.hub.take(live, frame(seq), 20)
    world.hub.end(live)
    assert world.words("activity") == []
    world.batcher.answer()
    assert world.words("prediction") == ["a/s/0", "a/s/1"]
    assert world.words("activity") == ["a/s/1/ended", "a/s/1/started", "a/s/close/ended"]


def test_seq_0_opens_a_new_session_unless_it_is_a_repeat() -> None:
    hub = World().hub
    first = hub.locate("mqtt", "a", None, 0, b"zero")
    hub.take(first, frame(0), 20)
    assert hub.locate("mqtt", "a", None, 0, b"zero") is first
    assert hub.locate("mqtt", "a", None, 1, b"one") is first
    second = hub.locate("mqtt", "a", None, 0, b"other zero")
    assert second is not first
    assert hub.locate("mqtt", "a", None, None, b"no seq") is second


def test_channels_have_sessions_of_their_own() -> None:
    hub = World().hub
    assert hub.open("mqtt", "a", "s") is not hub.open("http", "a", "s")


def test_a_window_without_an_answer_is_said() -> None:
    world = World()
    live = world.hub.open("mqtt", "a", "s")
    for seq in range(5):
        world.hub.take(live, frame(seq), 20)
    world.batcher.asked[0](InferenceError("broken"))
    errors = [m for _, m in world.heard if isinstance(m, Error)]
    assert [error.code for error in errors] == ["inference-failed"]


def test_the_idlest_session_makes_room() -> None:
    world = World(config.Hub(max_sessions=2))
    for name in ("a", "b", "c"):
        world.hub.take(world.hub.open("mqtt", name, "s"), frame(0), 20)
    assert world.words("activity") == ["a/s/close/ended"]


def test_no_room_for_more_connected_sessions() -> None:
    world = World(config.Hub(max_sessions=1))
    world.hub.attach(world.hub.open("websocket", "a"), Outbox(10))
    with pytest.raises(OverloadedError, match="1 sessions"):
        world.hub.open("websocket", "b")


def test_devices_longest_away_are_forgotten() -> None:
    world = World(config.Hub(max_devices=2))
    for name in ("a", "b", "c"):
        world.hub.end(fed(world, name))
        world.wait(11)
    assert [device.name for device in world.hub.devices] == ["b", "c"]


def test_a_refused_frame_counts_in_its_own_session() -> None:
    hub = World().hub
    first = hub.open("http", "a", "A")
    hub.take(first, frame(0), 20)
    error = DeviceError("nonsense", seq=50)
    other, _ = hub.refuse_unplaced("http", "a", "B", b"junk", error)
    assert other is not None
    assert (other.session.id, other.session.next_seq) == ("B", 51)
    assert first.session.next_seq == 1


def test_a_refused_frame_0_opens_the_session_that_a_good_one_would() -> None:
    hub = World().hub
    old = hub.locate("mqtt", "a", None, 0, b"zero")
    hub.take(old, frame(0), 20)
    new, _ = hub.refuse_unplaced("mqtt", "a", None, b"NaN", DeviceError("nonsense", seq=0))
    assert new is not old
    assert hub.current("mqtt", "a") is new


def test_a_resumed_session_is_the_current_one() -> None:
    hub = World().hub
    a, b = hub.open("mqtt", "d", "A"), hub.open("mqtt", "d", "B")
    assert hub.current("mqtt", "d") is b
    assert hub.open("mqtt", "d", "A") is a
    assert hub.current("mqtt", "d") is a


def test_a_name_reused_while_its_session_ends_begins_a_session_of_its_own() -> None:
    world = World()
    old = world.hub.open("websocket", "a", "s")
    for seq in range(5):
        world.hub.take(old, frame(seq), 20)
    world.hub.end(old)  # waits for its window
    new = world.hub.open("websocket", "a", "s")
    world.batcher.answer()
    assert world.words("activity") == ["a/s/close/ended"]
    assert world.hub.open("websocket", "a", "s") is new
    world.hub.take(new, frame(0), 20)
    world.wait(601)
    assert world.words("activity") == ["a/s/close/ended"] * 2


def test_who_only_ever_sent_nonsense_is_not_listed_and_is_forgotten() -> None:
    world = World()
    world.hub.refuse_unplaced("mqtt", "a", None, b"NaN", DeviceError("nonsense", seq=0))
    assert (list(world.hub.devices), world.heard) == ([], [])
    assert world.hub.devices.find("a") is None
    world.wait(601)
    world.wait(1)
    assert b"gaitway_devices 0.0" in world.hub.metrics.render()


def test_nonsense_of_a_device_that_is_known_shows_that_it_is_here() -> None:
    world = World()
    live = fed(world, "a")
    world.wait(11)
    world.hub.refuse(live, "mqtt", DeviceError("nonsense", seq=1))
    assert world.words("status") == ["online", "offline", "online"]


def test_who_connects_and_says_nothing_is_listed_while_connected() -> None:
    world = World()
    live, outbox = world.hub.open("websocket", "a"), Outbox(10)
    world.hub.attach(live, outbox)
    assert [device.name for device in world.hub.devices] == ["a"]
    world.hub.detach(live, outbox, done=True)
    assert list(world.hub.devices) == []


def test_a_device_with_a_session_is_not_forgotten() -> None:
    world = World(config.Hub(max_devices=1))
    world.hub.take(world.hub.open("mqtt", "a", "s"), frame(0), 20)
    world.wait(60)
    with pytest.raises(TooManyError):
        world.hub.open("mqtt", "b", "s")


def test_nothing_is_taken_while_stopping() -> None:
    hub = World().hub
    live = hub.open("mqtt", "a", "s")
    hub.stopping = True
    with pytest.raises(OverloadedError):
        hub.take(live, frame(0), 20)
    assert live.session.next_seq == 0
