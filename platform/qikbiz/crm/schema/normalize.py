"""Values as they are kept: one spelling for each e-mail, phone, country, date and amount. No database, no web."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from importlib import resources
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
from email_validator import EmailNotValidError, validate_email

from qikbiz.crm.schema.validation import FieldProblem

# TAB, CR and LF are kept as they came; every other control character and lone surrogates are refused.
_FORBIDDEN = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
# What spreadsheets put around copied numbers and addresses: direction marks, zero-width and no-break spaces.
_INVISIBLE = re.compile(r"[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
# Nobody sees them at the ends of a name, and two that differ in them alone are the same: every kind of space.
_SPACES = (
    "\t\n\r \u00a0\u1680" + "".join(map(chr, range(0x2000, 0x2010))) + "\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
)
_MAILTO = re.compile(r"^mailto:", re.IGNORECASE)
_NAME_AND_ADDRESS = re.compile(r"^[^<>]*<([^<>]+)>$")
_SCHEME = re.compile(r"^[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_HOST = re.compile(r"^(?=.{4,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9-]{2,63}$")
_HOST_WITH_PORT = re.compile(r"^[^/?#]+\.[^/?#]*:\d+([/?#]|$)")


def clean_text(text: str) -> str:
    """NFC, without spaces at both ends; everything else stays to the character, also a leading = + - or @."""
    if _FORBIDDEN.search(text):
        raise FieldProblem("It contains a control character that can't be shown.", "Remove the hidden character.")
    return unicodedata.normalize("NFC", text).strip(_SPACES)


def with_plain_line_ends(text: str) -> str:
    """As a browser's text area holds it, whatever the line ends were: so it comes back from a form."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def plain(text: str) -> str:
    """Clean text without invisible characters, for values that are normalised anyway."""
    return _INVISIBLE.sub("", clean_text(text.replace("\u00a0", " "))).strip()


def name_key(text: str) -> str:
    """What two spellings of one name have alike: no case, but accents count. Ana Pena is not Ana Peña."""
    return text.lower()


@lru_cache(maxsize=20_000)
def fold(text: str) -> str:
    """For ordering and searching: no case, no accents, `Österreich` beside `osten`. `name_key` says who is who."""
    if text.isascii():
        return text.lower()
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(mark for mark in decomposed if not unicodedata.combining(mark))


def normalise_email(text: str) -> str:
    """One spelling, all small: `Ann Lee <Ann@Example.COM>` is `ann@example.com`. The domain is not asked for."""
    address = _MAILTO.sub("", plain(text))
    named = _NAME_AND_ADDRESS.match(address)
    if named:
        address = named.group(1).strip()
    try:
        checked = validate_email(address, check_deliverability=False, test_environment=True)
    except EmailNotValidError as error:
        raise FieldProblem(f"{_short(address)} is not an email address.", _sentence(str(error))) from None
    return checked.normalized.lower()


def normalise_phone(text: str, default_region: str = "") -> str:
    """E.164, with `x12` for an extension. A number without country code needs `default_region` (ISO, two letters).

    Of a number that can only be one with its country code, but lacks the plus, that is taken: `4915112345678`.
    """
    written = re.sub(r"^tel:", "", plain(text), flags=re.IGNORECASE)
    try:
        number = phonenumbers.parse(written, default_region or None)
    except phonenumbers.NumberParseException as error:
        raise _phone_problem(written, missing_country=error.error_type == error.INVALID_COUNTRY_CODE) from None
    number = _without_plus(written, number, default_region) or number
    if not phonenumbers.is_possible_number(number):
        raise _phone_problem(written)
    spelled = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return f"{spelled}x{number.extension}" if number.extension else spelled


def _without_plus(written: str, number: phonenumbers.PhoneNumber, region: str) -> phonenumbers.PhoneNumber | None:
    """The number read with a plus, where it begins with the region's country code and can't well be meant otherwise.

    A mobile number is sure: nobody writes a number of that length from inside the country without its leading 0.
    """
    digits = written.lstrip(" (")
    code = str(phonenumbers.country_code_for_region(region)) if region else ""
    if not code or not digits.startswith(code):
        return None
    try:
        found = phonenumbers.parse(f"+{digits}", None)
    except phonenumbers.NumberParseException:
        return None
    is_mobile = phonenumbers.number_type(found) == phonenumbers.PhoneNumberType.MOBILE
    is_sure = is_mobile or not phonenumbers.is_valid_number(number)
    return found if is_sure and phonenumbers.is_valid_number(found) else None


# Lists show the same numbers again and again, and taking one apart costs as much as drawing a row.
@lru_cache(maxsize=10_000)
def show_phone(number: str) -> str:
    """An E.164 number in groups, as it is dialled from abroad."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return number
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def normalise_country(text: str) -> str:
    """The ISO code of a country given by code or by its name in one of ten languages."""
    written = plain(text)
    code = _country_codes().get(fold(written))
    if code is None:
        raise FieldProblem(f"{_short(written)} is not a known country.", "Use its English name or two-letter code.")
    return code


@cache
def countries() -> dict[str, str]:
    """Every country, as {code: English name}, in the order of names."""
    named = {line[0]: line[1] for line in _country_lines()}
    return dict(sorted(named.items(), key=lambda item: fold(item[1])))


def normalise_url(text: str) -> str:
    """A web address with scheme. Only http and https: anything else could run a program when it is clicked."""
    written = plain(text)
    if not _SCHEME.match(written) or _HOST_WITH_PORT.match(written):
        written = "https://" + written.removeprefix("//")
    try:
        parts = urlsplit(written)
        host, port = (parts.hostname or "").encode("idna").decode("ascii").lower().rstrip("."), parts.port
    except ValueError:
        raise _url_problem(text) from None
    if parts.scheme.lower() not in ("http", "https") or not _HOST.match(host) or parts.username or " " in written:
        raise _url_problem(text)
    shown = (parts.hostname or host).lower().rstrip(".") + (f":{port}" if port else "")
    rest = "" if parts.path == "/" and not (parts.query or parts.fragment) else written.split(parts.netloc, 1)[1]
    return f"{parts.scheme.lower()}://{shown}{rest}"


def normalise_domain(text: str) -> str:
    """The bare domain of a company: `https://www.Example.com/about` is `example.com`."""
    written = plain(text).rpartition("@")[2] if "/" not in text else plain(text)
    host = urlsplit(normalise_url(written)).hostname or ""
    return host.removeprefix("www.")


def merge_entries(primary: str | None, entries: list[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """The list with `primary` first and nothing twice, with the first label that it has. `key` is address or number."""
    known: dict[str, dict[str, Any]] = {}
    for entry in entries:
        if not known.get(entry[key], {}).get("label"):
            known[entry[key]] = entry
    order = ([primary] if primary else []) + [entry[key] for entry in entries]
    return [known.get(value, {"label": "", key: value}) for value in dict.fromkeys(order)]


@cache
def _country_lines() -> list[list[str]]:
    listed = resources.files("qikbiz.crm.schema").joinpath("countries.tsv").read_text("utf-8")
    return [line.split("\t") for line in listed.splitlines()]


@cache
def _country_codes() -> dict[str, str]:
    listed = resources.files("qikbiz.crm.schema").joinpath("country_aliases.tsv").read_text("utf-8")
    aliases = (line.split("\t") for line in listed.splitlines())
    return {fold(name): line[0] for line in (*aliases, *_country_lines()) for name in line}


def _phone_problem(written: str, *, missing_country: bool = False) -> FieldProblem:
    if missing_country:
        return FieldProblem(
            f"{_short(written)} has no country code.", "Start it with + and the country code, such as +49 30 123456."
        )
    return FieldProblem(f"{_short(written)} is not a phone number.", "Check its digits, such as +49 30 123456.")


def _url_problem(written: str) -> FieldProblem:
    return FieldProblem(f"{_short(written)} is not a web address.", "Write it like https://example.com.")


def _short(text: str) -> str:
    shown = text if len(text) <= 60 else text[:59] + "…"
    return f"“{shown}”"


def _sentence(text: str) -> str:
    return text if text.endswith(".") else text + "."
