"""What higher packages add to exports and restores. Each registers it when the features are installed.

What no feature vouches for is refused: a kind of file, an export that no user asked for, a restore.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.orm import Session

from qikbiz.files.store import FileStore
from qikbiz.kernel.permissions import AnyPermission
from qikbiz.kernel.registration import Registration
from qikbiz.transfer.exports.models import Export
from qikbiz.transfer.exports.orders import MadeFile, Order
from tenants.context import Tenant

Values = Sequence[str | None]
Row = list[str | None]
Maker = Callable[[Order, FileStore], MadeFile]


@dataclass(frozen=True, slots=True)
class OwnProduct:
    """An export that is a file of its own form instead of tables; its scope has the same `name`.

    `permission` is needed to ask for it, to see it in lists and to fetch it. `filters` are the names of all that it
    takes. `retry` gives the path of the page on which a failed one is asked for again.
    """

    name: str
    title: str
    make: Maker
    permission: AnyPermission
    retry: Callable[[Export], str]
    filters: frozenset[str] = frozenset()


@dataclass(frozen=True)
class BesideFile:
    """One CSV beside the tables. `columns` are (name, type); `rows` gives texts as PostgreSQL would write them."""

    name: str
    columns: tuple[tuple[str, str], ...]
    rows: Iterable[Values]


class RowFilter(Protocol):
    """Keeps erased people out of one restore."""

    def admitted(self, table: str, columns: list[str], rows: Iterator[Row]) -> Iterator[Row]:
        """The rows of a table that may come in, without what they say about a person who was erased."""
        ...

    def facts(self) -> dict[str, object]:
        """For the audit: how many people were kept out."""
        ...


Supplier = Callable[[UUID], Iterable[BesideFile]]
# Is called inside `control_transaction()`.
Approval = Callable[[Session, Export], bool]

ROW_FILTER: Registration[Callable[[Session, Mapping[str, object]], RowFilter]] = Registration(
    "whom a restore leaves out"
)
# By the id of an organisation: when its account was erased, or None.
ERASED_AT: Registration[Callable[[UUID], datetime | None]] = Registration("which organisations were erased")
_products: dict[str, OwnProduct] = {}
_suppliers: list[Supplier] = []
_approvals: list[Approval] = []
_after_making: list[Callable[[Tenant], None]] = []


def register_product(product: OwnProduct) -> None:
    """Raises RuntimeError for a name that is taken."""
    if product.name in _products:
        raise RuntimeError(f"Two features register an export called {product.name!r}.")
    _products[product.name] = product


def register_beside(supplier: Supplier) -> None:
    """Add the files that `supplier` gives for a tenant's id to each portable export of everything."""
    _suppliers.append(supplier)


def register_approval(approve: Approval) -> None:
    """`approve` says whether an export that no user of the tenant asked for may be made, by what it knows."""
    _approvals.append(approve)


def register_after_making(act: Callable[[Tenant], None]) -> None:
    """`act` is called once the job of an export has committed. It may be called for an export that failed."""
    _after_making.append(act)


def own_product(name: str) -> OwnProduct | None:
    return _products.get(name)


def files_beside(tenant_id: UUID) -> Iterator[BesideFile]:
    """Each to be written before the next is asked for."""
    for supplier in _suppliers:
        yield from supplier(tenant_id)


def is_approved(control: Session, export: Export) -> bool:
    return any(approve(control, export) for approve in _approvals)


def call_after_making(tenant: Tenant) -> None:
    for act in _after_making:
        act(tenant)
