"""The file of tokens, and the commands that change it."""

import os
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from stream.access import token_file
from stream.access.token_file import TokenFile
from stream.access.tokens import Book, Token
from stream.cli import app
from stream.errors import ConfigError, GaitwayError
from tests.shell.access import Keys

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def token(*words: str) -> tuple[str, str]:
    """Run `gaitway token …`; return what it prints, and what it says beside."""
    done = CliRunner().invoke(app, ["token", *words])
    if isinstance(done.exception, GaitwayError):
        raise done.exception
    assert done.exit_code == 0, done.output
    return done.stdout, done.stderr


def kept(folder: Path) -> list[Token]:
    return list(token_file.load(folder / "tokens.json"))


def test_add_prints_the_token_alone_and_keeps_its_hash(folder: Path) -> None:
    out, beside = token("add", "--device", "pixel-7")
    shown = out.strip()
    assert re.fullmatch(r"gw-[0-9a-f]{8}-[\w-]{43}", shown)
    assert f"/phone#token={shown}" in beside
    raw = (folder / "tokens.json").read_text()
    assert shown[12:] not in raw
    assert (folder / "tokens.json").stat().st_mode & 0o777 == 0o600
    found = token_file.load(folder / "tokens.json").find(shown, NOW)
    assert (found.may, found.name, found.expires) == ("device", "pixel-7", None)


def test_the_file_is_named_and_so_is_what_to_do_where_it_holds_nothing(folder: Path) -> None:
    file = folder / "tokens.json"
    assert token("list") == (
        "",
        f"{file} is not there, so there are no tokens. Make one: gaitway token add --device NAME\n",
    )
    assert f"{file} keeps its hash" in token("add", "--admin")[1]
    (kept_one,) = kept(folder)
    token("revoke", kept_one.id)
    assert token("list")[1].startswith(f"{file} holds no tokens. Make one: gaitway token add")


def test_each_kind_is_listed_and_revoked(folder: Path) -> None:
    token("add", "--watch", "pixel-*", "--expires", "30d")
    token("add", "--phones")
    token("add", "--admin")
    listed = token("list")[0].splitlines()
    assert re.fullmatch(
        r"[0-9a-f]{8}  watch pixel-\* +made \d{4}-\d\d-\d\d  expires \S+ \S+ UTC", listed[0]
    )
    for line, kind in zip(listed[1:], ("phones", "admin"), strict=True):
        assert re.fullmatch(rf"[0-9a-f]{{8}}  {kind} +made \d{{4}}-\d\d-\d\d", line)
    watch, phones, admin = kept(folder)
    assert watch.expires is not None
    assert (watch.expires - watch.created).days == 30
    assert token("revoke", watch.id)[0] == f"revoked {watch.id}\n"
    assert kept(folder) == [phones, admin]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["add"], "one of --device NAME, --watch PATTERN, --phones and --admin"),
        (["add", "--device", "a", "--admin"], "one of"),
        (["add", "--phones", "--admin"], "one of"),
        (["add", "--device", "a/b"], "device id 'a/b'"),
        (["add", "--watch", "a#"], "--watch 'a#'"),
        (["add", "--admin", "--expires", "soon"], "--expires 'soon': a number and m, h, d or w"),
        (["add", "--admin", "--expires", "0d"], "--expires '0d'"),
        (["revoke", "00000000"], "'00000000' is not here; there are: none"),
    ],
)
def test_what_is_wrong_is_named_and_changes_nothing(
    folder: Path, words: list[str], message: str
) -> None:
    with pytest.raises(GaitwayError) as error:
        token(*words)
    assert message in str(error.value)
    assert not (folder / "tokens.json").exists() or kept(folder) == []


def test_the_file_is_the_configs(folder: Path) -> None:
    (folder / "config.toml").write_text('[auth]\ntokens = "keys/who.json"')
    with pytest.raises(ConfigError, match=r"keys/who\.json: cannot be written: No such file"):
        token("add", "--admin")
    (folder / "keys").mkdir()
    token("add", "--admin")
    assert len(token_file.load(folder / "keys" / "who.json")) == 1


def test_two_at_a_time_lose_nothing(tmp_path: Path) -> None:
    keys = Keys(tmp_path / "tokens.json")
    before = len(token_file.load(keys.path))
    with ThreadPoolExecutor(8) as pool:
        shown = list(pool.map(lambda number: keys.add("device", f"d{number}"), range(40)))
    book = token_file.load(keys.path)
    assert len(book) == before + 40
    assert {book.find(text, NOW).name for text in shown} == {f"d{number}" for number in range(40)}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["tokens.json", "tokens.json.lock"]


def test_owner_and_rights_stay(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    Keys(path)
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, 1234, 1234)
    before = path.stat()
    with token_file.changing(path) as books:
        books[0] = Book()
    after = path.stat()
    assert (after.st_mode, after.st_uid, after.st_gid) == (
        before.st_mode,
        before.st_uid,
        before.st_gid,
    )


def test_a_change_is_seen_at_once_and_an_accident_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "tokens.json"
    file = TokenFile(path)
    assert file.book() is None
    keys = Keys(path)
    book = file.book()
    assert book is not None
    assert book is file.book()  # read once
    keys.revoke(keys.device)
    assert len(file.book() or ()) == len(book) - 1
    path.unlink()
    for _ in range(3):
        gone = file.book()
        assert gone is not None
        assert len(gone) == 0
    assert [record.message for record in caplog.records] == [
        f"{path}: is gone; nobody is let in until it is back"
    ]
