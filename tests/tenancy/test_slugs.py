"""Names for addresses: readable, not ours, not mistaken for another's."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from provisioning import tenants as acts
from qikbiz.console.slugs import _LOOK, BadName, NameTaken, check_free, check_shape, look_of
from qikbiz.kernel.database import control_transaction
from tenants.context import Tenant
from tests.fixtures.world import World


@pytest.mark.parametrize("slug", ["abc", "acme-2", "a1b", "x" * 40, "münchen".replace("ü", "ue"), "3com"])
def test_a_good_name(slug: str) -> None:
    check_shape(slug)


@pytest.mark.parametrize(
    ("slug", "said"),
    [
        ("ab", "3 to 40 characters"),
        ("x" * 41, "3 to 40 characters"),
        ("", "3 to 40 characters"),
        ("-acme", "neither first nor last"),
        ("acme-", "neither first nor last"),
        ("Acme", "only a to z"),
        ("ac_me", "only a to z"),
        ("acme.org", "only a to z"),
        ("münchen", "only a to z"),
        ("acme\n", "only a to z"),
        ("ac--me", "two hyphens"),
        ("xn--mnchen-3ya", "two hyphens"),
        ("12345", "only a number"),
        ("www", "reserved"),
        ("console", "reserved"),
        ("c0nsole", "reserved"),
        ("con-sole", "reserved"),
        ("adrnin", "reserved"),
        ("vvvvw", "reserved"),
        ("mai1", "reserved"),
        ("5upport", "reserved"),
        ("post-master", "reserved"),
        ("qik-biz", "reserved"),
    ],
)
def test_a_name_that_is_refused_says_why(slug: str, said: str) -> None:
    with pytest.raises(BadName, match=said):
        check_shape(slug)


@pytest.mark.parametrize("slug", ["acrne", "ac-me", "a-c-m-e", "acme"])
def test_a_name_that_looks_like_acme_is_taken(world: World, working: object, slug: str) -> None:
    with control_transaction() as session, pytest.raises(NameTaken):
        check_free(session, slug)


def test_the_refusal_names_what_it_looks_like(world: World, working: object) -> None:
    with control_transaction() as session, pytest.raises(NameTaken, match="mistaken for “globex”"):
        check_free(session, "gl0bex")


@given(st.text("abcilmnorvw0159-", min_size=1, max_size=12))
def test_a_look_is_the_same_look_again(slug: str) -> None:
    assert "-" not in look_of(slug)
    assert not set(look_of(slug)) & set("015i")


def test_the_database_folds_names_as_the_program_does(world: World, working: object) -> None:
    slugs = ["a-b-c", "0rn1vv5i", "rnrn", "vvv", "rrnn", "w-vv-0o", "modern", "corner-vvest", "r-n", "v-v"]
    with control_transaction() as session:
        for slug in slugs:
            assert session.scalar(
                text(f"SELECT {_LOOK} FROM (SELECT CAST(:slug AS text) AS slug) s"), {"slug": slug}
            ) == look_of(slug)


def test_a_former_name_is_nobody_elses_but_may_be_taken_back(
    world: World, working: object, fresh_tenant: Callable[..., Tenant]
) -> None:
    fresh_tenant("Umbrella", slug="umbrella-one")
    acts.rename(world.settings, "umbrella-one", new_slug="umbrella-two", new_name=None)
    with control_transaction() as session, pytest.raises(NameTaken, match="not reused"):
        check_free(session, "umbre11a-one")
    assert acts.rename(world.settings, "umbrella-two", new_slug="umbrella-one", new_name=None).slug == "umbrella-one"
