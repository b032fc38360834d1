"""The HTTP API is what docs/openapi.yaml says, whatever it is asked, and never fails."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from anyio.from_thread import start_blocking_portal
from hypothesis import settings
from schemathesis import Case
from schemathesis.checks import CHECKS, load_all_checks

from stream import service
from stream.config import Auth, Config, Journal, Model, Server

API = schemathesis.openapi.from_path(Path(__file__).parents[2] / "docs" / "openapi.yaml")
load_all_checks()
# No schema says that times and samples are as many, or what the largest reading is: of frames that
# fit it some are refused, and of those that don't some are taken, since unknown fields are ignored.
BEYOND_SCHEMAS: Any = CHECKS.get_by_names(["positive_data_acceptance", "negative_data_rejection"])


@pytest.fixture(scope="module")
def url(toy_artifact: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a service on a loop of its own, since the library's calls block."""
    config = Config(
        server=Server(port=0),
        model=Model(artifact=str(toy_artifact)),
        journal=Journal(path="", commit_ms=1),
        auth=Auth(tokens=str(tmp_path_factory.mktemp("openapi") / "tokens.json")),
    )
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(service.running(config)) as running,
    ):
        yield running.http_url


@API.parametrize()
@settings(max_examples=30)
def test_whatever_it_is_asked(case: Case[Any], url: str) -> None:
    answer = case.call(base_url=url)
    case.validate_response(answer, excluded_checks=BEYOND_SCHEMAS)
