"""RQ workers, the sweeper that keeps their ledger true, the schedule, and the job functions."""
