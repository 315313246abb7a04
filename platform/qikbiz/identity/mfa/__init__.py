"""What one shows beside or instead of a password: passkeys, an authenticator app, recovery codes."""
