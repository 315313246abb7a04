"""Who signs in and what they may do: `accounts`, `staff`, `mfa`, `sso`, `sign_in_policy`, `roles`, `members`.

May import security, audit, web, jobs, files, kernel.
"""
