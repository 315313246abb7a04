"""Tenants with people and rows in them, made quickly."""

from __future__ import annotations

from provisioning.create import create_tenant
from tests.bench.stage import Stage

PASSWORD = "a long password for the bench"


def tenant_with_user(played: Stage, slug: str) -> None:
    """A tenant whose administrator alice@example.com can sign in."""
    create_tenant(played.settings, slug, slug.capitalize(), "first@example.com")
    words = ("user", "create", "--tenant", slug, "--email", "alice@example.com", "--name", "Alice Ames")
    played.qikbiz(*words, "--role", "administrator", "--password-stdin", "--json", stdin=PASSWORD + "\n")


def schema_of(played: Stage, slug: str) -> str:
    with played.superuser("qikbiz_control") as connection:
        row = connection.execute("SELECT schema_name FROM tenants WHERE slug = %s", (slug,)).fetchone()
    assert row is not None
    return str(row[0])


def fill_contacts(played: Stage, slug: str, contacts: int) -> None:
    """2,000 companies and `contacts` contacts of theirs, all owned by Alice, by SQL."""
    with played.superuser("qikbiz_tenants") as connection:
        connection.execute(f"SET search_path = {schema_of(played, slug)}".encode())
        connection.execute(_COMPANIES)
        connection.execute(_CONTACTS, (contacts,))
        # As autovacuum leaves them after a minute; it would begin in the middle of the measurement.
        connection.execute("VACUUM (ANALYZE) contacts, companies")


_COMPANIES = """
    INSERT INTO companies (id, name, sort_name)
    SELECT gen_random_uuid(), 'Company ' || n, 'company ' || n FROM generate_series(1, 2000) n
"""
_CONTACTS = """
    INSERT INTO contacts (id, first_name, last_name, sort_name, email, emails, phone, phones, job_title, city, country,
                          tags, company_id, company_name, owner_id)
    SELECT gen_random_uuid(), 'Ada', 'Person ' || n, 'person ' || lpad(n::text, 8, '0'),
           'person' || n || '@example.com',
           jsonb_build_array(jsonb_build_object('address', 'person' || n || '@example.com', 'label', 'work')),
           '+1202555' || lpad((n %% 10000)::text, 4, '0'), '[]', 'Buyer', 'Graz', 'AT',
           CASE WHEN n %% 5 = 0 THEN '{customer}' ELSE '{}' END::text[], c.id, c.name,
           (SELECT id FROM users WHERE email_key = 'alice@example.com')
      FROM generate_series(1, %s) n
      JOIN (SELECT id, name, row_number() OVER () AS place FROM companies) c ON c.place = n %% 2000 + 1
"""
