"""The loader of WISDM v1.1: every quirk of the file is counted, and none raises."""

import os
import tarfile
from pathlib import Path

import numpy as np
import pytest

from tests.trainer import made
from trainer.errors import DataError, MissingError
from trainer.recordings import wisdm_v1
from trainer.recordings.recording import LoadReport
from trainer.recordings.wisdm_v1 import load, load_table, parse, recordings

GOOD = "33,Jogging,49105962326000,-0.69,12.68,0.50;\n"


@pytest.mark.parametrize(
    ("text", "found", "kept", "oddity"),
    [
        (GOOD, 1, 1, "trailing ;"),
        (GOOD.replace(";", ""), 1, 1, "no ; at the end of a line"),
        (GOOD.strip() + GOOD, 2, 2, "more than one record on a line"),
        (GOOD.replace(";", "") * 2 + GOOD.strip(), 3, 3, "no newline at the end of the file"),
        ("33,Jogging,49105962326000,-0.69,12.68,;\n", 1, 0, "empty or missing z, left out"),
        ("33,Jogging,49105962326000,-0.69,12.68;\n", 1, 0, "empty or missing z, left out"),
        (GOOD + "\n  \n" + GOOD, 2, 2, "blank line"),
        (GOOD + ";\n", 1, 1, "line without a record"),
        (GOOD.replace(";", ",;"), 1, 1, "comma at the end of a record"),
        (GOOD.replace("49105962326000", "0"), 1, 1, "zero timestamp"),
        (GOOD + GOOD.replace("491", "490"), 2, 2, "backward timestamp"),
        (GOOD + GOOD, 2, 2, "repeated timestamp"),
        (GOOD.replace("12.68", "12.6.8"), 1, 0, "malformed record, left out"),
        (GOOD.replace("\n", "").replace(";", "") + GOOD, 1, 0, "malformed record, left out"),
        (GOOD.replace("12.68", "nan"), 1, 0, "malformed record, left out"),
        (GOOD.replace("Jogging", "Flying"), 1, 0, "unknown activity, left out"),
        (GOOD.replace("49105962326000", "9" * 30), 1, 0, "malformed record, left out"),
    ],
)
def test_quirk_is_counted(text: str, found: int, kept: int, oddity: str) -> None:
    table, report = parse(text)
    assert (report.found, report.kept, len(table.xyz)) == (found, kept, kept)
    assert report.oddities[oddity] >= 1
    assert any(oddity in line for line in report.lines())


def test_values_are_kept() -> None:
    table, _ = parse(GOOD)
    assert table.users.tolist() == [33]
    assert table.time_ns.tolist() == [49105962326000]
    np.testing.assert_allclose(table.xyz, [[-0.69, 12.68, 0.50]], rtol=1e-6)


def rows(*times_s: float, user: int = 1, activity: str = "Walking") -> str:
    return "".join(f"{user},{activity},{round(t * 1e9)},1.0,9.8,0.0;\n" for t in times_s)


@pytest.mark.parametrize(
    ("text", "lengths"),
    [
        (rows(1.0, 1.05, 1.1), [3]),
        (rows(1.0, 1.05, 1.1, 3.0, 3.05), [3, 2]),  # a gap over one second
        (rows(5.0, 5.05, 5.1, 4.0, 4.05), [3, 2]),  # a jump back
        (rows(1.0, 1.05) + rows(1.1, 1.15, activity="Sitting"), [2, 2]),
        (rows(1.0, 1.05) + rows(1.1, 1.15, user=2), [2, 2]),
        (rows(1.0, 1.05, 0.0, 1.1, 1.15), [4]),  # the record without a time is left out
    ],
)
def test_runs_are_contiguous(text: str, lengths: list[int]) -> None:
    found = list(recordings(*parse(text)))
    assert [len(recording) for recording in found] == lengths
    assert all(recording.t is not None for recording in found)


def test_senseless_times_are_dropped_and_said() -> None:
    table, report = parse(rows(*[7.0] * 50))
    (recording,) = recordings(table, report)
    assert recording.t is None
    assert report.oddities["record in a block without usable times, taken as 20 Hz"] == 50


def test_nothing_is_lost_over_all_runs() -> None:
    table, report = parse(made.wisdm_v1_text((1, 2)))
    found = list(recordings(table, report))
    assert sum(map(len, found)) == report.kept
    assert {recording.subject for recording in found} == {"1", "2"}


def test_archive_and_text_give_the_same(tmp_path: Path) -> None:
    raw = tmp_path / wisdm_v1.RAW
    raw.write_text(made.wisdm_v1_text((1,), seconds=2))
    archive = tmp_path / "packed" / "WISDM_ar_latest.tar.gz"
    archive.parent.mkdir()
    with tarfile.open(archive, "w:gz") as packed:
        packed.add(raw, f"WISDM_ar_v1.1/{wisdm_v1.RAW}")
    np.testing.assert_array_equal(load_table(raw)[0].xyz, load_table(archive)[0].xyz)
    assert len(load(tmp_path / "packed")[0]) == len(load(raw)[0])


def test_wrong_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match="gaitway data get wisdm"):
        load(tmp_path)
    damaged = tmp_path / "WISDM_ar_latest.tar.gz"
    damaged.write_bytes(b"\x1f\x8b not an archive")
    with pytest.raises(DataError, match="cannot be read"):
        load(damaged)
    empty = tmp_path / "empty.txt"
    empty.write_text("\n")
    with pytest.raises(DataError, match="holds no record"):
        load(empty)


@pytest.mark.skipif("GAITWAY_DATA" not in os.environ, reason="GAITWAY_DATA is not set")
def test_the_real_file() -> None:
    found, report = load(None)
    assert report.found == report.kept == sum(map(len, found))
    assert isinstance(report, LoadReport)
    rates = {
        recording.subject: 1 / np.median(np.diff(recording.t))
        for recording in found
        if recording.t is not None
    }
    assert rates["17"] == pytest.approx(9.5, abs=0.5)
