"""Folders of one's own recordings: tables in every spelling, labels, people, and what is odd."""

import doctest
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.trainer import made
from trainer.errors import DataError, MissingError
from trainer.recordings import columns, names, own, samples
from trainer.recordings.recording import Recording

RATE_HZ = 50.0
T = np.arange(200) / RATE_HZ
XYZ = made.moving("Walking", T)
DOC = (Path(__file__).parents[2] / "docs" / "recordings.md").read_text()


def table(header: str, *data: NDArray[np.float64] | str, rows: int = 200, sep: str = ",") -> str:
    """Write columns out; one given as text stands in every row."""
    cells = [[one] * rows if isinstance(one, str) else map(repr, one.tolist()) for one in data]
    return "\n".join([header, *map(sep.join, zip(*cells, strict=True))]) + "\n"


def plain(header: str = "t,x,y,z", t: NDArray[np.float64] = T, scale: float = 1.0) -> str:
    return table(header, t, *(XYZ.astype(np.float64) * scale).T)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def one(folder: Path) -> Recording:
    (recording,) = own.load(folder)[0]
    return recording


def assert_is_the_walk(recording: Recording, t: NDArray[np.float64] = T) -> None:
    assert recording.t is not None
    np.testing.assert_allclose(recording.t, t, atol=1e-6)
    np.testing.assert_allclose(recording.xyz, XYZ, atol=1e-3)
    assert recording.xyz.dtype == np.float32
    assert recording.rate_hz == pytest.approx(RATE_HZ)
    assert recording.dataset == "own"


@pytest.mark.parametrize(
    ("header", "scale"),
    [
        ("t,x,y,z", 1.0),
        ("seconds_elapsed,X,Y,Z", 1.0),
        ("Timestamp,ax,ay,az", 1.0),
        ("TIME,acc_x,acc_y,acc_z", 1.0),
        ("time,accelerometer.x,accelerometer.y,accelerometer.z", 1.0),
        ("elapsedTime,accX,accY,accZ", 1.0),
        ("Time (s),Acceleration x (m/s^2),Acceleration y (m/s^2),Acceleration z (m/s^2)", 1.0),
        ("time,x-axis [m/s²],y-axis [m/s²],z-axis [m/s²]", 1.0),
        ("time,gFx,gFy,gFz", 1 / 9.80665),
        ("t_s,x_g,y_g,z_g", 1 / 9.80665),
        ("t,X (g),Y (g),Z (g)", 1 / 9.80665),
        ("t,ax_ms2,ay_ms2,az_ms2", 1.0),
        ("t,x,y,z", 1 / 9.80665),
    ],
)
def test_names_and_units_of_columns(tmp_path: Path, header: str, scale: float) -> None:
    write(tmp_path / "a.csv", plain(header, scale=scale))
    assert_is_the_walk(one(tmp_path))


def test_columns_come_in_any_order_and_others_are_left_alone(tmp_path: Path) -> None:
    x, y, z = XYZ.astype(np.float64).T
    text = table("gx,Z,gy,label,Time,X,note,Y", T * 0, z, T * 0, "jog", T, x, '"a, b"', y)
    write(tmp_path / "a.csv", text)
    assert_is_the_walk(one(tmp_path))
    assert set(one(tmp_path).labels) == {"Jogging"}


@pytest.mark.parametrize(
    ("header", "per_second"),
    [
        *[("t", 1), ("t", 1e3), ("t", 1e6), ("t", 1e9), ("time_ms", 1e3), ("timestampNs", 1e9)],
        *[("time [us]", 1e6), ("ms", 1e3), ("time since start in ms", 1e3), ("seconds", 1)],
    ],
)
def test_units_of_time(tmp_path: Path, header: str, per_second: float) -> None:
    write(tmp_path / "a.csv", plain(f"{header},x,y,z", t=(T + 100) * per_second))
    assert_is_the_walk(one(tmp_path), T + 100)


def test_a_time_that_names_its_unit_comes_first(tmp_path: Path) -> None:
    x, y, z = XYZ.astype(np.float64).T
    write(tmp_path / "a.csv", table("time,t_ms,x,y,z", T * 7, T * 1000, x, y, z))
    assert_is_the_walk(one(tmp_path))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (plain(t=T * 50), r"times step by 1 \(median\): in s, ms, us or ns .* \(5 to 400 Hz"),
        (plain("t_ms,x,y,z"), r"times step by 0\.02 \(median\): in ms that is not"),
        (plain(t=T[::-1]), r"times step by -0\.02"),
        (plain(scale=0.03), r"the median magnitude is 0\.29\d: .* 1 g or 9\.8 m/s²"),
        (plain(scale=100.0), r"the median magnitude is [\d.e+]+: "),
        (plain("t,x_g,y_g,z_g"), r"the median magnitude is 9\.77 g: "),
        (plain("t,x_g,y_ms2,z_g"), "both in g and in m/s2"),
        (plain("t,x,y,q"), "has the columns t, x, y, q; a recording needs"),
        (plain("q,x,y,z"), "has the columns q, x, y, z; a recording needs"),
        (plain("t,linear_acceleration_x,linear_acceleration_y,linear_acceleration_z"), "with grav"),
        ("t,x,y,z\n", "none of its 0 rows is usable"),
        ("t,x,y,z\n0,0,9.8,0\n", "1 usable rows are too few"),
        ("t,x,y,z\na,b,c,d\n1,2\n", "none of its 2 rows is usable"),
        ("", "is no table"),
        ("Dear diary\n", "is no table"),
        ("\0\x01\x02,\xff;\n" * 9, "has the columns|is no table"),
        ('a,b\n"' + "x" * 200_000, "is no table|has the columns"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_value(
    tmp_path: Path, text: str, reason: str
) -> None:
    write(tmp_path / "sub" / "a.csv", text)
    with pytest.raises(DataError, match=rf"holds no usable recording: sub/a\.csv: .*{reason}"):
        own.load(tmp_path)
    write(tmp_path / "good.csv", plain())
    found, report = own.load(tmp_path)
    assert len(found) == 1
    assert any(re.search(rf"sub/a\.csv: .*{reason}", oddity) for oddity in report.oddities)


def with_gravity(stem: str, held: bool) -> str:
    gravity = np.tile([0.0, 9.8, 0.5], (200, 1))
    data = XYZ if held else XYZ - gravity
    axes = [f"{name}.{axis}" for name in (stem, "gravity") for axis in "xyz"]
    return table(",".join(["t", *axes]), T, *data.astype(np.float64).T, *gravity.T)


@pytest.mark.parametrize(
    ("stem", "held"),
    [("userAcceleration", False), ("accelerometer", False), ("accelerometer", True)],
)
def test_gravity_is_added_where_it_is_lacking(tmp_path: Path, stem: str, held: bool) -> None:
    write(tmp_path / "a.csv", with_gravity(stem, held))
    assert_is_the_walk(one(tmp_path))


def test_gravity_of_the_opposite_sign_is_an_error(tmp_path: Path) -> None:
    text = with_gravity("acc", held=True).replace(",9.8,0.5", ",-9.8,-0.5")
    write(tmp_path / "a.csv", text)
    with pytest.raises(DataError, match=r"holds -1(\.\d)? of its gravity columns"):
        own.load(tmp_path)


def test_ios_axes_turn_the_sign(tmp_path: Path) -> None:
    x, y, z = -XYZ.astype(np.float64).T
    write(tmp_path / "a.csv", table("t,x,y,z,axes", T, x, y, z, "iOS"))
    assert_is_the_walk(one(tmp_path))
    write(tmp_path / "a.csv", table("t,x,y,z,axes", T, x, y, z, "windows"))
    with pytest.raises(DataError, match="axes 'windows' are not known: android or ios"):
        own.load(tmp_path)


def european(text: str) -> bytes:
    return text.replace(",", ";").replace(".", ",").replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: text.replace(",", ";").encode(),
        european,
        lambda text: b"sep=;\r\n" + european(text),
        lambda text: ("# a pocket\n\n" + text).encode(),
        lambda text: ('"t","x","y","z"' + text.removeprefix("t,x,y,z")).encode(),
    ],
)
def test_whatever_the_spreadsheet_made_of_it(
    tmp_path: Path, encode: Callable[[str], bytes]
) -> None:
    (tmp_path / "A.CSV").write_bytes(encode(plain()))
    assert_is_the_walk(one(tmp_path))


def test_bad_rows_are_counted_and_left_out(tmp_path: Path) -> None:
    lines = plain().splitlines()
    lines[10] = "0.18,x,1,2"
    lines[20] = "0.38,nan,1,2"
    lines[30] = "0.58,1,2"
    lines[40] = "0.78,1,,2"
    lines[50] = "0.98,1,2,3,4"
    lines[60] += ",,"
    lines.insert(70, "")
    write(tmp_path / "a.csv", "\n".join(lines))
    found, report = own.load(tmp_path)
    assert (report.found, report.kept, sum(map(len, found))) == (200, 195, 195)
    assert report.oddities == {
        "row with a cell that is no number, left out": 2,
        "row with an empty or missing cell, left out": 2,
        "row with more cells than the header, left out": 1,
        "file without a label, taken as Unknown": 1,
    }


def test_readings_that_the_server_refuses_are_counted_and_left_out(tmp_path: Path) -> None:
    xyz = XYZ.astype(np.float64)
    xyz[10, 0], xyz[20, 1], xyz[30, 2] = 392.0, 392.3, -1e6  # 40 g are 392.266 m/s²
    write(tmp_path / "a.csv", table("t,x,y,z", T, *xyz.T))
    (recording,), report = own.load(tmp_path)
    assert recording.t is not None
    assert np.abs(recording.xyz).max() == 392
    np.testing.assert_allclose(recording.t, np.delete(T, [20, 30]))
    assert (report.found, report.kept) == (200, 198)
    assert report.oddities["sample beyond ±40 g, left out"] == 2


def test_gaps_and_steps_back_end_a_recording(tmp_path: Path) -> None:
    t = T + np.repeat([0.0, 1.5, -20.0], [100, 60, 40])
    write(tmp_path / "a.csv", plain(t=t))
    assert [len(recording) for recording in own.load(tmp_path)[0]] == [100, 60, 40]


def test_labels_may_change_within_a_recording(tmp_path: Path) -> None:
    texts = ["WALKING_UPSTAIRS"] * 80 + ["walking the dog"] * 70 + [""] * 50
    lines = [f"{line},{text}" for line, text in zip(plain().splitlines()[1:], texts, strict=True)]
    write(tmp_path / "sitting.csv", "\n".join(["t,x,y,z,Activity", *lines]))
    recording = one(tmp_path)
    expected = ["Upstairs"] * 80 + ["Walking The Dog"] * 70 + ["Unknown"] * 50
    assert recording.labels.tolist() == expected


def test_people_and_devices_whose_rows_alternate_are_told_apart(tmp_path: Path) -> None:
    x, y, z = XYZ.astype(np.float64).T
    lines = table("t,x,y,z", T, x, y, z).splitlines()[1:]
    people = ("anna,pixel,1", "bo,pixel,1", "bo,iphone,1", "bo,iphone,2")
    rows = [f"{line},{person}" for line in lines for person in people]
    write(tmp_path / "a.csv", "\n".join(["t,x,y,z,User ID,device,session", *rows]))
    found, _ = own.load(tmp_path, subject="cleo")
    sources = [(recording.subject, recording.device) for recording in found]
    assert sources == [("anna", "pixel"), ("bo", "pixel"), ("bo", "iphone"), ("bo", "iphone")]
    for recording in found:
        assert_is_the_walk(recording)


@pytest.mark.parametrize(
    ("file", "label", "subject"),
    [
        ("walking_1.csv", "Walking", "me"),
        ("2026-11-22 StairsUp pocket.txt", "Upstairs", "me"),
        ("anna/RUN-2.tsv", "Jogging", "anna"),
        ("anna/standing/01.csv", "Standing", "anna"),
        ("down/bo/1.csv", "Downstairs", "bo"),
        ("sitting/walk.csv", "Walking", "me"),
        ("sitting/walk_or_sit.csv", "Sitting", "me"),
        ("stairs.csv", "Stairs", "me"),
        ("sitting/other.csv", "Unknown", "me"),
        ("push-up.csv", "Unknown", "me"),
        ("backup/1.csv", "Unknown", "backup"),
        ("2026-11-22/walking.csv", "Walking", "me"),
        ("01/walking.csv", "Walking", "01"),
        ("01/2026-11-22/walking.csv", "Walking", "01"),
        ("anna/2026-11-22 10_30/walking.csv", "Walking", "anna"),
        ("Šárka/1/walking.csv", "Walking", "Šárka"),
    ],
)
def test_names_of_files_and_folders_say_label_and_person(
    tmp_path: Path, file: str, label: str, subject: str
) -> None:
    root = tmp_path / "own"
    write(root / file, plain().replace(",", "\t") if file.endswith("tsv") else plain())
    recording = one(root)
    assert (set(recording.labels), recording.subject) == ({label}, subject)
    assert {item.subject for item in own.load(root, subject="cleo")[0]} == {"cleo"}


def test_the_folder_itself_may_name_the_label_but_no_person(tmp_path: Path) -> None:
    write(tmp_path / "jogging" / "1.csv", plain())
    assert set(one(tmp_path / "jogging").labels) == {"Jogging"}
    assert one(tmp_path / "jogging").subject == "me"
    assert_is_the_walk(one(tmp_path / "jogging" / "1.csv"))


@pytest.mark.parametrize(
    ("zipped", "member", "label", "subject"),
    [
        ("a.zip", "walking.csv", "Walking", "me"),
        ("anna/sitting.zip", "1.csv", "Sitting", "anna"),
        ("a.zip", "bo/walking/1.CSV", "Walking", "bo"),
        ("jogging.zip", "bo/1.csv", "Jogging", "bo"),
        ("walking.ZIP", "1.csv", "Walking", "me"),
    ],
)
def test_zip_files_are_folders(
    tmp_path: Path, zipped: str, member: str, label: str, subject: str
) -> None:
    path = tmp_path / "own" / zipped
    path.parent.mkdir(parents=True)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(member, plain())
        archive.writestr(f"__MACOSX/{member}", b"\0")
        archive.writestr("video.mp4", b"\0")
    for recording in (one(tmp_path / "own"), *([one(path)] if subject != "anna" else [])):
        assert_is_the_walk(recording)
        assert (set(recording.labels), recording.subject) == ({label}, subject)


def test_a_damaged_zip_is_named_and_stops_nothing_else(tmp_path: Path) -> None:
    damaged = tmp_path / "anna" / "a.zip"
    damaged.parent.mkdir()
    damaged.write_bytes(b"PK broken")
    with pytest.raises(DataError, match=r"no usable recording: anna/a\.zip: cannot be read"):
        own.load(tmp_path)
    with zipfile.ZipFile(damaged, "w") as archive:
        archive.writestr("walking.csv", plain())
    content = bytearray(damaged.read_bytes())
    content[200] ^= 0xFF  # within the member: its checksum no longer fits
    damaged.write_bytes(content)
    with pytest.raises(DataError, match=r"anna/a\.zip: cannot be read: .*CRC"):
        own.load(tmp_path)
    write(tmp_path / "b.csv", plain())
    found, report = own.load(tmp_path)
    assert len(found) == 1
    assert any("anna/a.zip: cannot be read" in oddity for oddity in report.oddities)


def test_a_zip_with_a_password_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("walking.csv", plain())
    content = bytearray(path.read_bytes())
    for header, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(header) + flags] |= 1  # "encrypted", in the member and the directory
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"a\.zip: .*encrypted"):
        own.load(tmp_path)


def test_an_empty_and_a_missing_folder_are_errors(tmp_path: Path) -> None:
    write(tmp_path / "photo.jpg", "")
    write(tmp_path / ".hidden" / "walking.csv", plain())
    with pytest.raises(DataError, match=r"holds no recording: \.csv, .* and \.zip are read"):
        own.load(tmp_path)
    with pytest.raises(MissingError, match="nowhere: there is no such folder"):
        own.load(tmp_path / "nowhere")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("photo.jpg", b"")
    with pytest.raises(DataError, match=r"a\.zip: holds none of"):
        own.load(tmp_path)


def test_many_faults_are_not_all_said_at_once(tmp_path: Path) -> None:
    for n in range(5):
        write(tmp_path / f"{n}.csv", "nonsense")
    with pytest.raises(DataError, match=r"0\.csv: .*; 1\.csv: .*; 2\.csv: .* \(and 2 more\)$"):
        own.load(tmp_path)


def examples_of(doc: str) -> list[str]:
    return re.findall(r"^```csv\n(.*?)^```$", doc, re.DOTALL | re.MULTILINE)


def test_the_examples_of_the_doc_are_read(tmp_path: Path) -> None:
    own_table, recorded = examples_of(DOC)
    assert recorded.startswith("t,x,y,z,label,device,session\n")
    write(tmp_path / "a.csv", own_table)
    write(tmp_path / "pixel-7_9fc6_0.csv", recorded)
    first, second = own.load(tmp_path)[0]
    assert (first.subject, second.subject, second.device) == ("anna", "pixel-7", "pixel-7")
    assert [first.rate_hz, second.rate_hz] == pytest.approx([50, 20])
    for recording in (first, second):
        assert set(recording.labels) == {"Walking"}
        np.testing.assert_allclose(recording.xyz, [[-0.69, 9.68, 0.5], [-0.51, 10.26, 0.95]])


@pytest.mark.parametrize("module", [columns, names, samples])
def test_examples_of_docstrings(module: object) -> None:
    done = doctest.testmod(module)  # type: ignore[arg-type]
    assert done.attempted > 0
    assert done.failed == 0
