"""README and docs say what is true: commands, options, files, topics and settings exist."""

import re
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path

import pytest
import typer

from stream import config
from stream.cli import app
from stream.metrics import Metrics
from stream.mqtt import topics
from stream.sensor_apps.dialects import CONNECTING, DIALLED, POSTED
from stream.sensor_apps.dialects.sensor_server import CLOSED

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
DESIGN = (ROOT / "docs" / "design.md").read_text()
PROTOCOL = (ROOT / "docs" / "protocol.md").read_text()
BOUNDS = (ROOT / "docs" / "bounds.md").read_text()
SECURITY = (ROOT / "SECURITY.md").read_text()
ACL = (ROOT / "deploy" / "mosquitto" / "acl").read_text()


def options_of(group: typer.Typer) -> dict[str, set[str]]:
    """Map every command of `gaitway` to its options."""
    root = typer.main.get_group(group)
    commands = dict(root.commands)
    for entry in entry_points(group="gaitway.commands"):
        commands |= getattr(typer.main.get_command(entry.load()), "commands", {})
    found: dict[str, set[str]] = {}
    for name, command in commands.items():
        for sub, inner in getattr(command, "commands", {"": command}).items():
            words = {opt for p in inner.params for opt in (*p.opts, *p.secondary_opts)}
            found[f"{name} {sub}".strip()] = words
    return found


COMMANDS = options_of(app)
FENCED = re.findall(r"^(?:\$ )?gaitway (.+)$", README, re.MULTILINE)


def unknown(line: str) -> list[str]:
    """Return the words of a command line that `gaitway` doesn't know."""
    words = line.partition("#")[0].split()
    name = " ".join(words[:2]) if " ".join(words[:2]) in COMMANDS else words[0]
    known = COMMANDS.get(name)
    if known is None:
        return [name]
    return [word for word in words if word.startswith("--") and word not in known]


@pytest.mark.parametrize("line", FENCED)
def test_commands_of_the_readme_exist(line: str) -> None:
    assert unknown(line) == []


def test_a_wrong_command_would_be_found() -> None:
    assert len(FENCED) >= 6
    assert unknown("serve --colour red") == ["--colour"]
    assert unknown("dance") == ["dance"]


@pytest.mark.parametrize("name", sorted(set(re.findall(r"scripts/\w+", README))))
def test_scripts_of_the_readme_exist(name: str) -> None:
    assert (ROOT / name).stat().st_mode & 0o100


@pytest.mark.parametrize("target", re.findall(r"\]\((?!http)([^)#]+)\)", README + DESIGN))
def test_links_lead_somewhere(target: str) -> None:
    assert (ROOT / target).exists()


def test_every_file_of_the_server_is_in_readme_and_design() -> None:
    whole = {"dialects", "dial"}  # folders that stand there as one
    for path in (ROOT / "stream").rglob("*.py"):
        if path.stem != "__init__" and path.parent.name not in whole:
            assert re.search(rf"\b{path.stem}\b", README), path
            assert f"`{path.stem}`" in DESIGN, path


def test_settings_that_docs_name_exist() -> None:
    known = {
        f"{section}.{key}"
        for section in config.Config.__struct_fields__
        if section != "devices"  # its keys are devices
        for key in getattr(config.Config(), section).__struct_fields__
    }
    sections = "|".join(config.Config.__struct_fields__)
    named = set(re.findall(rf"`((?:{sections})\.\w+)`", README + DESIGN + PROTOCOL + SECURITY))
    assert named
    assert named <= known


def test_topics_of_the_protocol_are_those_of_the_code() -> None:
    documented = dict(re.findall(r"\| `gaitway/<device>/(\w+)` \|.*\| (yes|no) \|", PROTOCOL))
    documented.pop("samples")
    assert documented == {
        name: "yes" if retained else "no" for name, retained in topics.TOPICS.values()
    }


def test_rights_at_the_broker_are_those_of_the_topics() -> None:
    base, shared = config.Mqtt().base, config.Mqtt().sensor_logger
    names = {name for name, _ in topics.TOPICS.values()}
    read = set(re.findall(rf"^pattern read {base}/%u/(\w+)$", ACL, re.MULTILINE))
    assert read == names
    assert set(re.findall(r"^pattern write (.+)$", ACL, re.MULTILINE)) == {
        f"{base}/%u/samples",
        f"{shared}/%u",
    }
    server = ACL.partition("\nuser gaitway\n")[2].partition("\nuser ")[0]
    assert set(re.findall(r"^topic (\w+ .+)$", server, re.MULTILINE)) == {
        f"read {base}/+/samples",
        f"read {shared}",
        f"read {shared}/+",
        f"write {base}/status",
        *(f"write {base}/+/{name}" for name in names),
    }


def test_every_dialect_is_in_phones_and_protocol() -> None:
    phones = (ROOT / "docs" / "phones.md").read_text()
    for dialect in POSTED:
        assert f"`POST /v1/{dialect.name}`" in phones
        assert f"`POST /v1/{dialect.name}`" in PROTOCOL
        assert f"`stream/sensor_apps/dialects/{dialect.name.replace('-', '_')}.py`" in phones
    for dialect in DIALLED:
        assert f"`stream/sensor_apps/dialects/{dialect.name.replace('-', '_')}.py`" in phones
        assert f'"{dialect.name}"' in phones  # as the value of app


def test_every_app_that_connects_is_in_phones_and_has_a_port() -> None:
    phones = (ROOT / "docs" / "phones.md").read_text()
    assert set(re.findall(r"port `tcp\.(\w+)`", phones)) == {
        dialect.name.replace("-", "_") for dialect in CONNECTING
    }
    for dialect in CONNECTING:
        module = dialect.name.replace("-", "_")
        assert f"\n{module} = " in phones
        assert f"`stream/sensor_apps/dialects/{module}.py`" in phones
        assert module in config.Tcp.__struct_fields__


def test_every_close_code_of_sensor_server_is_in_phones() -> None:
    phones = (ROOT / "docs" / "phones.md").read_text()
    rows = "".join(re.findall(r"^\| (4\d\d\d.*?) \|", phones, re.MULTILINE))
    assert {int(code) for code in re.findall(r"4\d\d\d", rows)} == set(CLOSED)


ROWS = [row.split("|")[1:-1] for row in BOUNDS.splitlines() if row.startswith("| ")][1:]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0].strip())
def test_every_bound_is_the_one_that_holds(row: list[str]) -> None:
    _, bound, _, metrics, test = row
    for name, value in re.findall(r"`([\w.]+)` = ([\d.]+)", bound):
        place, _, last = name.rpartition(".")
        known = getattr(config.Config(), place, None) or import_module(f"stream.{place}")
        assert getattr(known, last) == float(value), name
    shown = Metrics().render().decode()
    for name in re.findall(r"`(\w+)`", metrics):
        assert f"# HELP gaitway_{name}" in shown, name
    file, _, function = test.strip(" `").partition("::")
    found = [path.read_text() for path in (ROOT / "tests").rglob(file)]
    assert any(f"def {function}(" in text for text in found), test


def test_bounds_are_read() -> None:
    assert len(ROWS) > 20
