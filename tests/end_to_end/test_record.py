"""A phone is labelled, the server records, the trainer reads that and makes the phone's model."""

from pathlib import Path

import msgspec
import numpy as np

from clients import Phone
from clients.walker import walk
from stream import config, service
from stream.config import Config, Journal, Model, Server
from stream.model import artifact
from stream.model.artifact import SHIPPED
from trainer.personal.adapt import adapt
from trainer.personal.options import Plan
from trainer.recordings import Recording, own

TAKES = ("Walking", "Sitting", "Walking", "Sitting")
TAKE_S, PAUSE_S, RATE_HZ = 30.0, 15.0, 50.0
TRACK = walk("me", [(name, seconds) for name in TAKES for seconds in (PAUSE_S, TAKE_S)], rate_hz=50)
STARTS = [PAUSE_S + number * (PAUSE_S + TAKE_S) for number in range(len(TAKES))]


async def record(settings: Config, device: str) -> None:
    """Stream TRACK, a take labelled after the other, with 15 s between that are not."""
    labels = sorted(
        [(start, name) for start, name in zip(STARTS, TAKES, strict=True)]
        + [(start + TAKE_S, None) for start in STARTS],
        key=lambda entry: entry[0],
    )
    async with service.running(settings) as running, Phone(running.ws_url, device) as phone:
        for frame in TRACK.frames(0.25, timed=True):
            assert frame.t is not None
            while labels and frame.t[0] >= labels[0][0]:
                await phone.label(labels[0][1], labels[0][0])
                del labels[0]
            await phone.send(frame.xyz, frame.t)
        for t, label in labels:
            await phone.label(label, t)


async def test_what_was_sent_under_a_label_is_what_the_trainer_reads(
    config: Config, tmp_path: Path
) -> None:
    settings = recorded_to(config, tmp_path)
    await record(settings, "pixel-7")
    recordings, report = own.load(tmp_path)
    assert not report.oddities
    assert len(recordings) == len(TAKES)
    recordings.sort(key=begin)
    for recording, start, name in zip(recordings, STARTS, TAKES, strict=True):
        assert (recording.subject, recording.device) == ("pixel-7", "pixel-7")
        assert set(recording.labels.tolist()) == {name}
        assert recording.t is not None
        sent = (TRACK.t >= start) & (TRACK.t < start + TAKE_S)
        assert np.allclose(recording.t, TRACK.t[sent], rtol=0, atol=5.1e-7)
        assert np.allclose(recording.xyz, TRACK.xyz[sent], rtol=0, atol=5.1e-4)
        assert abs(recording.rate_hz - RATE_HZ) < 0.1


def begin(recording: Recording) -> float:
    assert recording.t is not None
    return float(recording.t[0])


async def test_the_model_that_ships_is_adapted_to_what_several_phones_recorded(
    tmp_path: Path,
) -> None:
    mine = tmp_path / "recordings"
    settings = recorded_to(Config(server=Server(port=0), journal=Journal(path="")), mine)
    for device in ("pixel-7", "pixel-8"):
        await record(settings, device)
    folder = adapt(Plan("pixel-7", mine, SHIPPED, tmp_path / "out"))
    manifest = artifact.load(folder)
    assert manifest.name == "pocket-pixel-7"
    assert manifest.trained_on[-1].subjects == ("pixel-7",)
    personal = {"pixel-7": config.Device(artifact=str(folder))}
    served = msgspec.structs.replace(settings, model=Model(), devices=personal)
    async with service.running(served) as running:
        assert running.hub.models.of("pixel-7").name == manifest.model


def recorded_to(settings: Config, folder: Path) -> Config:
    return msgspec.structs.replace(settings, record=config.Record(folder=str(folder)))
