"""Imports point down only, functions and files stay small; and the check itself can fail."""

from pathlib import Path

import pytest

from tests.core.layers import broken_layers, read, too_large

ROOT = Path(__file__).parents[2]


def test_the_tree_keeps_to_its_layers() -> None:
    assert broken_layers(read(ROOT, "stream", "clients", "trainer")) == []


def test_functions_and_files_stay_small() -> None:
    assert too_large(read(ROOT, "stream", "clients", "trainer")) == []


def test_it_reads_the_whole_tree() -> None:
    found = read(ROOT, "stream", "trainer")
    assert {
        "stream.__init__",
        "stream.wire.__init__",
        "trainer.recordings.wisdm_v1",
    } <= found.keys()


@pytest.mark.parametrize(
    ("module", "source", "reason"),
    [
        ("stream.events", "import stream.wire", "imports point down only"),
        ("stream.wire", "from stream.model.batcher import Batcher", "imports point down only"),
        ("stream.wire", "from stream import hub", "imports point down only"),
        ("stream.wire", "from . import hub", "imports point down only"),
        ("stream.model.artifact", "from ..doors import http", "imports point down only"),
        ("stream.session", "from .model.classifier import Classifier", "imports point down only"),
        ("stream.model.batcher", "import stream.publish", "imports point down only"),
        ("stream.hub", "def late():\n    from stream import service", "imports point down only"),
        ("stream.brandnew", "", "is in no layer"),
        ("stream.part.deep", "", "is in no layer"),
        ("stream.cli", "import trainer.recipes.fit", "stream imports neither trainer nor clients"),
        ("stream.service", "from clients import phone", "stream imports neither"),
        ("stream.model.classifier", "import tensorflow as tf", "only the trainer does"),
        ("stream.hub", "import onnxruntime", "the inference runtime lives in classifier"),
        *(
            ("stream.tracker", f"import {name}", "the core knows no")
            for name in ("asyncio", "threading", "time", "logging", "socket", "random", "anyio")
        ),
        ("stream.signal.window", "from numpy.random import default_rng", "the core knows no"),
        ("stream.signal.window", "import numpy as np\nx = np.random.rand()", "uses np.random"),
        ("stream.session", "import datetime as d\nx = d.datetime.now()", "calls now()"),
        ("clients.phone", "from stream.session import Session", "of stream, clients know"),
        ("clients.phone", "from stream import service", "of stream, clients know"),
        ("clients.phone", "import stream.service", "of stream, clients know"),
        ("clients.replay", "from trainer.windows import cut", "of trainer, clients know"),
        ("clients.replay", "import trainer", "of trainer, clients know"),
        ("clients.watch", "import matplotlib.pyplot as plt", "only the trainer does"),
        ("trainer.recipes.fit", "from stream.hub import Hub", "of stream, trainer knows"),
        ("trainer.recipes.fit", "from stream import service", "of stream, trainer knows"),
        ("trainer.recipes.fit", "import clients.phone", "trainer knows no clients"),
    ],
)
def test_each_broken_rule_is_named(module: str, source: str, reason: str) -> None:
    found = broken_layers({module: source})
    assert len(found) == 1
    assert found[0].startswith(f"{module}: ")
    assert reason in found[0]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("stream.session", "import datetime\nimport numpy as np\nfrom stream import events, wire"),
        ("stream.hub", "import asyncio, time\nfrom stream.session import Session"),
        ("stream.model.classifier", "import onnxruntime as ort\nfrom stream import __version__"),
        (
            "stream.model.batcher",
            "import asyncio, threading\nfrom stream.model.classifier import Classifier",
        ),
        ("clients.demo", "from stream import service\nfrom stream.wire import Frame"),
        (
            "clients.replay",
            "from trainer import recordings\nfrom trainer.recordings import Recording",
        ),
        (
            "trainer.recipes.fit",
            "import tensorflow\nfrom stream.model import artifact",
        ),
    ],
)
def test_what_is_allowed_passes(module: str, source: str) -> None:
    assert broken_layers({module: source, "trainer.recordings.__init__": ""}) == []


def test_large_functions_and_files_are_named() -> None:
    body = "    x = 1\n"
    assert too_large({"stream.a": "def fits():\n" + body * 49}) == []
    assert too_large({"stream.a": "class A:\n def big(self):\n" + "  x = 1\n" * 50}) == [
        "stream.a.big: 51 lines, at most 50"
    ]
    assert too_large({"clients.b": "async def big():\n" + body * 50}) == [
        "clients.b.big: 51 lines, at most 50"
    ]
    assert too_large({"stream.a": "x = 1\n" * 250}) == []
    assert too_large({"stream.a": "x = 1\n" * 251}) == ["stream.a: 251 lines, at most 250"]
