"""The logged-in list of 50 contacts out of many: both with two worker processes, each as it is served in earnest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.http import Browser, Timing, measure
from tests.bench.peer import Peer
from tests.bench.report import Figure
from tests.bench.stage import BUILD, Stage, our_web, running, wait_for_port
from tests.bench.tenants import PASSWORD, fill_contacts, tenant_with_user
from tests.fixtures.ports import free_port

_FILL = """
from customers.models import Client, Domain
from django_tenants.utils import schema_context
client = Client(schema_name="biglist", name="Big")
client.save(verbosity=0)
Domain.objects.create(domain="biglist.localhost", tenant=client, is_primary=True)
with schema_context("biglist"):
    from django.contrib.auth.models import User
    from django.db import connection
    User.objects.create_user("alice", password="{password}", first_name="Alice", last_name="Ames")
    with connection.cursor() as cursor:
        cursor.execute('''INSERT INTO crm_company (id, version, sort_name, tags, created_at, updated_at, name)
            SELECT gen_random_uuid(), 1, 'company ' || n, '{{}}', now(), now(), 'Company ' || n
            FROM generate_series(1, 2000) n''')
        cursor.execute('''INSERT INTO crm_contact (id, version, sort_name, tags, created_at, updated_at, first_name,
              last_name, email, emails, phone, phones, job_title, city, country, company_id, owner_id)
            SELECT gen_random_uuid(), 1, 'person ' || lpad(n::text, 8, '0'),
              CASE WHEN n % 5 = 0 THEN '{{customer}}' ELSE '{{}}' END::text[], now(), now(), 'Ada', 'Person ' || n,
              'person' || n || '@example.com', '[]', '+1202555' || lpad((n % 10000)::text, 4, '0'), '[]',
              'Buyer', 'Graz', 'AT', c.id, 1
            FROM generate_series(1, {contacts}) n
            JOIN (SELECT id, row_number() OVER () AS place FROM crm_company) c ON c.place = n % 2000 + 1''')
    connection.connection.commit() if not connection.get_autocommit() else None
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE) crm_contact, crm_company")
"""


def measure_listing(played: Stage, peer: Peer, *, contacts: int, requests: int) -> list[Figure]:
    ours = _ours(played, contacts, requests)
    theirs = _theirs(peer, contacts, requests)
    rate = Figure(
        f"list 50 of {contacts:,} contacts, logged in",
        "pages/s",
        ours.rate,
        theirs.rate,
        "django-tenants",
        "4× faster",
        better="more",
        notes={"our_bytes": ours.size, "peer_bytes": theirs.size},
    )
    rate.reached = (rate.factor or 0) >= 4
    return [rate, Figure("the same, median latency at 8 at once", "ms", ours.median, theirs.median, "django-tenants")]


def _ours(played: Stage, contacts: int, requests: int) -> Timing:
    tenant_with_user(played, "biglist")
    fill_contacts(played, "biglist", contacts)
    with our_web(played) as port:
        browser = Browser(port, "biglist.localhost")
        browser.log_in("/login", {"email": "alice@example.com", "password": PASSWORD}, csrf="csrf_token")
        return _timed(browser, requests)


def _theirs(peer: Peer, contacts: int, requests: int) -> Timing:
    peer.run(_FILL.format(contacts=contacts, password=PASSWORD))
    with _peer_web(peer) as port:
        browser = Browser(port, "biglist.localhost")
        browser.log_in("/login", {"username": "alice", "password": PASSWORD}, csrf="csrfmiddlewaretoken")
        return _timed(browser, requests)


def _timed(browser: Browser, requests: int) -> Timing:
    """The middle one of three rounds, after a warming-up."""
    measure([(browser, "/contacts")], requests=max(requests // 2, 20), at_once=8)
    rounds = [measure([(browser, "/contacts")], requests=requests, at_once=8) for _ in range(3)]
    return sorted(rounds, key=lambda timing: timing.rate)[1]


@contextmanager
def _peer_web(peer: Peer) -> Iterator[int]:
    port = free_port()
    command = [str(peer.python), "-m", "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2", "--threads", "8"]
    command += ["--keep-alive", "20", "wsgi:application"]
    with running(command, environment=peer.environment, cwd=peer.folder, log=BUILD / "peer-web.log") as process:
        wait_for_port(port, process)
        yield port
