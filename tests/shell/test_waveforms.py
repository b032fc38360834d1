"""Waveforms go to those who asked, and crowd out nothing: a slow listener loses them first."""

import json
from typing import Any

from websockets.asyncio.client import connect

from stream.journal.entries import Query
from stream.outbox import Outbox
from stream.service import Service
from tests.shell.test_hub import World, fed, frame
from tests.shell.test_publish import prediction, waiting
from tests.shell.test_websocket import frame as encoded
from tests.shell.test_websocket import receive, stream_url

WAVEFORM = frozenset({"waveform"})


def read(texts: list[str]) -> list[dict[str, Any]]:
    return [json.loads(text) for text in texts]


async def test_they_go_to_those_who_asked_and_nowhere_else() -> None:
    world = World()
    watching, other = Outbox(10), Outbox(10)
    publisher = world.hub.publisher
    with (
        publisher.listening(watching, Query(frozenset({"a"}), WAVEFORM)),
        publisher.listening(other, Query(types=frozenset({"status"}))),
    ):
        fed(world, "a")
        fed(world, "b")
    heard = read(await waiting(watching))
    assert [(m["type"], m["device"], m["session"], m["t0"]) for m in heard] == [
        ("waveform", "a", "s", 0.0)
    ]
    assert [m["type"] for m in read(await waiting(other))] == ["status", "status"]
    assert world.words("waveform") == []  # nor to MQTT
    assert publisher.history.newest == 0


def test_nothing_is_collected_while_nobody_watches() -> None:
    world = World()
    live, outbox = fed(world, "a"), Outbox(10)
    assert live._thinner is None
    with world.hub.publisher.listening(outbox, Query(types=WAVEFORM)):
        world.hub.take(live, frame(1, 20), 20)
        assert live._thinner is not None
    world.hub.take(live, frame(2, 20), 20)
    assert live._thinner is None
    assert not world.hub.publisher.watched("a")


async def test_a_slow_listener_loses_waveforms_and_no_event() -> None:
    world, slow = World(), Outbox(50)
    publisher = world.hub.publisher
    query = Query(types=frozenset({"waveform", "prediction"}))
    with publisher.listening(slow, query):
        lives = [fed(world, f"phone-{number}") for number in range(80)]
        for number in range(50):
            publisher.publish("a", prediction(number))
            for live in lives:
                world.hub.take(live, frame(number + 1, 10), 20)
        heard = read([await slow.take() for _ in range(60)])
        kinds = [message["type"] for message in heard]
        assert kinds == ["prediction"] * 50 + ["waveform"] * 10
        publisher.publish("a", prediction(50))
        kinds = [message["type"] for message in read(await waiting(slow))]
        assert kinds == ["prediction"] + ["waveform"] * 40  # before those that wait
    lost = 80 * 51 - 50  # at most one of each waits, and 50 in all
    assert f"gaitway_waveforms_missed_total {lost}.0".encode() in world.hub.metrics.render()


async def test_the_newest_waveform_takes_the_place_of_an_older_one() -> None:
    outbox = Outbox(10)
    assert [outbox.put_newest("a/s", text) for text in ("old", "new")] == [0, 1]
    assert outbox.put_newest("b/s", "other") == 0
    assert await waiting(outbox) == ["new", "other"]


async def test_a_goodbye_does_not_wait_for_waveforms() -> None:
    outbox = Outbox(10)
    outbox.put_newest("a/s", "picture")
    outbox.put("last words")
    outbox.close(1001, "going away")
    assert await outbox.take() == "last words"


async def test_over_a_socket(running: Service) -> None:
    async with (
        connect(f"{running.ws_url}/v1/events?type=waveform&device=b") as listener,
        connect(stream_url(running, device="a")) as a,
        connect(stream_url(running, device="b", session="t")) as b,
    ):
        await a.send(encoded(0))
        await b.send(encoded(0))
        heard = await receive(listener, "waveform")
    assert (heard["device"], heard["session"], heard["rate_hz"]) == ("b", "t", 20.0)
    assert len(heard["xyz"][0]) == 3


async def test_nobody_hears_them_unasked(running: Service) -> None:
    async with (
        connect(f"{running.ws_url}/v1/events") as listener,
        connect(stream_url(running, device="a")) as phone,
    ):
        await phone.send(encoded(0))
        await receive(phone, "ack")
        await phone.close()
        heard = []
        while "activity" not in heard:  # the session's end
            heard.append(json.loads(await listener.recv())["type"])
    assert "waveform" not in heard
