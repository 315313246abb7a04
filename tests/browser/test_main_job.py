"""What QikBiz is for: bring contacts in from a file, work with them, get them back, and leave nothing open."""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from uuid import uuid4

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Browsers
from tests.browser.product import Person

# So that the file is a new one however often this copy of the product was tested.
SERIAL = uuid4().hex[:8]
# As HubSpot writes it, with one row that can't be imported.
FILE = f"""\
Record ID;First Name;Last Name;Email;Phone Number;Company Name;Job Title;Lifecycle Stage
{SERIAL}1;Zoë;Quarterman{SERIAL};zoe.{SERIAL}@moving-in.example;+44 20 7946 0811;Quarterman & Daughters;Founder;Customer
{SERIAL}2;Łukasz;Quibell;lukasz.{SERIAL}@moving-in.example;;Quarterman & Daughters;Buyer;Lead
{SERIAL}3;Broken;Quoll;not an address;;;;Lead
"""


def test_contacts_are_imported_found_edited_exported_and_left(browsers: Browsers, tmp_path: Path) -> None:
    alice = browsers.log_in("alice", remember=True)
    import_file(alice, tmp_path)
    edit_what_was_imported(alice)
    export = ask_for_an_export(alice)
    # She closes her browser and comes back: remembered, but the file is given only after the password.
    alice = browsers.close_and_open_again(alice)
    alice.goto(export)
    check_the_export(download(alice, browsers.product.people["alice"], tmp_path), tmp_path)
    expect_both_on_the_start_page(alice)
    expect_every_step_in_the_audit(alice)
    log_out(alice, export)


def import_file(alice: Page, folder: Path) -> None:
    file = folder / "hubspot-contacts.csv"
    file.write_text(FILE, encoding="utf-8")
    alice.get_by_role("link", name="Imports").first.click()
    alice.locator("main").get_by_role("link", name="Import a file").click()
    alice.get_by_label("Choose a CSV file").set_input_files(file)
    alice.get_by_role("button", name="Upload").click()
    expect(alice.get_by_role("heading", level=1, name="File format")).to_be_visible()
    expect(alice.get_by_label("Delimiter")).to_have_value(";")
    expect(alice.get_by_role("cell", name="Łukasz")).to_be_visible()
    alice.get_by_role("button", name="Continue").click()
    choose_columns(alice)
    apply(alice)


def choose_columns(alice: Page) -> None:
    """The guesses are right as they are; the key and what to do are the person's own."""
    expect(alice.get_by_role("heading", level=1, name="Map columns")).to_be_visible()
    guessed = [alice.locator(f"#column-{place}").input_value() for place in range(1, 8)]
    assert guessed[:2] == ["first_name", "last_name"]
    assert guessed[2].startswith("emails:") and guessed[3].startswith("phones:")
    assert guessed[4:] == ["company_name", "job_title", "lifecycle_stage"]
    alice.get_by_label("Match by").select_option("email")
    alice.get_by_role("radio", name="Create and update").check()
    alice.get_by_role("button", name="Check the file").click()


def apply(alice: Page) -> None:
    """The dry run's numbers, then exactly those."""
    expect(alice.get_by_role("heading", name="What will happen")).to_be_visible()
    expect(figure(alice, "To create")).to_have_text("2")
    expect(figure(alice, "Can't be imported")).to_have_text("1")
    expect(alice.locator("#standing")).to_contain_text("not an address")
    alice.get_by_role("button", name="Import 2 rows").click()
    expect(alice.get_by_role("heading", name="Imported", exact=True)).to_be_visible()
    expect(figure(alice, "Created")).to_have_text("2")
    with alice.expect_download() as refused:
        alice.get_by_role("link", name="Download these rows").click()
    assert "Quoll" in refused.value.path().read_text(encoding="utf-8-sig")


def figure(page: Page, label: str) -> Locator:
    return page.locator(".figure", has_text=label).locator("dd, .figure-value").first


def edit_what_was_imported(alice: Page) -> None:
    alice.get_by_role("link", name="View contacts").click()
    alice.get_by_label("Search contacts", exact=True).press_sequentially(f"quarterman{SERIAL} zoë")
    expect(alice.locator("a.record-link")).to_have_count(1)
    alice.locator("a.record-link").click()
    expect(alice.get_by_role("heading", level=1, name=f"Zoë Quarterman{SERIAL}")).to_be_visible()
    expect(alice.get_by_text("Founder at Quarterman & Daughters")).to_be_visible()
    alice.get_by_role("link", name="Edit", exact=True).click()
    alice.get_by_label("Job title").fill("Chair")
    alice.get_by_label("Tags").fill("moving-in")
    alice.get_by_role("button", name="Save contact").click()
    expect(alice.get_by_role("region", name="Messages")).to_contain_text("Saved")
    timeline = alice.locator("#timeline")
    for words in ("Founder", "Chair", "moving-in"):
        expect(timeline).to_contain_text(words)
    expect(timeline.get_by_role("link", name="View import")).to_be_visible()


def ask_for_an_export(alice: Page) -> str:
    alice.get_by_role("link", name="Exports").first.click()
    alice.get_by_role("link", name="New export").click()
    alice.get_by_role("radio", name=re.compile("Everything")).check()
    alice.get_by_role("radio", name=re.compile("Portable")).check()
    alice.get_by_role("button", name="Export").click()
    # The page follows by itself until the file is there.
    expect(alice.get_by_role("link", name="Download")).to_be_visible(timeout=60_000)
    return alice.url


def download(alice: Page, person: Person, folder: Path) -> Path:
    alice.get_by_role("link", name="Download").click()
    expect(alice.get_by_role("heading", level=1, name="Confirm your identity")).to_be_visible()
    alice.get_by_label("Password").fill("a wrong one, typed too quickly")
    alice.get_by_role("button", name="Continue").click()
    expect(alice.get_by_role("alert")).to_be_visible()
    alice.get_by_label("Password").fill(person.password)
    with alice.expect_download() as started:
        alice.get_by_role("button", name="Continue").click()
    expect(alice.get_by_role("heading", level=2, name="Ready")).to_be_visible()
    file = folder / started.value.suggested_filename
    started.value.save_as(file)
    return file


def check_the_export(file: Path, folder: Path) -> None:
    """By our own sums, and by the checker in it for people who have none of our programs."""
    unpacked = folder / "unpacked"
    with zipfile.ZipFile(file) as archive:
        assert archive.testzip() is None
        archive.extractall(unpacked)
    manifest = json.loads((unpacked / "manifest.json").read_text(encoding="utf-8"))
    for entry in manifest["files"]:
        assert hashlib.sha256((unpacked / entry["name"]).read_bytes()).hexdigest() == entry["sha256"]
    contacts = (unpacked / "contacts.csv").read_text(encoding="utf-8")
    assert f"zoe.{SERIAL}@moving-in.example" in contacts
    assert "mallory" not in contacts
    (checker,) = unpacked.glob("*.py")
    subprocess.run([sys.executable, "-I", checker], cwd=unpacked, check=True, capture_output=True)


def expect_both_on_the_start_page(alice: Page) -> None:
    alice.goto("/")
    expect(alice.get_by_role("listitem").filter(has_text="hubspot-contacts.csv").first).to_contain_text("Imported")
    expect(alice.get_by_role("listitem").filter(has_text="Everything (portable)").first).to_contain_text("Ready")


def expect_every_step_in_the_audit(alice: Page) -> None:
    alice.goto("/audit")
    log = alice.get_by_role("main")
    for words in ("Import: applied", "Contact: changed", "Export: requested", "Export: downloaded"):
        expect(log).to_contain_text(words)


def log_out(alice: Page, export: str) -> None:
    alice.locator("details.me summary").click()
    alice.get_by_role("button", name="Sign out").first.click()
    alice.wait_for_url(re.compile("/login"))
    for place in (export, f"{export}/file", "/contacts"):
        alice.goto(place)
        expect(alice.get_by_role("heading", level=1, name="Sign in")).to_be_visible()
