"""Announcements: mails that operators write to the users of all tenants, or of some (promise P17)."""
