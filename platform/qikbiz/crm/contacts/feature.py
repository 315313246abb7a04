"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, NavigationEntry, Pages
from qikbiz.kernel.permissions import purge_right

FEATURE = Feature(
    name="contacts",
    pages=(Pages("qikbiz.crm.contacts.routes:contacts", "tenant"),),
    models=("qikbiz.crm.contacts.models",),
    navigation=(
        NavigationEntry("tenant", 20, "contacts", "Contacts", "users", "contacts.index", permission="contact:see"),
        NavigationEntry("tenant", 60, "trash", "Trash", "trash", "contacts.trash", permission="contact:delete"),
    ),
    permissions=(purge_right("contact", "contacts", 80),),
    hooks=("qikbiz.crm.contacts.registration:register",),
)
