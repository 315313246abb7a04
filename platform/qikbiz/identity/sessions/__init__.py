"""Sessions and remembered devices: opened, resumed from Redis or PostgreSQL, ended."""
