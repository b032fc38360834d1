"""People out of data sets: files that the tests make, and the real ones where they are."""

import os
from pathlib import Path

import numpy as np
import pytest

from clients import demo_people
from clients.errors import ReplayError
from clients.people import load_people
from clients.walker import walk
from stream.errors import ConfigError
from tests.clients.made import write_wisdm
from trainer.errors import DataError

DATA = os.environ.get("GAITWAY_DATA")


def test_a_person_is_one_track_with_gaps_between_recordings(tmp_path: Path) -> None:
    path = write_wisdm(tmp_path / "WISDM_ar_v1.1_raw.txt", users=("33", "17"))
    tracks = load_people(path)
    assert [track.name for track in tracks] == ["wisdm-v1.1-33", "wisdm-v1.1-17"]
    assert list(dict.fromkeys(tracks[0].labels.tolist())) == ["Walking", "Sitting"]
    assert tracks[0].t[0] == 0
    assert (np.diff(tracks[0].t) > 0).all()


def test_one_person_can_be_chosen(tmp_path: Path) -> None:
    path = write_wisdm(tmp_path / "WISDM_ar_v1.1_raw.txt", users=("33", "17"))
    for name in ("17", "wisdm-v1.1-17"):  # the second as everything that is printed has it
        assert [track.name for track in load_people(path, [name])] == ["wisdm-v1.1-17"]
    with pytest.raises(ReplayError, match="no user 18; there are 17, 33"):
        load_people(path, ["17", "18"])


def test_a_file_of_another_name_and_a_folder_are_found_out(tmp_path: Path) -> None:
    path = write_wisdm(tmp_path / "WISDM_ar_v1.1_raw.txt", users=("33",))
    assert load_people(tmp_path)
    renamed = path.rename(tmp_path / "mine.txt")
    assert load_people(renamed)


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(ReplayError, match="no such file or folder; `gaitway data get wisdm`"):
        load_people(tmp_path / "nowhere")
    with pytest.raises(ReplayError, match="holds no recordings that are known"):
        load_people(tmp_path)
    path = write_wisdm(tmp_path / "WISDM_ar_v1.1_raw.txt", users=("33", "9"))
    with pytest.raises(ReplayError, match="no user 7; there are 9, 33"):
        load_people(path, ["7"])


def test_a_damaged_archive_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "wisdm-dataset.zip"
    path.write_bytes(b"this is no zip archive")
    with pytest.raises(DataError, match="cannot be read"):
        load_people(path)


def test_the_demo_makes_walkers_up_where_nothing_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GAITWAY_DATA", str(tmp_path))
    cast = demo_people.find_cast()
    assert cast.what == "4 made-up walkers"
    assert "no recordings were found" in cast.note
    for track in cast.tracks:
        assert len(set(track.labels.tolist())) > 2


def test_a_folder_that_is_named_and_is_not_there_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GAITWAY_DATA", "/nope")
    with pytest.raises(ConfigError, match="GAITWAY_DATA = '/nope': there is no such folder"):
        demo_people.find_cast()


def test_the_demo_passes_over_what_is_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GAITWAY_DATA", str(tmp_path))
    (tmp_path / "wisdm-dataset.zip").write_bytes(b"this is no zip archive")
    (tmp_path / "WISDM_ar_latest.tar.gz").write_bytes(b"nor is this")
    assert demo_people.find_cast().what == "4 made-up walkers"


def test_the_demo_plays_recordings_that_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GAITWAY_DATA", str(tmp_path))
    write_wisdm(tmp_path / "WISDM_ar_v1.1_raw.txt", users=("33", "17"))
    cast = demo_people.find_cast()
    assert cast.what == "recordings of 2 people (wisdm-v1.1)"
    first = [track.labels[0] for track in cast.tracks]
    assert first == ["Walking", "Walking"]


@pytest.mark.skipif(DATA is None, reason="GAITWAY_DATA names no recordings")
def test_the_demo_takes_people_of_every_data_set() -> None:
    cast = demo_people.find_cast()
    assert len(cast.tracks) == 8
    for name in ("motionsense", "wisdm-2019", "wisdm-v1.1"):
        assert name in cast.what


@pytest.mark.skipif(DATA is None, reason="GAITWAY_DATA names no recordings")
def test_the_real_wisdm_user_33_has_all_records() -> None:
    (track,) = load_people(Path(DATA or "") / "WISDM_ar_latest.tar.gz", ["33"])
    assert len(track.t) == 23_142
    assert set(track.labels.tolist()) == {"Walking", "Jogging", "Upstairs", "Downstairs"}
    assert (np.diff(track.t) >= 0).all()


def test_walkers_are_not_all_the_same() -> None:
    assert walk("a", [("Walking", 1.0)]).name == "a"
    assert len({track.xyz.tobytes() for track in demo_people.walkers()}) == 4
