"""The logo of an organisation, in its own schema: exported with its data and erased with it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from qikbiz.crm.workspace.pictures import MOST_STORED_BYTES
from qikbiz.kernel.database import Model

ONLY = 1


class Logo(Model):
    """At most one row. `name` is `<digest>-<width>x<height>`, as in the tenant's row of the directory.

    `picture` is a WebP file that this program wrote, without metadata.
    """

    __tablename__ = "logos"
    __table_args__ = (
        CheckConstraint("id = 1", name="one"),
        CheckConstraint("name ~ '^[0-9a-f]{32}-[0-9]{1,3}x[0-9]{1,3}$'", name="name"),
        CheckConstraint(f"octet_length(picture) <= {MOST_STORED_BYTES}", name="picture"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=ONLY, autoincrement=False)
    name: Mapped[str]
    picture: Mapped[bytes] = mapped_column(LargeBinary)
    changed_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
