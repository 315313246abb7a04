"""What the search column holds."""

from collections.abc import Callable

from sqlalchemy import text

from qikbiz.kernel.database import tenant_transaction
from tenants.context import Tenant
from tenants.runtime import Runtime


def test_the_search_column_holds_plain_words_and_the_national_number(
    working: Runtime, fresh_tenant: Callable[..., Tenant]
) -> None:
    with tenant_transaction(fresh_tenant()) as session:
        session.execute(
            text(
                "insert into contacts (id, sort_name, first_name, last_name, email, phone) values "
                "(gen_random_uuid(), 'o''neil-smith, ann', 'Ann', 'O''Neil-Smith', 'ann.o_n@sub.example.com', "
                "'+4930123456')"
            )
        )
        found = session.execute(text("select tsvector_to_array(search) from contacts")).scalar_one()
    assert {"ann", "neil", "smith", "sub", "example", "com", "4930123456", "30123456"} <= set(found)
