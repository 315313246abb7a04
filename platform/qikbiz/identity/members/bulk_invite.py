"""Inviting several people from a table: every row is judged as a single invitation would be, before any mail leaves."""

from __future__ import annotations

import codecs
import csv
import io
from dataclasses import dataclass, field
from uuid import UUID

from email_validator import EmailNotValidError, validate_email
from sqlalchemy import select

from qikbiz.identity.accounts.models import User
from qikbiz.identity.accounts.queries import account_named
from qikbiz.identity.accounts.realms import same_address, tenant_realm
from qikbiz.identity.members.actions import invite_user
from qikbiz.identity.outgoing_email import OUTGOING_EMAIL
from qikbiz.identity.roles.delegation import BeyondOwnRights, may_change_members, may_give_rights
from qikbiz.identity.roles.effective_rights import rights_of_roles
from qikbiz.identity.roles.models import Team
from qikbiz.identity.roles.queries import all_roles, members_of
from qikbiz.identity.roles.teams import join_teams
from qikbiz.kernel.code_pages import likeliest_code_page
from qikbiz.kernel.database import db
from qikbiz.kernel.errors import Failure
from qikbiz.kernel.rights import Rights, union
from tenants.control import new_id

MOST_ROWS = 200
MOST_BYTES = 64 * 1024
COLUMNS = ("name", "email", "roles", "team")


@dataclass(slots=True)
class Row:
    """One line of the table. `number` counts as in the file, its heading being line 1."""

    number: int
    name: str
    email: str
    roles: list[str] = field(default_factory=list)
    role_names: str = ""
    team: UUID | None = None
    team_name: str = ""
    takes_seat: bool = True
    problems: list[str] = field(default_factory=list)


def rows_from(text: str) -> list[Row]:
    """The rows with what is wrong with each. Raises Failure when the table itself can't be read."""
    if len(text.encode()) > MOST_BYTES:
        raise Failure(f"This table has more than {MOST_BYTES // 1024} KB. Send it in several parts.")
    lines = [line for line in _lines(text) if any(cell.strip() for cell in line[1])]
    if not lines:
        raise Failure("This table is empty.")
    places = _places(lines[0][1])
    if len(lines) - 1 > MOST_ROWS:
        raise Failure(f"At most {MOST_ROWS} users can be invited at once; this table has {len(lines) - 1}.")
    rows = [_row(number, cells, places) for number, cells in lines[1:]]
    _validate(rows)
    return rows


def text_of(content: bytes) -> str:
    """An uploaded table as text, whatever its encoding."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode(likeliest_code_page(content), "replace")


def invite_all(rows: list[Row], *, invited_by: str) -> list[Row]:
    """Invite everybody in these rows. Raises Failure for one that has something wrong: then nobody is invited."""
    if any(row.problems for row in rows):
        raise Failure("A line of this table has an error. No invitation was sent.")
    for row in rows:
        invite_user(row.email, row.name, row.roles, invited_by=invited_by)
        invited = account_named(db.session(), tenant_realm(), row.email)
        if row.team is not None and invited is not None:
            join_teams(invited.id, {row.team})
    return rows


def _lines(text: str) -> list[tuple[int, list[str]]]:
    cleaned = "\n".join(text.removeprefix("\ufeff").replace("\r\n", "\n").split("\r"))
    first = cleaned.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    try:
        reader = csv.reader(io.StringIO(cleaned), delimiter=delimiter, strict=True)
        return [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise Failure(f"The table can't be read: {error}. Check the quotes.") from None


def _places(heading: list[str]) -> dict[str, int]:
    names = [cell.strip().lower().replace("-", "") for cell in heading]
    places = {name: names.index(name) for name in COLUMNS if name in names}
    missing = [name for name in ("name", "email", "roles") if name not in places]
    if missing:
        raise Failure(
            f"The first line must name the columns: name, email, roles and, optionally, team. "
            f"Missing: {', '.join(missing)}."
        )
    return places


def _row(number: int, cells: list[str], places: dict[str, int]) -> Row:
    given = {name: cells[place].strip() if place < len(cells) else "" for name, place in places.items()}
    return Row(number, given["name"], given["email"], role_names=given["roles"], team_name=given.get("team", ""))


def _validate(rows: list[Row]) -> None:
    roles = {line.name.casefold(): (line.key, line.rights) for line in all_roles()}
    roles |= {line.key: (line.key, line.rights) for line in all_roles()}
    teams = {team.folded_name: team.id for team in db.session.scalars(select(Team))}
    seen: dict[str, int] = {}
    for row in rows:
        _validate_name(row)
        _validate_address(row, seen)
        _validate_roles(row, roles)
        if row.team_name:
            row.team = teams.get(row.team_name.casefold())
            if row.team is None:
                row.problems.append(f"There is no team called “{row.team_name[:60]}”. Create it first.")
            else:
                _validate_team(row, row.team)


def _validate_team(row: Row, team: UUID) -> None:
    """As when the person joins: by the roles that the row gives, whoever they may be."""
    newcomer, members = new_id(), members_of(team)
    rights = union(rights_of_roles(db.session(), row.roles).values())
    try:
        may_change_members(members, members | {newcomer}, new={newcomer: rights})
    except BeyondOwnRights as refused:
        row.problems.append(refused.text)


def _validate_name(row: Row) -> None:
    if not row.name:
        row.problems.append("Enter a name.")
    elif len(row.name) > 200:
        row.problems.append("Use at most 200 characters for the name.")
    elif not row.name.isprintable():
        row.problems.append("The name contains a character that can't be shown.")


def _validate_address(row: Row, seen: dict[str, int]) -> None:
    try:
        row.email = validate_email(row.email, check_deliverability=False, test_environment=True).normalized
    except EmailNotValidError:
        row.problems.append("This is not an email address. Enter one like ann@example.com.")
        return
    reason = OUTGOING_EMAIL.value.unreachable_reason(row.email)
    if reason:
        row.problems.append(reason)
    key = same_address(row.email)
    if key in seen:
        row.problems.append(f"Line {seen[key]} has the same email address.")
    seen.setdefault(key, row.number)
    known = db.session.scalar(select(User.state).where(User.email_key == key))
    row.takes_seat = known is None
    if known is not None and known != "invited":
        row.problems.append("A user with this email address already exists.")


def _validate_roles(row: Row, known: dict[str, tuple[str, Rights]]) -> None:
    names = [name.strip() for name in row.role_names.replace(";", ",").replace("|", ",").split(",") if name.strip()]
    if not names:
        row.problems.append("Enter at least one role.")
    for name in names:
        found = known.get(name.casefold())
        if found is None:
            row.problems.append(f"There is no role called “{name[:60]}”.")
            continue
        try:
            may_give_rights(found[1])
        except BeyondOwnRights:
            row.problems.append(f"{name} allows more than you may do, so you can't assign it.")
        row.roles.append(found[0])
