"""P7 and P9: every connection is encrypted and proves whose it is; the servers let in only what the service needs."""

from __future__ import annotations

from collections.abc import Sequence

from flask import request

from qikbiz.kernel.database import control_transaction, runtime
from qikbiz.kernel.evidence import Fact, Keeping
from qikbiz.trust.domains.queries import domains_of
from qikbiz.web.client_address import tls_version
from tenants.context import current_tenant


def _evidence() -> Sequence[Fact]:
    with control_transaction():
        own = [domain.host for domain in domains_of(current_tenant().id) if domain.verified_at]
    facts = [("This page was sent", _how_it_came())]
    if runtime().settings.environment != "development":
        facts.append(("Browsers require encryption", "for one year, including subdomains"))
    facts.append(("Domains with a certificate", ", ".join([current_tenant().host, *own])))
    return facts


def _how_it_came() -> str:
    version = tls_version(request.environ, runtime().settings.trusted_proxies)
    if version or request.is_secure:
        return f"over {version or 'TLS'}"
    return "unencrypted: this is a development installation"


KEEPINGS = (
    Keeping(
        promise="P7",
        how=(
            "Pages, files and API requests are served over TLS 1.2 or 1.3 only, with a certificate that your "
            "browser verifies. An unencrypted page request is redirected to HTTPS; unencrypted API requests and "
            "downloads are refused, so that no client keeps sending its key unencrypted. The application answers "
            "only requests that arrived over TLS. It connects to its databases and the mail server over TLS with "
            "verified certificates, and refuses to start otherwise. A custom domain is served and gets a "
            "certificate only after you verified it."
        ),
        place="domains.index",
        place_name="Domains",
        evidence=_evidence,
        try_it=(
            "Open the certificate from your browser's address bar, or add a domain: it is served only after you "
            "verify it."
        ),
    ),
    Keeping(
        promise="P9",
        how=(
            "Each server denies all traffic by default. Only the two web ports are open to the internet, and they "
            "lead to a proxy, never to the application. Operators connect from named networks only. Each kind of "
            "process runs under its own unprivileged account, can't see other processes, and has a read-only file "
            "system. The firewall tells these accounts apart, so a compromised process can reach only the servers "
            "it works with. Only the account that creates and deletes tenants has the database credentials for "
            "that. These rules are part of the product, and its tests load and check them."
        ),
    ),
)
