"""What every record type has, made from its declaration: list, form, record page, trash, history. Names no type."""
