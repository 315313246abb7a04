"""The accounts that sign in, of tenants' users and of staff: their rows, realms, tokens, limits and emails."""
