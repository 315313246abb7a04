"""The job ledger: a row in Postgres is the truth about a job; RQ is only the way it travels."""
