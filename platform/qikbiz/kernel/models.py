"""The metadata of both databases, whole: with the tables of every installed feature."""

from __future__ import annotations

from sqlalchemy import MetaData

from qikbiz.kernel.database import TenantBase
from qikbiz.kernel.feature import load_models
from tenants.control import ControlModel


def tenant_metadata() -> MetaData:
    """The tables of a tenant's schema. Raises NotInstalled."""
    load_models()
    return TenantBase.metadata


def control_metadata() -> MetaData:
    """The tables of the control database. Raises NotInstalled."""
    load_models()
    return ControlModel.metadata
