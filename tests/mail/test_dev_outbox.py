"""The page where unsent mails are read: listed, searched, shown in a frame that can do nothing."""

from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from provisioning import assets
from qikbiz.app.application import create_app
from qikbiz.app.request_pipeline import QikBiz
from qikbiz.messaging.mail import dev_outbox
from tenants.control import new_id
from tests.fixtures.servers import settings_for


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[QikBiz]:
    assets.build()
    app = create_app(settings_for(tmp_path_factory.mktemp("home")))
    yield app
    app.extensions["qikbiz"].dispose()


@pytest.fixture
def visitor(app: QikBiz) -> FlaskClient:
    client = app.test_client()
    client.environ_base["HTTP_HOST"] = "localhost"
    return client


@pytest.fixture
def folder(app: QikBiz) -> Path:
    path: Path = app.extensions["qikbiz"].settings.mail_sink
    return path


def keep(folder: Path, subject: str, to: str = "bob@example.com") -> str:
    message = EmailMessage()
    message["To"], message["Subject"], message["Date"] = to, subject, "Sun, 22 Nov 2026 12:00:00 +0000"
    message.set_content("Choose: https://acme.example/p/1")
    message.add_alternative("<html><head></head><body><p style='color:red'>Choose</p></body></html>", subtype="html")
    mail_id = new_id()
    dev_outbox.write(folder, mail_id, message)
    return str(mail_id)


def test_mails_are_listed_newest_first_and_found(visitor: FlaskClient, folder: Path) -> None:
    keep(folder, "First <b>mail</b>")
    keep(folder, "Second mail", to="carol@example.com")
    page = visitor.get("/mails/").text
    assert page.index("Second mail") < page.index("First &lt;b&gt;")
    found = visitor.get("/mails/?q=CAROL").text
    assert "Second mail" in found
    assert "First" not in found
    assert "No email matches this recipient or subject." in visitor.get("/mails/?q=nobody").text


def test_a_mail_is_shown_as_text_with_links_and_in_a_frame(visitor: FlaskClient, folder: Path) -> None:
    mail_id = keep(folder, "Choose a password")
    page = visitor.get(f"/mails/{mail_id}")
    assert 'href="https://acme.example/p/1"' in page.text
    assert "frame-src 'self'" in page.headers["Content-Security-Policy"]
    frame = visitor.get(f"/mails/{mail_id}/html")
    assert "<base target=" in frame.text
    policy = frame.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert "sandbox allow-popups" in policy


def test_an_unknown_mail_is_not_found(visitor: FlaskClient) -> None:
    assert visitor.get(f"/mails/{new_id()}").status_code == 404
    assert visitor.get("/mails/../../etc/passwd").status_code == 404


@pytest.mark.parametrize("host", ["acme.localhost", "console.localhost", "evil.example"])
def test_the_page_is_on_the_public_site_only(visitor: FlaskClient, host: str) -> None:
    assert visitor.get("/mails/", headers={"Host": host}).status_code != 200
