"""Job functions: shallow, each calls the action that a route would call."""
