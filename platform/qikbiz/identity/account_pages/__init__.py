"""The pages of a user about their own account, beside those of signing in."""
