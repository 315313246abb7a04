"""The records that sales people work with.

`records` holds what all record types share; then `contacts`, `companies`, `record_ownership`, `home` and `workspace`.

May import messaging, identity, security, audit, web, jobs, files, kernel.
"""
