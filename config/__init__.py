"""Settings, keys, logging, and the servers' configuration. Knows nothing of tenants or records."""
