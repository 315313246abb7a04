"""The product, in groups of packages; each imports the ones below it (ARCHITECTURE.md)."""
