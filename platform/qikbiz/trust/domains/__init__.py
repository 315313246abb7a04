"""Domains of a tenant's own: claimed, proved in the DNS, served, and certified for the proxies that ask."""
