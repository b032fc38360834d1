"""A load run finds what a server loses, doubles or makes up."""

import pytest

from clients import UnreachableError, load_phone
from clients.load import Load, load
from clients.load_report import Report
from stream.errors import ParameterError
from tests.clients.conftest import Peer, Talk
from tests.clients.made import prediction
from tests.conftest import free_port

FRAMES = 20  # of 1 s: windows 0 to 5 are complete with frames 9, 11, … 19


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_phone, "LAST_S", 0.2)


async def run(peer: Peer, phones: int = 1) -> Report:
    options = Load(peer.url, phones=phones, seconds=FRAMES, speed=100)
    return await load(options, None, lambda _: None)


async def answer(talk: Talk, *windows: int, acked: int = FRAMES) -> None:
    await talk.welcome()
    await talk.take(acked)
    for _ in range(FRAMES - acked):
        await talk.frame()
    for window in windows:
        await talk.send(prediction(window))
    await talk.until_closed()


async def test_nothing_lost(peer: Peer) -> None:
    peer.follow(lambda talk: answer(talk, 0, 1, 2, 3, 4, 5))
    report = await run(peer)
    assert report.lossless
    assert (report.frames, report.expected, report.predictions) == (20, 6, 6)
    assert report.server is None
    assert peer.talks[0].query == {"device": "load-00000"}


async def test_a_missing_a_doubled_and_an_extra_window(peer: Peer) -> None:
    peer.follow(lambda talk: answer(talk, 0, 1, 1, 2, 3, 4, 6))
    report = await run(peer)
    assert not report.lossless
    assert (report.missing, report.doubled, report.extra) == (1, 1, 1)
    assert (report.unacked, report.disconnected) == (0, 0)


async def test_frames_that_are_not_acked(peer: Peer) -> None:
    peer.follow(lambda talk: answer(talk, 0, 1, 2, 3, 4, 5, acked=18))
    report = await run(peer)
    assert not report.lossless
    assert report.unacked == 2


async def test_a_phone_that_loses_its_connection(peer: Peer) -> None:
    async def cut(talk: Talk) -> None:
        await talk.welcome()
        await talk.take(5)
        talk.cut()

    peer.follow(cut, lambda talk: answer(talk, 0, 1, 2, 3, 4, 5))
    report = await run(peer, phones=2)
    assert report.disconnected == 1
    assert not report.lossless


async def test_nobody_there() -> None:
    with pytest.raises(UnreachableError, match="nobody answers"):
        await load(Load(f"ws://127.0.0.1:{free_port()}", phones=3), None, lambda _: None)


async def test_brokers_are_for_other_tools() -> None:
    with pytest.raises(ParameterError, match="load speaks ws:// and wss:// only"):
        await load(Load("mqtt://127.0.0.1", phones=3), None, lambda _: None)
