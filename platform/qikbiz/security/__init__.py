"""Who tries what how often, and from where: `rate_limits`, `ip_reputation` (addresses that misuse us), `access_log`.

May import audit, web, jobs, files, kernel.
"""
