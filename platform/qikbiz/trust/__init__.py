"""What the privacy statement promises, and what proves it.

The statement and its notice (`privacy`), the promises' evidence (`promises`), the end of an account (`account_closure`,
`billing`), requests of data subjects, access by support staff (`grants`, `tickets`), a customer's own `domains`, and
the pages on which administrators read the audit (`audit_pages`) and the access log (`access_log_pages`).
May import everything below: transfer, crm, messaging, identity, security, audit, web, jobs, files, kernel.
"""
