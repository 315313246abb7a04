"""The tenant's audit: who did and saw what. Rows are only ever added; the tenant's role may not change them."""
