"""Roles, teams and who may do what."""
