"""What a view declares by `@access`: whole, or not at all."""

import pytest

from qikbiz.kernel.access import access, permission_of, rule_of
from qikbiz.kernel.errors import Forbidden
from qikbiz.kernel.permissions import Action, Permission, record_permission


def test_a_rule_is_what_was_declared_and_nothing_more():
    @access(Permission.SIGNED_IN, fresh=True)
    def page():
        return "page"

    rule = rule_of(page)
    assert page() == "page"
    assert (rule.permission, rule.fresh, rule.from_anywhere, rule.sealed_link) == (
        Permission.SIGNED_IN, True, False, False,
    )  # fmt: skip


def test_a_view_without_a_declaration_is_not_served():
    def page():
        return "page"

    assert permission_of(page) is None
    with pytest.raises(Forbidden, match="declares no permission"):
        rule_of(page)


@pytest.mark.parametrize("exception", ["sealed_link", "standalone"])
def test_a_view_that_asks_for_nobody_can_not_claim_to_check_a_permission(exception):
    access(Permission.PUBLIC, **{exception: True})
    with pytest.raises(ValueError, match="declare it public"):
        access(record_permission("contact", Action.SEE), **{exception: True})


def test_a_public_view_can_not_ask_for_a_password_given_lately():
    with pytest.raises(ValueError, match="no user"):
        access(Permission.PUBLIC, fresh=True)


def test_an_exception_that_does_not_exist_is_refused():
    with pytest.raises(TypeError, match="from_everywhere"):
        access(Permission.SIGNED_IN, from_everywhere=True)
