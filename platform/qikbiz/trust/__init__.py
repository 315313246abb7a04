"""What the privacy statement promises, and what proves it.

The statement and its notice (`privacy`), the promises' evidence (`promises`), the end of an account (`account_closure`,
`billing`), requests of data subjects, access by support staff (`grants`, `tickets`) and a customer's own `domains`.
May import everything below: transfer, crm, messaging, identity, security, audit, web, jobs, files, kernel.
"""
