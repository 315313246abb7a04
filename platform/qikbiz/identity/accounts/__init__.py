"""Logins of a tenant: users, sessions, remembered devices, passwords, invitations."""
