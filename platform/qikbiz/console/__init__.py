"""The console: platform operators and support staff, on a host of its own."""
