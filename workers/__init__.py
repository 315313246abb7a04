"""RQ workers, the sweeper that keeps their ledger true, and the start of periodic work. Jobs lie in their features."""
