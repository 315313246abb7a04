"""The access log as administrators read it and take it away, and addresses that they let in."""
