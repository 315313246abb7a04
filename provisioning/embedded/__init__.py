"""The database and Redis servers that come along as packages, for development, demos and tests."""

from provisioning.embedded.postgres import EmbeddedPostgres
from provisioning.embedded.processes import ServerFailed
from provisioning.embedded.valkey import EmbeddedValkey

__all__ = ["EmbeddedPostgres", "EmbeddedValkey", "ServerFailed"]
