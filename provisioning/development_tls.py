"""TLS for development: an authority of this home's own, made once, and a certificate for the names served here.

The authority is constrained to names under localhost and to this machine's own addresses, so that a browser
which trusts it is safe on all other sites, should its key ever be copied.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from config.settings import Settings, served_file
from provisioning.servers import connect_to_control

AUTHORITY_LIFE = timedelta(days=5 * 365)
CERTIFICATE_LIFE = timedelta(days=90)
THIS_MACHINE = ("127.0.0.1", "::1")


class NotUnderLocalhost(Exception):
    """The base domain is not this machine's, so this authority may not certify it."""


@dataclass(frozen=True)
class DevelopmentTls:
    """The files under `home`/tls: what people trust, and what the web process serves with."""

    home: Path

    @property
    def authority(self) -> Path:
        """The authority's certificate, to be trusted by browsers."""
        return self.home / "tls" / "authority.pem"

    @property
    def served(self) -> Path:
        """Certificate, chain and key in one file, so that no reader sees the one without the other."""
        return served_file(self.home)

    @property
    def _authority_key(self) -> Path:
        return self.home / "tls" / "authority.key"

    def ensure_authority(self) -> None:
        """Make the authority unless it is there and lives on for longer than a certificate of its."""
        if self._is_usable():
            return
        self.authority.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        key = generate_private_key(SECP256R1())
        _write(self._authority_key, _pem_of(key), mode=0o600)
        _write(self.authority, _authority_certificate(key).public_bytes(Encoding.PEM), mode=0o644)

    def certify(self, names: Iterable[str]) -> None:
        """Write a certificate for `names`; a web process that serves with the old one takes it up by itself."""
        issuer = x509.load_pem_x509_certificate(self.authority.read_bytes())
        issuer_key = _load_key(self._authority_key)
        key = generate_private_key(SECP256R1())
        certificate = _certificate(sorted(set(names)), key, issuer, issuer_key)
        parts = (certificate.public_bytes(Encoding.PEM), self.authority.read_bytes(), _pem_of(key))
        _write(self.served, b"".join(parts), mode=0o600)

    def certified_names(self) -> frozenset[str]:
        certificate = x509.load_pem_x509_certificate(self.served.read_bytes())
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return frozenset(names.get_values_for_type(x509.DNSName))

    def _is_usable(self) -> bool:
        if not (self.authority.exists() and self._authority_key.exists()):
            return False
        certificate = x509.load_pem_x509_certificate(self.authority.read_bytes())
        is_its_key = _load_key(self._authority_key).public_key() == certificate.public_key()
        return is_its_key and certificate.not_valid_after_utc > datetime.now(UTC) + CERTIFICATE_LIFE


def served_names(settings: Settings) -> frozenset[str]:
    """Every name of this installation, and all that may come.

    Browsers take no wildcard directly below a top-level name such as localhost, so the tenants are named one by one.
    """
    base = settings.base_domain
    with connect_to_control(settings, autocommit=True) as control:
        slugs = [slug for (slug,) in control.execute("SELECT slug FROM tenants WHERE state <> 'closed'").fetchall()]
    return frozenset({base, f"*.{base}", f"www.{base}", f"console.{base}", *(f"{slug}.{base}" for slug in slugs)})


def refuse_foreign_domain(base_domain: str) -> None:
    """Raises NotUnderLocalhost."""
    if base_domain != "localhost" and not base_domain.endswith(".localhost"):
        raise NotUnderLocalhost(
            f"--tls is for names under localhost, and QIKBIZ_BASE_DOMAIN is {base_domain}. "
            "For a domain of your own put a proxy in front: docs/operating.md."
        )


def _authority_certificate(key: EllipticCurvePrivateKey) -> x509.Certificate:
    loopback = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    permitted: list[x509.GeneralName] = [x509.DNSName("localhost"), *map(x509.IPAddress, loopback)]
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    name = _name("QikBiz development authority of this machine")
    draft = _draft(name, name, key, AUTHORITY_LIFE)
    draft = draft.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    draft = draft.add_extension(usage, critical=True)
    draft = draft.add_extension(x509.NameConstraints(permitted, excluded_subtrees=None), critical=True)
    return draft.sign(key, SHA256())


def _certificate(
    names: list[str], key: EllipticCurvePrivateKey, issuer: x509.Certificate, issuer_key: EllipticCurvePrivateKey
) -> x509.Certificate:
    addresses = [x509.IPAddress(ip_address(address)) for address in THIS_MACHINE]
    draft = _draft(_name("QikBiz development"), issuer.subject, key, CERTIFICATE_LIFE)
    for extension, is_critical in (
        (x509.BasicConstraints(ca=False, path_length=None), True),
        (x509.SubjectAlternativeName([*map(x509.DNSName, names), *addresses]), False),
        (x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), False),
        (x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()), False),
    ):
        draft = draft.add_extension(extension, critical=is_critical)
    return draft.sign(issuer_key, SHA256())


def _draft(
    subject: x509.Name, issuer: x509.Name, key: EllipticCurvePrivateKey, life: timedelta
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A clock that is a little behind must not refuse what was made a moment ago.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _pem_of(key: EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _load_key(path: Path) -> EllipticCurvePrivateKey:
    key = load_pem_private_key(path.read_bytes(), password=None)
    assert isinstance(key, EllipticCurvePrivateKey)
    return key


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Whole or not at all, and never readable by others for a moment in between."""
    draft = path.with_name(path.name + ".part")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    draft.rename(path)
