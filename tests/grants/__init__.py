"""Access by staff: given, used, seen and ended."""
