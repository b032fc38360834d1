"""Every message that the server sends fits docs/asyncapi.yaml; every field is in it."""

import asyncio
import json
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
import yaml
from websockets.asyncio.client import ClientConnection, connect

from stream import events
from stream.service import Service
from stream.wire import incoming
from stream.wire.text import TextFrame

DOCUMENT = yaml.safe_load((Path(__file__).parents[2] / "docs" / "asyncapi.yaml").read_text())
SCHEMAS = DOCUMENT["components"]["schemas"]


def check(message: dict[str, Any]) -> str:
    """Hold a message against the schema of its type; return the type."""
    schema = {"$ref": f"#/components/schemas/{message['type']}", "components": {"schemas": SCHEMAS}}
    jsonschema.Draft202012Validator(schema).validate(message)
    return str(message["type"])


async def drain(socket: ClientConnection, until: str) -> set[str]:
    """Check every message up to the first of type `until`; return the types."""
    seen: set[str] = set()
    async with asyncio.timeout(10):
        while until not in seen:
            seen.add(check(json.loads(await socket.recv())))
    return seen


async def test_a_whole_conversation_fits(running: Service) -> None:
    types = "activity,prediction,status,quality,waveform"
    xyz = np.random.default_rng(0).normal([0, 9.8, 0], 0.01, (400, 3))
    frames = [xyz[first : first + 40].tolist() for first in range(0, 400, 40)]
    async with (
        connect(f"{running.ws_url}/v1/events?type={types}") as listener,
        connect(f"{running.ws_url}/v1/stream?device=a") as phone,
    ):
        for seq, frame in enumerate(frames):
            await phone.send(json.dumps({"type": "samples", "seq": seq, "xyz": frame}))
        await phone.send("junk")
        heard = await drain(phone, "activity")
        if "error" not in heard:
            heard |= await drain(phone, "error")
        overheard = await drain(listener, "activity")
        async with connect(f"{running.ws_url}/v1/events?since=unknown") as late:
            overheard |= await drain(late, "missed")
    assert heard >= {"welcome", "ack", "prediction", "activity", "quality", "error"}
    assert overheard >= {"status", "prediction", "activity", "quality", "state", "missed"}
    assert "waveform" in overheard


@pytest.mark.parametrize("kind", events.Message.__subclasses__())
def test_every_field_is_documented(kind: type[events.Message]) -> None:
    name = kind.__name__.lower()
    assert {"type", *kind.__struct_fields__} == set(SCHEMAS[name]["properties"])


def test_every_field_of_a_frame_is_documented() -> None:
    assert {"type", *TextFrame.__struct_fields__} == set(SCHEMAS["samples"]["properties"])


def test_labels_fit_and_every_field_is_documented() -> None:
    assert {"type", *incoming.FIELDS} == set(SCHEMAS["label"]["properties"])
    for label in ("Walking", "a", "walking the dog", "Händewaschen_2", None):
        text = incoming.encode_label(incoming.Label(3, 1.5, label))
        assert check(json.loads(text)) == "label"
    for wrong in ("", "a,b", "1a", "a ", 41 * "a"):
        with pytest.raises(jsonschema.ValidationError):
            check({"type": "label", "seq": 3, "label": wrong})


def test_a_wrong_message_does_not_fit() -> None:
    with pytest.raises(jsonschema.ValidationError):
        check({"type": "ack", "session": "s", "seq": -1})


@pytest.mark.parametrize("name", ["iphone", "android", "uncalibrated", "test"])
def test_messages_of_sensor_logger_fit(name: str) -> None:
    golden = Path(__file__).parents[1] / "data" / "sensor-logger" / f"{name}.json"
    schema = {"$ref": "#/components/schemas/sensorLogger", "components": {"schemas": SCHEMAS}}
    jsonschema.Draft202012Validator(schema).validate(json.loads(golden.read_text()))
