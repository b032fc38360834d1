"""The loaders of WISDM 2019 and MotionSense, on made files and on the real ones."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tests.trainer import made
from trainer.errors import DataError, MissingError
from trainer.recordings import FORMATS, motionsense, wisdm_2019


def test_motionsense_has_androids_sign_and_ms2(tmp_path: Path) -> None:
    made.motionsense_folder(tmp_path, (3,), seconds=4)
    found, report = motionsense.load(tmp_path)
    sitting = next(recording for recording in found if recording.labels[0] == "Sitting")
    assert len(found) == 6
    assert report.found == report.kept == 6 * 200
    assert sitting.subject == "3"
    np.testing.assert_allclose(sitting.xyz.mean(axis=0), [0, 0, 9.8], atol=0.1)
    assert sitting.t is not None
    np.testing.assert_allclose(np.diff(sitting.t), 0.02)


def test_motionsense_zip_and_folder_give_the_same(tmp_path: Path) -> None:
    folder = made.motionsense_folder(tmp_path, (1, 2), seconds=2)
    path = tmp_path / "A_DeviceMotion_data.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in folder.rglob("*.csv"):
            archive.write(file, file.relative_to(tmp_path))
            archive.writestr(f"__MACOSX/{file.relative_to(tmp_path)}", b"\0")
    packed, unpacked = motionsense.load(path)[0], motionsense.load(folder)[0]
    for one, other in zip(packed, unpacked, strict=True):
        assert (one.subject, one.labels[0]) == (other.subject, other.labels[0])
        np.testing.assert_array_equal(one.xyz, other.xyz)


def test_motionsense_without_its_columns_is_an_error(tmp_path: Path) -> None:
    trial = tmp_path / "A_DeviceMotion_data" / "wlk_7" / "sub_1.csv"
    trial.parent.mkdir(parents=True)
    trial.write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"sub_1\.csv: 'gravity\.x' is not in list"):
        motionsense.load(tmp_path)


def test_wisdm_2019_keeps_all_labels(tmp_path: Path) -> None:
    made.wisdm_2019_zip(tmp_path, (1600, 1650), seconds=3)
    found, report = wisdm_2019.load(tmp_path)
    labels = [(recording.subject, str(recording.labels[0])) for recording in found]
    each = ["Walking", "Stairs", "Sitting"]
    assert labels == [(person, label) for person in ("1600", "1650") for label in each]
    assert report.kept == 2 * 3 * 60


def test_wisdm_2019_counts_what_is_odd(tmp_path: Path) -> None:
    file = tmp_path / "wisdm-dataset/raw/phone/accel/data_1600_accel_phone.txt"
    file.parent.mkdir(parents=True)
    senseless = "".join(f"1600,A,{n},0,9.8,0;\n" for n in range(10))
    file.write_text(f"{senseless}\n1600,A,1\n1600,Z,1,2,3,4;\n1600,B,x,2,3,4;\n1600,B,5,nan,3,4;\n")
    (recording,), report = wisdm_2019.load(tmp_path)
    assert recording.t is None
    assert report.oddities["blank line"] == 1
    assert report.oddities["malformed record, left out"] == 4
    assert report.oddities["record in a block without usable times, taken as 20 Hz"] == 10


@pytest.mark.parametrize("name", FORMATS)
def test_missing_and_foreign_files_are_named(name: str, tmp_path: Path) -> None:
    kind = FORMATS[name]
    with pytest.raises(MissingError, match=f"gaitway data get {kind.get}"):
        kind.load(tmp_path)
    foreign = tmp_path / "foreign.zip"
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("readme.txt", "nothing here")
    with pytest.raises(DataError, match="holds no"):
        kind.load(foreign)
    foreign.write_bytes(b"PK broken")
    with pytest.raises(DataError, match="cannot be read"):
        kind.load(foreign)


@pytest.mark.parametrize(("name", "people"), [("motionsense", 18), ("wisdm-2019", 16)])
@pytest.mark.skipif("GAITWAY_DATA" not in os.environ, reason="GAITWAY_DATA is not set")
def test_the_real_files(name: str, people: int) -> None:
    found, report = FORMATS[name].load(None)
    assert len({recording.subject for recording in found}) == people
    assert report.found == report.kept == sum(map(len, found))
    # Over all recordings a phone at rest weighs in at gravity.
    norms = [float(np.linalg.norm(r.xyz, axis=1).mean()) for r in found if r.labels[0] == "Sitting"]
    assert np.median(norms) == pytest.approx(9.8, abs=0.3)
