"""Pages that need no database: the public site and the style guide, with our own files built."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from provisioning import assets
from qikbiz.app.application import create_app
from qikbiz.app.request_pipeline import QikBiz
from tests.fixtures.servers import settings_for


@pytest.fixture(scope="session")
def built_assets() -> Path:
    assets.build()
    return assets.DIST


@pytest.fixture(scope="session")
def site_app(built_assets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[QikBiz]:
    """The whole product, with no server behind it: the public pages must not need one."""
    app = create_app(settings_for(tmp_path_factory.mktemp("home")))
    yield app
    app.extensions["qikbiz"].dispose()


@pytest.fixture
def visitor(site_app: QikBiz) -> FlaskClient:
    client = site_app.test_client()
    client.environ_base["HTTP_HOST"] = "localhost"
    return client
