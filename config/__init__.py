"""Settings, keys, logging, and the servers' configuration. No module here imports tenants or records."""
