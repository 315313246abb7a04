"""Where requests come from: `ip_reputation` (addresses that misuse us) and `access_log` (who came from where).

May import audit, web, jobs, files, kernel.
"""
