"""The audit: who did and saw what, each event chained to the one before. Rows are only ever added."""
