"""What the feature that writes announcements registers with the emails that belong to one."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from qikbiz.kernel.registration import Registration
from tenants.context import Tenant

# The values of an announcement's emails, which are not kept with each of them; None when it was stopped.
WORDS: Registration[Callable[[UUID], dict[str, object] | None]] = Registration("what an announcement says")
# Called after an email of the announcement has ended, outside of any transaction.
AFTER_SENDING: Registration[Callable[[Tenant, UUID], None]] = Registration("who counts an announcement's emails")
