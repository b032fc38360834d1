"""The windows that a load run expects are those that a session makes."""

import numpy as np
import pytest

from clients.frames import Encoding, Style
from clients.load_plan import make_plans
from clients.load_report import Report, latency
from stream import wire
from stream.config import Wire
from stream.session import Session, SessionOptions
from stream.wire import Source


@pytest.mark.parametrize("timed", [True, False])
@pytest.mark.parametrize("rate_hz", [20.0, 25.0, 50.0, 100.0])
@pytest.mark.parametrize("frame_s", [0.25, 1.0, 1.7])
@pytest.mark.parametrize("encoding", ["binary", "json"])
def test_windows_are_complete_with_the_frame_that_was_foretold(
    timed: bool, rate_hz: float, frame_s: float, encoding: Encoding
) -> None:
    style = Style(encoding, rate_hz=rate_hz)
    plan = make_plans(31.0, rate_hz, frame_s, style, timed=timed)[1]
    session = Session("p", "s", SessionOptions(activities=("Walking",), model="m"))
    completing = []
    for number, payload in enumerate(plan.payloads):
        frame = wire.decode(payload, Source(), Wire(), text=plan.text)
        completing += [number] * len(session.feed(frame))
    np.testing.assert_array_equal(plan.completing, completing)


def test_people_differ_and_last_as_long_as_asked() -> None:
    plans = make_plans(12.0, 20.0, 1.0, Style(), timed=False)
    assert len({plan.payloads[3] for plan in plans}) == len(plans)
    assert {len(plan.payloads) for plan in plans} == {12}


def test_latency_is_in_ms() -> None:
    figures = latency(np.arange(1, 101) / 1000)
    assert figures.p50 == pytest.approx(50.5)
    assert figures.p99 == pytest.approx(99.01)
    assert figures.max == 100
    assert latency([]).p99 == 0


@pytest.mark.parametrize("fault", ["missing", "doubled", "extra", "unacked", "disconnected"])
def test_any_loss_is_told(fault: str) -> None:
    fine = dict.fromkeys(("missing", "doubled", "extra", "unacked", "disconnected"), 0)
    assert report(**fine).lossless
    assert not report(**{**fine, fault: 1}).lossless


def report(**faults: int) -> Report:
    return Report(
        phones=1,
        rate_hz=20,
        frame_s=1,
        seconds=20,
        encoding="binary",
        timed=False,
        frames=20,
        errors=0,
        first_error="",
        expected=6,
        predictions=6,
        windows_per_s=1,
        latency_ms=latency([0.01]),
        behind_ms=0,
        client_cpu_percent=1,
        server=None,
        **faults,
    )
