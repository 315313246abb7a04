"""Mail: every mail is a row first, then it leaves."""
