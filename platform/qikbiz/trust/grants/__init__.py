"""Grants: a customer lets staff of ours in, for a reason, a purpose and a time (promise P8)."""
