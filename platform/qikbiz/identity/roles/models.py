"""The roles that an organisation made for itself, and its teams. Who has which role stands with the user."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.kernel.database import Model
from tenants.control import new_id


class OwnRole(Model):
    """A role of the organisation's own, copied from another. `rights` is what `Rights.as_json` gives.

    Users name it by `key`. The built-in roles have no row: the table in code is their only source.
    """

    __tablename__ = "roles"
    __table_args__ = (Index("uq_roles_folded_name", "folded_name", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    folded_name: Mapped[str]
    rights: Mapped[dict[str, object]]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("now()"))

    @property
    def key(self) -> str:
        return str(self.id)


class Team(Model):
    """People who see each other's records, as far as their roles reach to a team's."""

    __tablename__ = "teams"
    __table_args__ = (Index("uq_teams_folded_name", "folded_name", unique=True),)

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    name: Mapped[str]
    folded_name: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class TeamMember(Model):
    __tablename__ = "team_members"
    __table_args__ = (Index("ix_team_members_user_id", "user_id"),)

    team_id: Mapped[UUID] = mapped_column(ForeignKey("teams.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[UUID] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
