"""CSV import: upload, map, dry run, apply exactly that, undo."""
