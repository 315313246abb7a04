"""Which function makes the file of which product."""

from __future__ import annotations

from qikbiz.transfer.exports.contributions import Maker, own_product
from qikbiz.transfer.exports.selection import PRODUCTS
from qikbiz.transfer.exports.writer import make_file


def maker_of(product: str) -> Maker:
    """Raises LookupError for a product that no feature makes."""
    if product in PRODUCTS:
        return make_file
    own = own_product(product)
    if own is None:
        raise LookupError(f"No feature makes an export called {product!r}.")
    return own.make
