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
    facts = [("This page came", _how_it_came())]
    if runtime().settings.environment != "development":
        facts.append(("Browsers keep to encryption", "for a year, for every name below too"))
    facts.append(("Names with a certificate", ", ".join([current_tenant().host, *own])))
    return facts


def _how_it_came() -> str:
    version = tls_version(request.environ, runtime().settings.trusted_proxies)
    if version or request.is_secure:
        return f"over {version or 'TLS'}"
    return "in the clear: this is an installation for development"


KEEPINGS = (
    Keeping(
        promise="P7",
        how=(
            "Pages, files and programs' requests are answered over TLS 1.2 or 1.3 only, under a certificate by "
            "which your browser checks that it talks to us. A page asked for in the clear is sent on to its "
            "encrypted address; a program or a download is refused, so that none goes on sending its key in the "
            "clear. The product itself answers nothing that did not come over TLS, and reaches its databases and "
            "the mail server over TLS with their certificates checked: it refuses to start otherwise. A domain of "
            "your own is served and certified only after you proved that it is yours."
        ),
        place="domains.index",
        place_name="Domains",
        evidence=_evidence,
        try_it="Look at the lock in your browser's address bar, or add a domain: it is served only once it is proved.",
    ),
    Keeping(
        promise="P9",
        how=(
            "Each server starts from “nothing in, nothing out”. To the world only the two ports of the web are "
            "open, and they lead to a proxy and never to the program; whoever looks after the servers comes in "
            "from named networks alone. Each kind of process runs under an account of its own, without rights, "
            "without sight of other processes, and with a file system that it can't change; the firewall tells "
            "these accounts apart, so that a process that was broken into reaches only the servers it works with. "
            "Only the account that makes and removes organisations is ever given the login which may do that. The "
            "rules are part of the product and are loaded and tried in its tests."
        ),
    ),
)
