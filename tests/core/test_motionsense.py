"""On real 50 Hz recordings, windows get the activity that they get after scipy's resample_poly."""

import csv
import os
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from scipy.signal import resample_poly

from stream.model.artifact import SHIPPED
from stream.model.classifier import OnnxClassifier
from stream.tracker import choose
from stream.wire.limits import STANDARD_GRAVITY
from tests.core.streams import SIGNAL, Readings, cut, feed, session

ARCHIVE = Path(os.environ.get("GAITWAY_DATA", "nowhere")) / "A_DeviceMotion_data.zip"
COLUMNS = [f"{part}.{axis}" for part in ("gravity", "userAcceleration") for axis in "xyz"]

pytestmark = pytest.mark.skipif(not ARCHIVE.exists(), reason="needs GAITWAY_DATA")


def trials(pattern: str) -> Iterable[Readings]:
    """Yield the samples (n, 3) in m/s² of the trials whose name matches, Android's sign."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        for name in archive.namelist():
            if re.search(pattern, name) and not name.startswith("__MACOSX"):
                lines = archive.read(name).decode().splitlines()
                columns = [next(csv.reader(lines[:1])).index(column) for column in COLUMNS]
                rows = np.loadtxt(lines[1:], delimiter=",", usecols=columns)
                yield (-STANDARD_GRAVITY * (rows[:, :3] + rows[:, 3:])).astype(np.float32)


def both(xyz: Readings) -> tuple[Readings, Readings]:
    """Return the windows (n, 200, 3) of one trial: by our session, and by scipy."""
    t = np.arange(len(xyz)) / 50
    windows = feed(session(), cut(xyz, t, range(0, len(xyz), 50)))
    scipys = resample_poly(xyz.astype(np.float64), 2, 5, axis=0, padtype="line").astype(np.float32)
    ours = np.stack([window.xyz for window in windows])
    return ours, np.stack([scipys[window.start : window.end] for window in windows])


def agreement(pattern: str) -> tuple[int, float, float]:
    """Return how many windows there are, and the shares of the same activity, raw and chosen."""
    classifier = OnnxClassifier(SHIPPED, SIGNAL)
    pairs = [both(xyz) for xyz in trials(pattern) if len(xyz) > 700]
    ours, scipys = (classifier.classify(np.concatenate(side)) for side in zip(*pairs, strict=True))
    names = classifier.manifest.activities
    chosen = [
        choose(a, names, 0.5) == choose(b, names, 0.5) for a, b in zip(ours, scipys, strict=True)
    ]
    same = (ours.argmax(axis=1) == scipys.argmax(axis=1)).mean()
    return len(ours), float(same), float(np.mean(chosen))


def test_signals_are_close_to_scipys() -> None:
    for xyz in trials(r"(wlk_7|jog_9|ups_3)/sub_2\.csv"):
        ours, scipys = both(xyz)
        assert np.sqrt(np.mean((ours - scipys) ** 2)) < 0.06 * xyz.std()


@pytest.mark.skipif(not SHIPPED.exists(), reason="no model ships yet")
def test_windows_of_one_subject_get_the_same_activity() -> None:
    windows, same, chosen = agreement(r"/sub_24\.csv|/sub_16\.csv")
    assert windows > 300
    assert same >= 0.99
    assert chosen >= 0.99


@pytest.mark.slow
@pytest.mark.skipif(not SHIPPED.exists(), reason="no model ships yet")
def test_windows_of_every_subject_get_the_same_activity() -> None:
    windows, same, chosen = agreement(r"_\d+/sub_\d+\.csv")
    assert windows > 9_000
    assert same >= 0.99
    assert chosen >= 0.99
