"""One source is one address in IPv4 and one /64 in IPv6; notations that hide an address are removed."""

from ipaddress import ip_network

import pytest

from qikbiz.kernel.networks import normalise, shown, unit_of
from qikbiz.security.ip_reputation.networks import lookup_order


@pytest.mark.parametrize(
    ("address", "unit"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("64:ff9b::cb00:7107", "203.0.113.7/32"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_the_unit_is_what_one_customer_holds(address: str, unit: str) -> None:
    assert unit_of(address) == ip_network(unit)


def test_ten_thousand_addresses_of_one_network_are_one_unit() -> None:
    assert len({unit_of(f"2001:db8::{number:x}") for number in range(1, 10_000)}) == 1


def test_rules_are_looked_up_from_the_longest_prefix() -> None:
    six = lookup_order("2001:db8:1:2::5")
    assert [unit.prefixlen for unit in six] == list(range(64, 31, -1))
    assert str(six[0]) == "2001:db8:1:2::/64" and str(six[-1]) == "2001:db8::/32"
    four = lookup_order("203.0.113.7")
    assert [unit.prefixlen for unit in four] == list(range(32, 15, -1))
    assert str(four[0]) == "203.0.113.7/32" and str(four[8]) == "203.0.113.0/24" and str(four[-1]) == "203.0.0.0/16"


@pytest.mark.parametrize("rubbish", ["", "unknown", "203.0.113.7:80", "<script>", "1" * 10_000])
def test_what_is_no_address_is_refused(rubbish: str) -> None:
    with pytest.raises(ValueError):
        normalise(rubbish)


def test_a_single_address_is_written_without_its_length() -> None:
    assert shown(unit_of("203.0.113.7")) == "203.0.113.7"
