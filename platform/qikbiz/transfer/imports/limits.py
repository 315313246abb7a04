"""How large an import may be. Checked before or while reading, never after."""

MEGABYTE = 1024 * 1024
LARGEST_FILE = 512 * MEGABYTE
MOST_ROWS = 2_000_000
MOST_COLUMNS = 1_000
LONGEST_CELL = MEGABYTE
LONGEST_LINE = 8 * MEGABYTE
