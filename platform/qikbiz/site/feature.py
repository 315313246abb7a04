"""What this package adds to the product."""

from __future__ import annotations

from qikbiz.kernel.feature import Feature, Pages

FEATURE = Feature(
    name="site",
    pages=(
        Pages("qikbiz.site.routes:site", "site"),
        Pages("qikbiz.site.styleguide:styleguide", "site", in_production=False),
    ),
    setup=("qikbiz.site.well_known:register",),
)
