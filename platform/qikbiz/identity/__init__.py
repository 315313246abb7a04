"""Who signs in and what they may do. Each package imports those before it:

`staff`, `accounts` (users, realms, tokens, invalidated sessions), `roles`, `sign_in_policy` (the rules in force),
`passwords`, `sessions`, `mfa`, `login` (the steps and pages of signing in), `sso`, `account_pages` (the user's own),
`sign_in_policy_pages`, `members` (the administrators' pages about users). Emails, what users own, the types that roles
rule and support sessions are registered from above (`outgoing_email`, `members.owned_records`, `roles.record_types`,
`sessions.current`).

May import security, audit, web, jobs, files, kernel.
"""
