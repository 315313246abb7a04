"""Exports: everything or one list, streamed by a worker as the tenant's role, in one snapshot."""
