"""The access log: who came to the tenant's door, when, from where, and what became of it (promise P5)."""
