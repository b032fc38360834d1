"""Exports of Sensor Logger: an iPhone's signs and units, notes as labels, folder, zip and JSON."""

import json
import os
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.trainer import made
from trainer.errors import DataError
from trainer.recordings import own, sensor_logger
from trainer.recordings.names import Origin
from trainer.recordings.recording import LoadReport, Recording

T = np.arange(300) / 100
XYZ = made.moving("Walking", T).astype(np.float64)
UPRIGHT = np.tile([0.2, 9.7, 0.4], (len(T), 1))
BEGUN_NS = 1_698_501_144_401_773_000
G = 9.80665
# The columns of schema version 3, and of an app that had no setting to standardise yet.
NEW = (
    "version,device name,recording epoch time,recording time,recording timezone,platform,"
    "appVersion,device id,sensors,sampleRateMs,standardisation,platform version\n"
    "3,{device},1698501144401,2023-10-28_13-52-24,Europe/London,{platform},1.38.0,e3f7,"
    "Accelerometer|Gravity,10|10,{standardised},17\n"
)
OLD = (
    "version,device name,recording time,platform,appVersion\n3,{device},2022-01-01,{platform},1.9\n"
)


def csv(xyz: NDArray[np.float64], t: NDArray[np.float64] = T, order: str = "zyx") -> str:
    """Write a sensor's file, whose axes come as z, y, x."""
    lines = [f"time,seconds_elapsed,{','.join(order)}"]
    for when, row in zip(t.tolist(), xyz.tolist(), strict=True):
        axes = dict(zip("xyz", row, strict=True))
        cells = [str(BEGUN_NS + round(when * 1e9)), repr(when), *(repr(axes[one]) for one in order)]
        lines.append(",".join(cells))
    return "\n".join(lines) + "\n"


def metadata(platform: str, standardised: str = "false", text: str = NEW) -> str:
    return text.format(device="My phone", platform=platform, standardised=standardised)


def notes(*texts: tuple[float, str]) -> str:
    head = "time,seconds_elapsed,text,millisecond_press_duration\n"
    rows = [f"{BEGUN_NS + round(t * 1e9)},{t},{text},120\n" for t, text in texts]
    return head + "".join(rows)


def export(folder: Path, files: Mapping[str, str]) -> Path:
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / f"{name}.csv").write_text(text)
    return folder


def only(folder: Path) -> tuple[Recording, LoadReport]:
    (recording,), report = own.load(folder)
    return recording, report


def assert_is_the_walk(recording: Recording) -> None:
    assert recording.t is not None
    np.testing.assert_allclose(recording.t, T, atol=1e-6)
    np.testing.assert_allclose(recording.xyz, XYZ, atol=1e-3)
    assert recording.rate_hz == pytest.approx(100)


@pytest.mark.parametrize(
    ("files", "about"),
    [
        ({"TotalAcceleration": csv(XYZ)}, metadata("android")),
        ({"TotalAcceleration": csv(XYZ, order="xyz")}, metadata("Android", text=OLD)),
        ({"AccelerometerUncalibrated": csv(XYZ)}, metadata("android")),
        ({"Accelerometer": csv(XYZ - UPRIGHT), "Gravity": csv(UPRIGHT)}, metadata("android")),
        ({"Accelerometer": csv(UPRIGHT - XYZ), "Gravity": csv(-UPRIGHT)}, metadata("ios")),
        (
            {"Accelerometer": csv(UPRIGHT - XYZ), "Gravity": csv(-UPRIGHT)},
            metadata("iOS", text=OLD),
        ),
        ({"Accelerometer": csv(XYZ - UPRIGHT), "Gravity": csv(UPRIGHT)}, metadata("ios", "true")),
        ({"AccelerometerUncalibrated": csv(XYZ / -G)}, metadata("ios")),
        ({"AccelerometerUncalibrated": csv(XYZ)}, metadata("ios", "true")),
        (  # the best of them counts
            {"TotalAcceleration": csv(XYZ), "Accelerometer": csv(XYZ - UPRIGHT)}
            | {"Gravity": csv(UPRIGHT * 1.1), "AccelerometerUncalibrated": csv(XYZ * 1.1)},
            metadata("android"),
        ),
    ],
)
def test_platforms_and_settings_come_out_alike(
    tmp_path: Path, files: dict[str, str], about: str
) -> None:
    others = {"Gyroscope": csv(XYZ * 0.1), "Magnetometer": csv(XYZ)}
    export(tmp_path / "export", {"Metadata": about, **files, **others})
    recording, report = only(tmp_path)
    assert_is_the_walk(recording)
    assert (recording.subject, recording.device, recording.dataset) == ("me", "My phone", "own")
    assert (report.found, report.kept) == (300, 300)
    assert report.oddities == {"file without a label, taken as Unknown": 1}


@pytest.mark.parametrize(
    ("files", "counted"),
    [
        ({"TotalAcceleration": csv(XYZ)}, True),
        ({"Accelerometer": csv(XYZ - UPRIGHT), "Gravity": csv(UPRIGHT)}, True),
        ({"AccelerometerUncalibrated": csv(XYZ)}, True),
        ({"AccelerometerUncalibrated": csv(XYZ / -G)}, False),  # g are an iPhone's for sure
    ],
)
def test_without_a_platform_what_is_assumed_is_said(
    tmp_path: Path, files: dict[str, str], counted: bool
) -> None:
    export(tmp_path / "export", files)
    recording, report = only(tmp_path)
    assert_is_the_walk(recording)
    said = "export that names no platform, taken to have Android's signs"
    assert (said in report.oddities) is counted


def test_gravity_is_joined_by_time(tmp_path: Path) -> None:
    gravity_at = T[0:200:3] + 0.003
    turning, slower = (
        np.column_stack([t, np.zeros_like(t), 9.8 - t / 10]) for t in (T, gravity_at)
    )
    files = {"Accelerometer": csv(XYZ - turning), "Gravity": csv(slower, gravity_at)}
    export(tmp_path / "export", {"Metadata": metadata("android"), **files})
    recording, report = only(tmp_path)
    # Gravity ends at 1.983 s; what comes more than 0.2 s later has none.
    assert len(recording) == 219
    np.testing.assert_allclose(recording.xyz[1:199], XYZ[1:199], atol=1e-3)
    assert report.oddities["row of Accelerometer without gravity near it, left out"] == 81


def test_rows_of_gravity_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    rows = csv(UPRIGHT).splitlines()
    rows[10], rows[20] = "1,0.1,nan,1,1", "1,0.2,1,1"
    files = {"Accelerometer": csv(XYZ - UPRIGHT), "Gravity": "\n".join(rows)}
    export(tmp_path / "walk", {"Metadata": metadata("android"), **files})
    recording, report = only(tmp_path)
    assert_is_the_walk(recording)
    assert (report.found, report.kept) == (300, 300)
    assert report.oddities == {
        "Gravity: row with a cell that is no number, left out": 1,
        "Gravity: row with an empty or missing cell, left out": 1,
    }


@pytest.mark.parametrize(
    ("file", "text", "fault"),
    [
        ("Annotation", "", "is no table"),
        ("Annotation", "seconds_elapsed\n1.0\n", "is no table"),
        ("Annotation", "time,seconds_elapsed\n1,1.0\n", "Annotation without text"),
        ("Metadata", "platform device name\n", "is no table"),
        ("Metadata", "", "is no table"),
    ],
)
def test_a_broken_side_file_is_counted_and_costs_no_recording(
    tmp_path: Path, file: str, text: str, fault: str
) -> None:
    about = {"Metadata": metadata("android")} if file != "Metadata" else {}
    files = {"TotalAcceleration": csv(XYZ), file: text}
    export(tmp_path / "anna" / "walk", {**about, **files})
    recording, report = only(tmp_path)
    assert_is_the_walk(recording)
    assert set(recording.labels) == {"Walking"}
    assert [oddity for oddity in report.oddities if fault in oddity and file in oddity]


def test_notes_with_a_comma_too_many_are_counted(tmp_path: Path) -> None:
    files = {"TotalAcceleration": csv(XYZ), "Annotation": notes((1.0, "up, then down"))}
    export(tmp_path / "walk", {"Metadata": metadata("android"), **files})
    recording, report = only(tmp_path)
    assert set(recording.labels) == {"Walking"}
    assert report.oddities == {"annotation with more cells than the header, left out": 1}


def test_notes_label_what_follows_them(tmp_path: Path) -> None:
    said = notes((2.0, "stairs up"), (0.5, "Walking"), (2.5, ""), (1.5, "reading mail"))
    files = {"TotalAcceleration": csv(XYZ), "Annotation": said + "1,x,lost,1\n"}
    export(tmp_path / "sitting", {"Metadata": metadata("android"), **files})
    recording, report = only(tmp_path)
    expected = ["Sitting"] * 50 + ["Walking"] * 100 + ["Reading Mail"] * 50
    assert recording.labels.tolist() == [*expected, *["Upstairs"] * 50, *["Unknown"] * 50]
    assert report.oddities == {"annotation without a time, left out": 1}


@pytest.mark.parametrize(
    ("folder", "label", "subject"),
    [
        ("Walking-2026-11-22_10-00-00", "Walking", "me"),
        ("anna/2026-11-22_10-00-00", "Unknown", "anna"),
        ("anna/sitting/my session", "Sitting", "anna"),
    ],
)
def test_the_folder_of_an_export_is_no_person(
    tmp_path: Path, folder: str, label: str, subject: str
) -> None:
    export(tmp_path / "own" / folder, {"TotalAcceleration": csv(XYZ)})
    recording, _ = only(tmp_path / "own")
    assert (set(recording.labels), recording.subject) == ({label}, subject)


def test_an_export_may_be_the_folder_itself_with_files_of_ones_own(tmp_path: Path) -> None:
    files = {"Metadata": metadata("ios"), "AccelerometerUncalibrated": csv(XYZ / -G)}
    export(tmp_path / "own", {**files, "Compass": "time,seconds_elapsed,magneticBearing\n1,2,3\n"})
    (tmp_path / "own" / "jogging.csv").write_text(csv(XYZ))
    (tmp_path / "own" / "plain.csv").write_text("t,x,y,z\n0,0,9.8,0\n0.02,0,9.8,0\n")
    found, report = own.load(tmp_path / "own")
    assert [len(recording) for recording in found] == [300, 300, 2]
    assert [set(recording.labels) for recording in found[:2]] == [{"Unknown"}, {"Jogging"}]
    assert report.found == 602
    for recording in found[:2]:
        assert_is_the_walk(recording)


def records(files: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Yield what the app's JSON export holds: every row of every sensor, all values as text."""
    for sensor, text in files.items():
        head, *rows = text.splitlines()
        for row in rows:
            yield {"sensor": sensor, **dict(zip(head.split(","), row.split(","), strict=True))}


IPHONE = {
    "Metadata": metadata("ios"),
    "Accelerometer": csv(UPRIGHT - XYZ),
    "Gravity": csv(-UPRIGHT),
    "Annotation": notes((1.0, "downstairs")),
    "Location": "time,seconds_elapsed,latitude\n1,0.1,51\n",
}


def test_zip_and_json_are_the_folder(tmp_path: Path) -> None:
    for name in ("zip", "json"):
        (tmp_path / name / "bo").mkdir(parents=True)
    with zipfile.ZipFile(tmp_path / "zip" / "bo" / "walk_1.zip", "w") as archive:
        for name, text in IPHONE.items():
            archive.writestr(f"{name}.csv", text)
    (tmp_path / "json" / "bo" / "walk_1.json").write_text(json.dumps(list(records(IPHONE))))
    for name in ("zip", "json"):
        recording, report = only(tmp_path / name)
        assert_is_the_walk(recording)
        assert recording.labels.tolist() == ["Walking"] * 100 + ["Downstairs"] * 200
        assert (recording.subject, recording.device) == ("bo", "My phone")
        assert (report.found, report.kept) == (300, 300)
        assert not report.oddities


def test_the_first_row_of_json_may_lack_a_column(tmp_path: Path) -> None:
    rows = list(records({"TotalAcceleration": csv(XYZ)}))
    del rows[0]["z"]
    (tmp_path / "walk.json").write_text(json.dumps(rows))
    recording, report = only(tmp_path)
    assert len(recording) == 299
    np.testing.assert_allclose(recording.xyz, XYZ[1:], atol=1e-3)
    assert report.oddities["row with an empty or missing cell, left out"] == 1


def test_bad_rows_are_counted(tmp_path: Path) -> None:
    rows = csv(XYZ).splitlines()
    rows[10], rows[20], rows[30] = "1,0.1,nan,1,1", "1,0.2,1,1", "1,0.3,1,1,1,1"
    export(tmp_path / "export", {"TotalAcceleration": "\n".join(rows)})
    recording, report = only(tmp_path)
    assert (report.found, report.kept, len(recording)) == (300, 297, 297)
    assert report.oddities["row with a cell that is no number, left out"] == 1
    assert report.oddities["row with an empty or missing cell, left out"] == 1
    assert report.oddities["row with more cells than the header, left out"] == 1


@pytest.mark.parametrize(
    ("files", "reason"),
    [
        (
            {"Accelerometer": csv(XYZ - UPRIGHT)},
            "export: holds no acceleration with gravity: record",
        ),
        ({"Metadata": metadata("ios")}, "export: holds no acceleration with gravity: record"),
        ({"TotalAcceleration": csv(XYZ - UPRIGHT)}, r"export: the median magnitude is [\d.]+ m/s2"),
        ({"TotalAcceleration": csv(XYZ / G)}, r"export: the median magnitude is [\d.]+ m/s2"),
        ({"TotalAcceleration": csv(XYZ, T * 100)}, r"export: times step by 1 \(median\): in s"),
        ({"TotalAcceleration": csv(XYZ).replace("z,y,x", "z,y,w")}, "totalacceleration lacks x"),
        (
            {"Gravity": csv(UPRIGHT), "Accelerometer": csv(UPRIGHT, T + 9)},
            "0 usable rows are too few",
        ),
        ({"TotalAcceleration": csv(XYZ[:0], T[:0])}, "none of its 0 rows is usable"),
    ],
)
def test_what_cannot_be_used_is_named(tmp_path: Path, files: dict[str, str], reason: str) -> None:
    export(tmp_path / "export", files)
    with pytest.raises(DataError, match=f"holds no usable recording: .*{reason}"):
        own.load(tmp_path)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[{", r"a\.json: is no JSON"),
        ("[" * 100_000, r"a\.json: is no JSON"),
        ('{"sensor": "Gravity"}', "is no export of Sensor Logger"),
        ("[1, {}, null]", "holds no acceleration with gravity"),
        ('[{"sensor": "TotalAcceleration", "time": "1"}]', "lacks seconds_elapsed, x, y, z"),
    ],
)
def test_json_that_is_something_else_is_named(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=reason):
        own.load(tmp_path)


@pytest.mark.skipif("GAITWAY_DATA" not in os.environ, reason="GAITWAY_DATA is not set")
def test_a_real_push_message_is_no_export() -> None:
    path = Path(os.environ["GAITWAY_DATA"]) / "sensor-logger" / "push-message.json"
    with pytest.raises(DataError, match="is no export of Sensor Logger"):
        sensor_logger.read_json({path.name: path.read_text()}, Origin("push"), LoadReport())
