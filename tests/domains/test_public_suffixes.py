"""A domain of one's own is a name below a domain that one organisation owns, wherever the registries draw that line."""

from __future__ import annotations

import pytest

from qikbiz.trust.domains.names import BadDomain, own_domain

BASE = "qikbiz.example"


@pytest.mark.parametrize(
    "name",
    [
        "crm.acme.com",
        "crm.acme.co.uk",
        "Crm.Acme.CO.UK.",
        "crm.acme.github.io",
        "crm.müller.de",
        "a.b.acme.com.au",
        "crm.acme.city.kobe.jp",
    ],
)
def test_a_name_below_ones_own_domain_is_taken(name: str) -> None:
    assert own_domain(name, BASE).isascii()


@pytest.mark.parametrize("name", ["acme.com", "crm.co.uk", "crm.com.au", "acme.github.io", "crm.公司.cn", "www.ck"])
def test_a_whole_registrable_domain_is_refused_with_a_name_that_would_do(name: str) -> None:
    with pytest.raises(BadDomain, match="is a whole domain"):
        own_domain(name, BASE)


@pytest.mark.parametrize("name", ["co.uk", "github.io", "com.au", "公司.cn", "foo.kobe.jp"])
def test_a_public_suffix_belongs_to_nobody(name: str) -> None:
    with pytest.raises(BadDomain, match="Anyone can register names"):
        own_domain(name, BASE)
