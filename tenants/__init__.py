"""Which tenant a request, job or command works for, and what keeps it from other tenants' rows."""
