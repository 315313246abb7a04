"""Data that comes in and goes out as files: `imports` and `exports`.

May import crm, messaging, identity, security, audit, web, jobs, files, kernel.
"""
