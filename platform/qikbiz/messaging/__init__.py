"""What the product says outside of pages: `mail` (emails of every kind), `notifications`, `announcements`.

May import identity, security, audit, web, jobs, files, kernel.
"""
