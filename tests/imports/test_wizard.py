"""The import's pages: upload, format, columns, check, import; who may, who may not, and what a double click does."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from threading import Barrier
from typing import BinaryIO
from uuid import UUID

import pytest
from sqlalchemy import select

from qikbiz.app.request_pipeline import QikBiz
from qikbiz.jobs.models import Job
from qikbiz.kernel.database import db, tenant_transaction
from qikbiz.transfer.imports import actions
from qikbiz.transfer.imports.job_steps import check, run_apply, run_undo
from qikbiz.transfer.imports.models import Import
from qikbiz.transfer.imports.uploads import Kept, keep_upload
from tests.fixtures.web import Browser
from tests.fixtures.world import World
from tests.imports.harness import unwatched

PEOPLE = "First name;Last name;E-mail\nZoë;Wizard;zoe@wizard.example\nBad;Row;nobody\n"
Work = Callable[..., None]


@pytest.fixture
def alice(client_for: Callable[[str], Browser]) -> Browser:
    return client_for("alice")


@pytest.fixture
def work_off(app: QikBiz, world: World) -> Work:
    """Does what the import worker would do now."""

    def work(import_id: str) -> None:
        with app.app_context(), tenant_transaction(world.acme.tenant) as session:
            found = session.get_one(Import, UUID(import_id))
            act = {"checking": check, "applying": run_apply, "undoing": run_undo}[found.state]
            act(session, found.id, unwatched)
            db.session.get_one(Job, found.job_id).state = "done"

    return work


def upload(browser: Browser, content: bytes, name: str = "people.csv", **form: str) -> tuple[str, str]:
    """Send a file by the form of the page. Gives the import's id and where the wizard goes on."""
    page = browser.get("/imports/new")
    (import_id,) = re.findall(r'name="import_id" value="([^"]+)"', page.text)
    data = {"import_id": import_id, "type": "contacts", "file": (io.BytesIO(content), name), **form}
    response = browser.post("/imports/", data)
    assert response.status_code == 303, response.text
    return import_id, response.location


def choices_on(page: str) -> dict[str, str]:
    """What the columns page proposes, as its form would send it."""
    chosen = {}
    for name, options in re.findall(r'<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', page, re.DOTALL):
        found = re.findall(r'value="([^"]*)" selected', options)
        chosen[name] = found[0] if found else ""
    radio = re.search(r'<input[^>]* name="mode"[^>]*? value="([^"]+)"[^>]* checked', page)
    return chosen | ({"mode": radio[1]} if radio else {"mode": "upsert"})


def stored_uploads(world: World) -> set[str]:
    return {path.name for path in (world.settings.files / "imports" / str(world.acme.tenant.id)).iterdir()}


def known_uploads(app: QikBiz, world: World) -> set[str]:
    with app.app_context(), tenant_transaction(world.acme.tenant) as session:
        return {path.rpartition("/")[2] for path in session.scalars(select(Import.file_path))}


def test_a_file_goes_from_upload_to_contacts_and_back(alice: Browser, work_off: Work) -> None:
    import_id, place = upload(alice, PEOPLE.encode())
    page = alice.get(place)
    assert "Zoë" in page.text
    after = alice.post(f"/imports/{import_id}/format", {"encoding": "utf-8", "delimiter": ";", "has_header": "1"})
    page = alice.get(after.location)
    choices = choices_on(page.text)
    assert [choices[f"column-{place}"] for place in range(3)] == ["first_name", "last_name", "emails:"]
    after = alice.post(f"/imports/{import_id}/columns", choices)
    assert "Checking" in alice.get(after.location).text
    work_off(import_id)
    page = alice.get(f"/imports/{import_id}")
    assert "Import 1 row" in page.text
    assert "“nobody” is not an email address." in page.text
    alice.post(f"/imports/{import_id}/application")
    work_off(import_id)
    page = alice.get(f"/imports/{import_id}")
    assert "Imported" in page.text
    refused = alice.get(f"/imports/{import_id}/refused.csv", check=False)
    assert refused.data.decode("utf-8-sig").splitlines()[1].startswith("Bad,Row,nobody,E-mail: “nobody”")
    assert "people.csv" in alice.get("/imports/").text
    assert alice.get(f"/imports/{import_id}/refused").status_code == 200
    assert alice.get(f"/imports/{import_id}/updates").status_code == 200
    alice.post(f"/imports/{import_id}/undo")
    work_off(import_id)
    assert "Undone" in alice.get(f"/imports/{import_id}").text


def test_cells_that_can_not_be_read_are_listed_mapped_and_handed_back(
    alice: Browser, client_for: Callable[[str], Browser], work_off: Work
) -> None:
    rows = "Ann,ann@cells.example,hot,n/a\nBo,bo@cells.example,Lead,n/a\nCy,cy@cells.example,Hot,\n"
    import_id, _ = upload(alice, f"First name,E-mail,Stage,Phone\n{rows}".encode())
    alice.post(f"/imports/{import_id}/columns", choices_on(alice.get(f"/imports/{import_id}/columns").text))
    work_off(import_id)
    page = alice.get(f"/imports/{import_id}").text
    assert "4 cells in 3 rows can't be read" in unescape(page) and "Import 3 rows" in page
    page = alice.get(f"/imports/{import_id}/cells").text
    chosen = choices_on(page)
    assert (chosen["policy-2"], chosen["policy-3"], chosen["value-2-0"]) == ("skip", "skip", "")
    form = {"policy-2": "skip", "policy-3": "refuse", "written-2-0": "hot", "value-2-0": "Customer"}
    answer = alice.post(f"/imports/{import_id}/cells", {**form, "value-2-0": "Boiling"})
    assert answer.status_code == 400 and "isn&#39;t a valid option for" in answer.text
    assert client_for("bob").post(f"/imports/{import_id}/cells", form).status_code == 403
    assert client_for("mallory").post(f"/imports/{import_id}/cells", form).status_code == 404
    assert alice.post(f"/imports/{import_id}/cells", form).status_code == 303
    work_off(import_id)
    assert "Import 1 row" in alice.get(f"/imports/{import_id}").text
    assert 'value="Customer" selected' in alice.get(f"/imports/{import_id}/cells").text
    alice.post(f"/imports/{import_id}/cells", {**form, "policy-3": "skip"})
    work_off(import_id)
    alice.post(f"/imports/{import_id}/application")
    work_off(import_id)
    assert "were imported without them" in alice.get(f"/imports/{import_id}").text
    assert "n/a" in alice.get(f"/imports/{import_id}/skipped").text
    given_back = alice.get(f"/imports/{import_id}/skipped.csv", check=False).data.decode("utf-8-sig").splitlines()
    assert given_back[0] == "First name,E-mail,Stage,Phone,Cells that were skipped"
    assert given_back[1].startswith('Ann,ann@cells.example,hot,n/a,"Phone: “n/a”') and len(given_back) == 3


def test_columns_left_out_are_shown_and_opt_outs_in_red_before_the_import(alice: Browser, work_off: Work) -> None:
    head = "First name,E-mail,Werbesperre,Do not contact,Shoe size"
    rows = "".join(f"P{n},p{n}@left.example,{'yes' if n % 2 else ''},,{30 + n}\n" for n in range(6))
    import_id, _ = upload(alice, f"{head}\n{rows}".encode())
    page = alice.get(f"/imports/{import_id}/columns").text
    assert "Opt-outs are not imported" in page and "“Werbesperre”, “Do not contact” seem" in page
    alice.post(f"/imports/{import_id}/columns", choices_on(page))
    work_off(import_id)
    page = alice.get(f"/imports/{import_id}").text
    assert page.index("Opt-outs are not imported") < page.index("Import 6 rows")
    left = page[page.index("Columns that aren") :]
    assert "3 columns" in left and "30 · 31 · 32<" in left and left.index("Werbesperre") < left.index("Shoe size")
    choices = choices_on(alice.get(f"/imports/{import_id}/columns").text)
    chosen = {**choices, "column-2": "email_opt_out", "column-3": "do_not_call"}
    alice.post(f"/imports/{import_id}/columns", chosen)
    work_off(import_id)
    assert "Opt-outs are not imported" not in alice.get(f"/imports/{import_id}").text


def test_a_file_that_is_not_utf8_is_shown_both_ways_and_never_guessed(alice: Browser) -> None:
    import_id, place = upload(alice, "Name,E-mail\nJosé,jose@wizard.example\n".encode("cp1252"))
    page = alice.get(place)
    assert "This file is not UTF-8" in page.text
    assert "Line 2: José,jose@wizard.example" in page.text
    assert alice.get(f"/imports/{import_id}/columns").location.endswith("/format")
    alice.post(f"/imports/{import_id}/format", {"encoding": "cp1252", "delimiter": ",", "has_header": "1"})
    assert "José" in alice.get(f"/imports/{import_id}/columns").text


def test_a_broken_choice_is_said_and_what_was_chosen_stays(alice: Browser) -> None:
    import_id, _ = upload(alice, PEOPLE.encode())
    form = {"column-0": "first_name", "column-1": "first_name", "key": "email", "mode": "upsert"}
    answer = alice.post(f"/imports/{import_id}/columns", form)
    assert answer.status_code == 400
    assert "both imported as the same field" in answer.text
    assert choices_on(answer.text)["column-1"] == "first_name"


def test_an_empty_file_and_no_file_are_said_beside_the_field(alice: Browser) -> None:
    page = alice.get("/imports/new")
    (import_id,) = re.findall(r'name="import_id" value="([^"]+)"', page.text)
    answer = alice.post("/imports/", {"import_id": import_id, "type": "contacts", "file": (io.BytesIO(b""), "a.csv")})
    assert (answer.status_code, "The file is empty." in answer.text) == (400, True)
    answer = alice.post("/imports/", {"import_id": import_id, "type": "contacts"})
    assert (answer.status_code, "Choose a file." in answer.text) == (400, True)


def test_the_same_upload_sent_twice_is_one_import(alice: Browser) -> None:
    page = alice.get("/imports/new")
    (import_id,) = re.findall(r'name="import_id" value="([^"]+)"', page.text)
    places = [
        alice.post(
            "/imports/", {"import_id": import_id, "type": "contacts", "file": (io.BytesIO(PEOPLE.encode()), "a.csv")}
        ).location
        for _ in range(2)
    ]
    assert places[0] == places[1]


def test_two_clicks_at_once_are_one_import_and_its_file_stays_whole(
    app: QikBiz,
    alice: Browser,
    log_in: Callable[..., Browser],
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both looked before either was there: the second request gets the first one's import."""
    page = alice.get("/imports/new")
    (import_id,) = re.findall(r'name="import_id" value="([^"]+)"', page.text)
    gate, browsers = Barrier(2, timeout=30), (alice, log_in(world.alice))

    def kept_together(given: BinaryIO) -> Kept:
        gate.wait()
        return keep_upload(given)

    def send(browser: Browser) -> tuple[int, str]:
        data = {"import_id": import_id, "type": "contacts", "file": (io.BytesIO(PEOPLE.encode()), "a.csv")}
        answer = browser.post("/imports/", data)
        return answer.status_code, str(answer.location)

    monkeypatch.setattr(actions, "keep_upload", kept_together)
    with ThreadPoolExecutor(2) as both:
        answers = set(both.map(send, browsers))
    ((status, place),) = answers
    assert status == 303 and "Zoë" in alice.get(place).text
    assert stored_uploads(world) <= known_uploads(app, world)


def test_nobody_takes_over_a_colleagues_import_by_its_number(
    app: QikBiz, alice: Browser, client_for: Callable[[str], Browser], world: World
) -> None:
    import_id, place = upload(alice, PEOPLE.encode())
    ben = client_for("ben")
    for content in (b"Last name,E-mail\nThief,thief@wizard.example\n", b""):
        data = {"import_id": import_id, "type": "contacts", "file": (io.BytesIO(content), "b.csv")}
        assert ben.post("/imports/", data).status_code == 400
    assert "Zoë" in alice.get(place).text
    assert stored_uploads(world) <= known_uploads(app, world)


def test_the_same_file_with_the_same_choices_shows_what_it_did(alice: Browser, work_off: Work) -> None:
    content = b"Last name,E-mail\nTwice,twice@wizard.example\n"
    first, _ = upload(alice, content)
    choices = choices_on(alice.get(f"/imports/{first}/columns").text)
    alice.post(f"/imports/{first}/columns", choices)
    work_off(first)
    for _ in range(2):
        alice.post(f"/imports/{first}/application")
    work_off(first)
    second, _ = upload(alice, content)
    answer = alice.post(f"/imports/{second}/columns", choices)
    assert "This file was already imported, with the same choices" in answer.text
    assert f"/imports/{first}" in answer.text
    assert alice.post(f"/imports/{second}/columns", {**choices, "again": "1"}).status_code == 303


def test_a_reader_may_not_import_and_strangers_find_nothing(
    client_for: Callable[[str], Browser], alice: Browser
) -> None:
    import_id, _ = upload(alice, PEOPLE.encode())
    assert client_for("bob").get("/imports/").status_code == 403
    assert client_for("bob").get("/imports/new").status_code == 403
    for path in (f"/imports/{import_id}", f"/imports/{import_id}/columns", f"/imports/{import_id}/refused.csv"):
        assert client_for("mallory").get(path).status_code == 404
    assert client_for("mallory").post(f"/imports/{import_id}/application").status_code == 404


def test_formulas_and_markup_in_a_file_are_shown_as_text(alice: Browser) -> None:
    _, place = upload(alice, b'Last name,E-mail\n"<script>alert(1)</script>","=cmd|x"\n')
    assert "&lt;script&gt;alert(1)" in alice.get(place).text


def test_where_nothing_tells_who_exists_already_creating_is_proposed_and_said(alice: Browser) -> None:
    import_id, _ = upload(alice, b"First name,Last name,Zip\nAnn,Wizard,1067.0\n")
    page = alice.get(f"/imports/{import_id}/columns").text
    assert "No column identifies existing contacts" in page
    assert choices_on(page)["mode"] == "create"
    assert "leading zeros can&#39;t be restored" in page
    refused = alice.post(f"/imports/{import_id}/columns", choices_on(page) | {"mode": "upsert"})
    assert "choose “Only create”" in refused.text
    assert alice.post(f"/imports/{import_id}/columns", choices_on(page)).status_code == 303
