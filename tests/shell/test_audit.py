"""scripts/audit: an advisory, and a database that doesn't answer, are told apart and never pass."""

import shutil
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "scripts" / "audit"
FINE = "No known vulnerabilities found"
FOUND = "Found 2 known vulnerabilities in 1 package"
SILENT = "ERROR: numpy: Dependency not found on PyPI and could not be audited"


def runs(path: Path, program: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/usr/bin/env bash\n{program}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("first", "second", "code", "said"),
    [
        (FINE, FINE, 0, "b.txt: nothing is known of what"),
        (FINE, FOUND, 1, "b.txt: the advisories above hold"),
        (FOUND, SILENT, 2, "b.txt: NOT AUDITED"),
        (SILENT, FOUND, 2, "a.txt: NOT AUDITED"),
        ("Traceback: ConnectionError", FINE, 2, "a.txt: NOT AUDITED"),
    ],
)
def test_what_it_ends_with(tmp_path: Path, first: str, second: str, code: int, said: str) -> None:
    (tmp_path / "scripts").mkdir()
    shutil.copy(SCRIPT, tmp_path / "scripts" / "audit")
    runs(tmp_path / "scripts" / "environment", "echo venv")
    (tmp_path / "requirements").mkdir()
    for name, words in (("a", first), ("b", second)):
        (tmp_path / "requirements" / f"{name}.txt").write_text(words)
    answer = 'while [ "$1" != --requirement ]; do shift; done; cat "$2"; grep -q ^No "$2"'
    runs(tmp_path / "venv" / "bin" / "pip-audit", answer)
    done = subprocess.run(
        [tmp_path / "scripts" / "audit"], capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert said in done.stdout + done.stderr
