"""The privacy statement at the console: what stands, what waits to be announced, and whether the notice was seen."""

from __future__ import annotations

from datetime import date

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from qikbiz.console.blueprint import console
from qikbiz.console.forms import StatementForm
from qikbiz.kernel.access import access
from qikbiz.kernel.database import runtime
from qikbiz.kernel.errors import Conflict, Failure, NotFound
from qikbiz.kernel.permissions import Permission
from qikbiz.trust.privacy import actions
from qikbiz.trust.privacy.bundled_versions import altered_files, bundled_statements
from qikbiz.trust.privacy.diff import differences
from qikbiz.trust.privacy.queries import earliest_day_now, looks_of_the_probe, standing
from qikbiz.trust.privacy.text import StatementFile
from qikbiz.web.flash import show_toast
from qikbiz.web.formats import day
from qikbiz.web.forms import ReasonForm


@console.get("/statement")
@access(Permission.STATEMENT_ANNOUNCE)
def statement() -> str:
    now, files = standing(), bundled_statements(runtime().settings.holiday_countries)
    return render_template(
        "console/statement.html",
        nav_active="statement",
        standing=now,
        waiting=[file for file in files.statements if now.version(file.version) is None],
        refused=files.refused,
        altered=altered_files(files.statements, {version.number: version.sha256 for version in now.versions}),
        looks=looks_of_the_probe(),
        countries=runtime().settings.holiday_countries,
    )


@console.get("/statement/<int:number>/announcement")
@access(Permission.STATEMENT_ANNOUNCE, fresh=True)
def prepare_announcement(number: int) -> str:
    return _announcement_page(_waiting(number))


@console.post("/statement/<int:number>/announcement")
@access(Permission.STATEMENT_ANNOUNCE, fresh=True)
def announce_statement(number: int) -> ResponseReturnValue:
    file = _waiting(number)
    form = StatementForm.sent()
    if form.sha256.text != file.text.sha256:
        raise Conflict("The text of this version has changed since you opened it. Review it before announcing.")
    typed = form.effective_on.text
    try:
        granted = actions.announce(file, _day(typed))
    except Failure as failure:
        return _announcement_page(file, typed, failure.text), 422
    show_toast(
        f"Version {number} is announced. It takes effect on {day(granted)}, and all administrators are notified."
    )
    return redirect(url_for("console.statement"), 303)


@console.post("/statement/<int:number>/withdrawal")
@access(Permission.STATEMENT_ANNOUNCE, fresh=True)
def withdraw_statement(number: int) -> ResponseReturnValue:
    actions.withdraw(number, ReasonForm.sent().reason.text)
    show_toast(f"Version {number} is withdrawn. The version in force stays in force.")
    return redirect(url_for("console.statement"), 303)


def _waiting(number: int) -> StatementFile:
    """A version that this program brings along and that was never announced. Raises NotFound."""
    found = bundled_statements(runtime().settings.holiday_countries).version(number)
    if found is None or standing().version(number) is not None:
        raise NotFound
    return found


def _announcement_page(file: StatementFile, typed: str = "", error: str = "") -> str:
    now = standing()
    earliest = earliest_day_now() if file.material else None
    return render_template(
        "console/announcement.html",
        nav_active="statement",
        file=file,
        before=now.in_force,
        pairs=differences(now.in_force.text, file.text),
        earliest=earliest,
        proposed=typed or max(file.effective_on, earliest or file.effective_on).isoformat(),
        error=error,
        countries=runtime().settings.holiday_countries,
    )


def _day(typed: str) -> date:
    try:
        return date.fromisoformat(typed)
    except ValueError as error:
        raise Failure("Enter the effective date.") from error
