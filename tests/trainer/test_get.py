"""`gaitway data get`: checksums are held, parts are refused, downloads leave nothing half done."""

import functools
import http.server
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.trainer import made
from trainer.cli import app
from trainer.download import WISDM_LAB, Publisher, blob_id, get, get_wisdm
from trainer.errors import DataError
from trainer.recordings import motionsense, wisdm_v1


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Yield a folder, and the URL under which a real server gives it away."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def archive(folder: Path, text: str) -> Path:
    raw = folder / "raw.txt"
    raw.write_text(text)
    path = folder / "WISDM_ar_latest.tar.gz"
    with tarfile.open(path, "w:gz") as packed:
        packed.add(raw, f"WISDM_ar_v1.1/{wisdm_v1.RAW}")
    return path


def test_blob_id_is_gits() -> None:
    # printf 'hello\n' | git hash-object --stdin
    assert blob_id(b"hello\n") == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_a_part_is_refused_and_both_hashes_are_named(tmp_path: Path) -> None:
    text = made.wisdm_v1_text((1,), seconds=1)
    source = archive(tmp_path, text)
    with pytest.raises(DataError) as caught:
        get("wisdm", source, tmp_path / "cache", False)
    assert blob_id(text.encode()) in str(caught.value)
    assert all(blob in str(caught.value) for blob in WISDM_LAB.raws)
    assert "--allow-partial" in str(caught.value)
    assert not (tmp_path / "cache" / wisdm_v1.RAW).exists()


def test_a_part_is_taken_if_asked(tmp_path: Path) -> None:
    text = made.wisdm_v1_text((1,), seconds=1)
    place = get("wisdm", archive(tmp_path, text), tmp_path / "cache", True)
    assert place.read_text() == text
    assert len(wisdm_v1.load(tmp_path / "cache")[0]) == 6
    with pytest.raises(DataError, match="holds no record"):
        get("wisdm", archive(tmp_path, "nonsense\n"), tmp_path / "cache", True)


def test_what_fits_the_checksum_is_taken(tmp_path: Path, served: tuple[Path, str]) -> None:
    folder, url = served
    text = made.wisdm_v1_text((1,), seconds=1)
    archive(folder, text)
    lab = Publisher(f"{url}/WISDM_ar_latest.tar.gz", (), (blob_id(text.encode()),))
    place = get_wisdm(None, tmp_path / "cache", False, lab)
    assert place.read_text() == text
    assert not list((tmp_path / "cache").glob("*.part"))


def test_a_failed_download_leaves_nothing(tmp_path: Path, served: tuple[Path, str]) -> None:
    lab = Publisher(f"{served[1]}/missing.tar.gz", (), ())
    with pytest.raises(DataError, match=r"download failed: .*404"):
        get_wisdm(None, tmp_path / "cache", False, lab)
    assert not (tmp_path / "cache").exists()


def test_a_download_that_does_not_fit_leaves_nothing(
    tmp_path: Path, served: tuple[Path, str]
) -> None:
    folder, url = served
    archive(folder, made.wisdm_v1_text((1,), seconds=1))
    lab = Publisher(f"{url}/WISDM_ar_latest.tar.gz", ("0" * 40,), ("1" * 40,))
    with pytest.raises(DataError, match=r"1{40}; --allow-partial"):
        get_wisdm(None, tmp_path / "cache", False, lab)
    assert not (tmp_path / "cache").exists()


def test_a_known_archive_is_enough(tmp_path: Path) -> None:
    source = archive(tmp_path, made.wisdm_v1_text((1,), seconds=1))
    lab = Publisher("", (blob_id(source.read_bytes()),), ())
    assert get_wisdm(source, tmp_path / "cache", False, lab).exists()


def test_motionsense_comes_from_a_copy(tmp_path: Path) -> None:
    folder = made.motionsense_folder(tmp_path / "copy", (1,), seconds=1)
    with pytest.raises(DataError, match="--from PATH"):
        get("motionsense", None, tmp_path / "cache", False)
    place = get("motionsense", folder, tmp_path / "cache", False)
    assert place == tmp_path / "cache" / "A_DeviceMotion_data"
    assert len(motionsense.load(tmp_path / "cache")[0]) == 6


def test_help_teaches() -> None:
    runner = CliRunner()
    assert "gaitway train --recipe wisdm-bilstm" in runner.invoke(app, ["train", "--help"]).output
    assert "gaitway data get wisdm --from" in runner.invoke(app, ["data", "get", "--help"]).output
