"""Roles and teams: what each login may do, to which records, and which fields it sees (promise P15)."""
