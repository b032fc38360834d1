"""Devices and listeners over real sockets, word for word as the protocol has it."""

import asyncio
import json
import threading
from contextlib import suppress
from typing import Any

import httpx
import numpy as np
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from stream.doors.websocket import MAX_UNACKED
from stream.service import Service
from stream.wire.binary import encode_binary
from tests.dialling import metric, until

RNG = np.random.default_rng(7)
SAMPLES = RNG.normal([0, 9, 0], 3, (800, 3)).astype(np.float32)


def frame(seq: int, count: int = 40) -> str:
    """Frame number `seq` of a stream that is cut every 40 samples."""
    xyz = SAMPLES[seq * 40 : seq * 40 + count].tolist()
    return json.dumps({"type": "samples", "seq": seq, "xyz": xyz})


async def receive(socket: ClientConnection, kind: str) -> dict[str, Any]:
    """Return the next message of this type; others are passed over."""
    async with asyncio.timeout(10):
        while True:
            message: dict[str, Any] = json.loads(await socket.recv())
            if message["type"] == kind:
                return message


async def acked(socket: ClientConnection, seq: int) -> None:
    while (await receive(socket, "ack"))["seq"] < seq:
        pass


async def close_code(socket: ClientConnection) -> int:
    async with asyncio.timeout(10):
        with suppress(ConnectionClosed):
            while True:
                await socket.recv()
    assert socket.close_code is not None
    return socket.close_code


def stream_url(running: Service, **query: str) -> str:
    options = "&".join(f"{key}={value}" for key, value in query.items())
    return f"{running.ws_url}/v1/stream?{options}"


async def test_welcome_then_acks_then_predictions(running: Service) -> None:
    async with connect(stream_url(running, device="pixel-7")) as phone:
        welcome = await receive(phone, "welcome")
        assert welcome["device"] == "pixel-7"
        assert (welcome["next_seq"], welcome["window"], welcome["hop"]) == (0, 200, 40)
        for seq in range(6):
            await phone.send(frame(seq))
        await acked(phone, 5)
        numbers = [(await receive(phone, "prediction"))["window"] for _ in range(2)]
    assert numbers == [0, 1]


async def test_prediction_says_what_the_protocol_promises(running: Service) -> None:
    async with connect(stream_url(running, device="a", session="s1")) as phone:
        for seq in range(5):
            await phone.send(frame(seq))
        prediction = await receive(phone, "prediction")
    assert prediction["id"] == "a/s1/0"
    assert (prediction["start"], prediction["end"], prediction["t"]) == (0, 200, [0.0, 10.0])
    assert prediction["time"].endswith("Z")
    assert sum(prediction["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    assert prediction["confidence"] == max(prediction["probabilities"].values())


async def test_text_and_binary_frames_give_the_same(running: Service) -> None:
    answers = []
    for device, binary in (("text", False), ("binary", True)):
        async with connect(stream_url(running, device=device)) as phone:
            for seq in range(5):
                xyz = SAMPLES[seq * 40 : seq * 40 + 40]
                await phone.send(encode_binary(seq, xyz) if binary else frame(seq))
            answers.append((await receive(phone, "prediction"))["probabilities"])
    assert answers[0] == pytest.approx(answers[1], abs=1e-6)


async def test_resumes_where_it_was_cut_off(running: Service) -> None:
    async with connect(stream_url(running, device="a", session="s")) as phone:
        for seq in range(3):
            await phone.send(frame(seq))
        await acked(phone, 2)
        phone.transport.abort()
    async with connect(stream_url(running, device="a", session="s")) as phone:
        assert (await receive(phone, "welcome"))["next_seq"] == 3
        for seq in range(2, 5):  # frame 2 is repeated: dropped, and acked
            await phone.send(frame(seq))
        assert (await receive(phone, "prediction"))["id"] == "a/s/0"


async def test_since_repeats_what_came_after(running: Service) -> None:
    async with connect(stream_url(running, device="a", session="s")) as phone:
        for seq in range(7):
            await phone.send(frame(seq))
        first = [await receive(phone, "prediction") for _ in range(3)]
        phone.transport.abort()
    async with connect(stream_url(running, device="a", session="s", since=first[0]["id"])) as phone:
        assert [await receive(phone, "prediction") for _ in range(2)] == first[1:]


async def test_since_may_be_of_an_older_session(running: Service) -> None:
    async with connect(stream_url(running, device="a", session="old")) as phone:
        for seq in range(7):
            await phone.send(frame(seq))
        first = [await receive(phone, "prediction") for _ in range(3)]
        await phone.close()
    for query in ({}, {"session": "new"}):
        since = first[1]["id"]
        async with connect(stream_url(running, device="a", since=since, **query)) as phone:
            assert await receive(phone, "prediction") == first[2]
            while (await receive(phone, "activity"))["id"] != "a/old/close/ended":
                pass


async def test_a_namesake_on_another_channel_is_not_heard(running: Service) -> None:
    async with (
        httpx.AsyncClient(base_url=running.http_url) as client,
        connect(stream_url(running, device="a", session="s")) as phone,
    ):
        for seq in range(7):
            await client.post("/v1/frames?device=a&session=s", content=frame(seq))
        await phone.send(frame(0))
        heard = [json.loads(await phone.recv())["type"] for _ in range(2)]
    assert heard == ["welcome", "ack"]


async def test_unknown_since_is_said(running: Service) -> None:
    async with connect(stream_url(running, device="a", since="a/old/3")) as phone:
        assert (await receive(phone, "missed"))["count"] >= 1


async def test_skipped_frames_are_taken_and_named(running: Service) -> None:
    async with connect(stream_url(running, device="a")) as phone:
        await phone.send(frame(0))
        await phone.send(frame(4))
        for seq in range(5, 10):
            await phone.send(frame(seq))
        advice = ""
        while "skipped" not in advice:
            advice = (await receive(phone, "quality"))["advice"]
    assert "3 frames" in advice


NONSENSE = [
    "not json",
    '{"type": "samples", "seq": 0}',
    '{"type": "samples", "xyz": [[1, 2, 3]]}',
    '{"type": "samples", "seq": -1, "xyz": [[1, 2, 3]]}',
    '{"type": "samples", "seq": 4294967296, "xyz": [[1, 2, 3]]}',
    '{"type": "samples", "seq": 0, "xyz": [[1, 2]]}',
    '{"type": "samples", "seq": 0, "xyz": [[1, 2, 1e9]]}',
    '{"type": "samples", "seq": 0, "xyz": [[1, 2, NaN]]}',
    '{"type": "samples", "seq": 0, "t": [1, 2], "xyz": [[1, 2, 3]]}',
    '{"type": "samples", "seq": 0, "xyz": "abc"}',
    '{"type": "else", "seq": 0}',
    b"",
    b"\x01" * 30,
    encode_binary(0, np.full((1, 3), np.nan)),
    encode_binary(0, np.ones((2, 3)))[:-1],
]


@pytest.mark.parametrize("payload", NONSENSE)
async def test_nonsense_gets_an_error_and_disturbs_nobody(
    running: Service, payload: str | bytes
) -> None:
    async with (
        connect(stream_url(running, device="good")) as good,
        connect(stream_url(running, device="bad")) as bad,
    ):
        await good.send(frame(0))
        await bad.send(payload)
        error = await receive(bad, "error")
        assert error["code"] == "bad-frame"
        assert error["message"]
        await good.send(frame(1))
        await acked(good, 1)
        await bad.send(frame(1))
        await acked(bad, 1)


async def test_a_refused_frame_is_consumed(running: Service) -> None:
    async with connect(stream_url(running, device="a")) as phone:
        await phone.send('{"type": "samples", "seq": 0, "xyz": [[1, 2, 1e9]]}')
        error = await receive(phone, "error")
        assert error["seq"] == 0
        await acked(phone, 0)


async def test_mixed_time_is_named(running: Service) -> None:
    async with connect(stream_url(running, device="a")) as phone:
        await phone.send(frame(0))
        await phone.send('{"type": "samples", "seq": 1, "t": [5.0], "xyz": [[1, 2, 3]]}')
        assert (await receive(phone, "error"))["code"] == "mixed-time"


async def test_who_sends_faster_than_the_disk_writes_is_held_back(
    running: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, hangs = running.hub.journal.store, threading.Event()
    commit = store.commit

    def hanging(*group: Any) -> None:
        hangs.wait(30)
        commit(*group)

    monkeypatch.setattr(store, "commit", hanging)
    async with connect(stream_url(running, device="a")) as phone:
        await receive(phone, "welcome")
        for seq in range(2 * MAX_UNACKED):
            await phone.send(encode_binary(seq, SAMPLES[:2]))
        live = running.hub.current("websocket", "a")
        assert live is not None
        async with asyncio.timeout(10):
            while live.session.next_seq <= MAX_UNACKED:  # noqa: ASYNC110  nothing says so
                await asyncio.sleep(0)
        for name in "bcd":  # others come in; there is time to take more of the first
            async with connect(stream_url(running, device=name)) as other:
                await receive(other, "welcome")
        assert live.session.next_seq == MAX_UNACKED + 1
        hangs.set()
        await acked(phone, 2 * MAX_UNACKED - 1)


async def test_ten_bad_frames_in_a_row_close(running: Service) -> None:
    async with connect(stream_url(running, device="a")) as phone:
        for _ in range(9):
            await phone.send("{}")
        await phone.send(frame(0))
        for _ in range(10):
            await phone.send("{}")
        assert await close_code(phone) == 1008


async def test_too_big_closes_with_1009(running: Service) -> None:
    async with connect(stream_url(running, device="a")) as phone:
        with suppress(ConnectionClosed):  # the server may close while we still send
            await phone.send(b"\x00" * 10_000_000)
        assert await close_code(phone) == 1009
    refused = 'gaitway_frames_refused_total{channel="websocket",code="too-big"}'
    await until(lambda: metric(running, refused) == 1)


@pytest.mark.parametrize(
    "query",
    [
        "",
        "device=a/b",
        "device=a%23",
        "device=%2B",
        "device=" + "a" * 65,
        "device=-a",
        "device=a&session=b/c",
        "device=a&units=furlongs",
        "device=a&axes=up",
        "device=a&rate_hz=0",
        "device=a&rate_hz=nan",
    ],
)
async def test_bad_parameters_close_with_1008(running: Service, query: str) -> None:
    async with connect(f"{running.ws_url}/v1/stream?{query}") as phone:
        assert await close_code(phone) == 1008


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("stream?devise=a", "'devise' is no parameter here, known are device, session, since, "),
        ("stream?device=a&token=gw-1", "'token' is no parameter here, known are device, session"),
        ("events?wndow=3", "'wndow' is no parameter here, known are device, type, since"),
        ("events?device=a&limit=3", "'limit' is no parameter here, known are device, type, since"),
    ],
)
async def test_a_mistyped_parameter_is_named(running: Service, path: str, reason: str) -> None:
    async with connect(f"{running.ws_url}/v1/{path}") as socket:
        assert await close_code(socket) == 1008
        assert (socket.close_reason or "").startswith(reason)


async def test_a_second_connection_replaces_the_first(running: Service) -> None:
    async with connect(stream_url(running, device="a", session="s")) as first:
        await first.send(frame(0))
        await acked(first, 0)
        async with connect(stream_url(running, device="a", session="s")) as second:
            assert await close_code(first) == 4000
            assert (await receive(second, "welcome"))["next_seq"] == 1
            await second.send(frame(1))
            await acked(second, 1)


async def test_closing_with_1000_ends_the_activity(running: Service) -> None:
    url = f"{running.ws_url}/v1/events?device=a&type=activity"
    async with connect(url) as listener:
        async with connect(stream_url(running, device="a", session="s")) as phone:
            await phone.send(frame(0))
            await acked(phone, 0)
        ended = await receive(listener, "activity")
    assert (ended["id"], ended["event"]) == ("a/s/close/ended", "ended")


async def test_a_hasty_goodbye_loses_nothing(running: Service) -> None:
    """What was sent before the close is taken, though nobody reads the acks any more."""
    url = f"{running.ws_url}/v1/events?device=a&type=activity,prediction"
    async with connect(url) as listener:
        async with connect(stream_url(running, device="a", session="s")) as phone:
            for seq in range(12):
                await phone.send(frame(seq))
        numbers = [(await receive(listener, "prediction"))["window"] for _ in range(8)]
        heard = [(await receive(listener, "activity"))["id"]]
        while heard[-1] != "a/s/close/ended":
            heard.append((await receive(listener, "activity"))["id"])
    assert numbers == list(range(8))


async def test_events_come_in_pairs_and_states_come_first(running: Service) -> None:
    async with connect(stream_url(running, device="a", session="s")) as phone:
        still = RNG.normal([0, 9.8, 0], 0.01, (400, 3))
        for seq in range(10):
            await phone.send(encode_binary(seq, still[seq * 40 : seq * 40 + 40]))
        ended, started = [await receive(phone, "activity") for _ in range(2)]
        assert (ended["event"], ended["activity"]) == ("ended", "Unknown")
        assert (started["event"], started["previous"]) == ("started", "Unknown")
        assert started["id"] == "a/s/2/started"  # it is sure of each
        async with connect(f"{running.ws_url}/v1/events") as listener:
            state = await receive(listener, "state")
    assert (state["device"], state["status"]) == ("a", "online")
    assert state["activity"] == started["activity"]


async def test_a_listener_hears_only_what_it_asked_for(running: Service) -> None:
    async with (
        connect(f"{running.ws_url}/v1/events?device=b&type=prediction") as listener,
        connect(stream_url(running, device="a")) as a,
        connect(stream_url(running, device="b")) as b,
    ):
        for seq in range(5):
            await a.send(frame(seq))
            await b.send(frame(seq))
        assert (await receive(listener, "prediction"))["device"] == "b"


async def test_an_unknown_type_is_refused(running: Service) -> None:
    async with connect(f"{running.ws_url}/v1/events?type=gossip") as listener:
        assert await close_code(listener) == 1008


async def test_a_wrong_path_is_not_found(
    running: Service, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await connect(f"{running.ws_url}/v1/strem?device=a")
    response = refused.value.response
    assert response.status_code == 404
    assert response.body is not None
    assert "/v1/strem: no WebSocket is here; /v1/stream" in response.body.decode()
    assert caplog.messages == []  # whoever asks for it fills no log
