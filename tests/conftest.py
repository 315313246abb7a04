"""Fixtures live in `tests/fixtures`, a file per subject; each file there is loaded."""

import gc
from pathlib import Path
from typing import Any

import pytest

from tests.jobs import feature

# Until everything is loaded; see the end of this file.
gc.disable()
pytest.register_assert_rewrite("tests.fixtures")
# Before any test is collected: some are made from what the features register.
feature.install()

pytest_plugins = sorted(
    f"tests.fixtures.{module.stem}"
    for module in (Path(__file__).parent / "fixtures").glob("*.py")
    if module.stem != "__init__"
)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Hand out whole files, and all that drives a browser as one: starting a second product for it takes long."""
    from xdist.scheduler import LoadFileScheduling

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return "tests/browser" if nodeid.startswith("tests/browser/") else str(super()._split_scope(nodeid))

    return ByFile(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What was loaded and collected stays to the end: looking through it again and again took a twelfth of the time."""
    gc.freeze()
    gc.enable()
    gc.set_threshold(20_000, 20, 20)
