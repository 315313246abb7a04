"""How the text of an environment variable becomes a value.

Each reader raises ValueError with what follows the variable's name in the sentence that the operator reads.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from config.keys import KeyRing

Value = TypeVar("Value")
# The text of a default, or what makes it of the values that were read before.
Default = str | Callable[[Mapping[str, Any]], str] | None


@dataclass(frozen=True)
class Variable:
    """`default` is read as the variable's own text would be; None leaves the value None.

    An empty text counts as unset, unless `reads_empty`.
    """

    name: str
    read: Callable[[str], object]
    default: Default = None
    reads_empty: bool = False


def variable(name: str, read: Callable[[str], Value], default: Default = None, *, reads_empty: bool = False) -> Any:
    """A field of a dataclass that the environment variable `name` fills."""
    return dataclasses.field(metadata={"variable": Variable(name, read, default, reads_empty)})


def read_fields(settings: type[Any], given: Mapping[str, str]) -> dict[str, Any]:
    """Field to value, in the order of the fields. Raises ValueError with a sentence for the first wrong one."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(settings):
        if "variable" in field.metadata:
            values[field.name] = _value(field.metadata["variable"], given, values)
    return values


def with_files(given: Mapping[str, str]) -> dict[str, str]:
    """The environment, with NAME set to what stands in the file that NAME_FILE names. Raises ValueError."""
    filled = dict(given)
    for name, path in given.items():
        if name.startswith("QIKBIZ_") and name.endswith("_FILE") and path:
            try:
                filled[name.removesuffix("_FILE")] = Path(path).read_text(encoding="utf-8").strip()
            except UnicodeDecodeError:
                raise ValueError(f"{name} names {path}, which can't be read: it is not text.") from None
            except OSError as error:
                raise ValueError(f"{name} names {path}, which can't be read: {error.strerror}.") from error
    return filled


def _value(variable: Variable, given: Mapping[str, str], before: Mapping[str, Any]) -> object:
    text = given.get(variable.name)
    if not text and (text is None or not variable.reads_empty):
        text = variable.default(before) if callable(variable.default) else variable.default
    if text is None:
        return None
    try:
        return variable.read(text)
    except ValueError as error:
        raise ValueError(f"{variable.name} {error}") from None


def whole_number(text: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"is {text!r}; it must be a whole number.")
    return int(text)


def seconds_or_none(text: str) -> int | None:
    return whole_number(text) or None


def yes_or_no(text: str) -> bool:
    answer = text.strip().lower()
    if answer not in ("0", "1", "no", "yes"):
        raise ValueError(f"is {text!r}; it must be 1 or 0.")
    return answer in ("1", "yes")


def one_of(*words: str) -> Callable[[str], Any]:
    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"is {text!r}; it must be {', '.join(words[:-1])} or {words[-1]}.")
        return text

    return read


def port_number(text: str) -> int:
    port = whole_number(text)
    if not 1 <= port <= 65_535:
        raise ValueError(f"is {port}; give a number from 1 to 65535, such as 8000.")
    return port


def home_folder(text: str) -> Path:
    home = Path(text).expanduser().resolve()
    if any(c in "\"'\\" or not c.isprintable() for c in str(home)):
        # It goes into the settings of PostgreSQL and Valkey, which read these characters as their own.
        raise ValueError(f"is {str(home)!r}; choose a path without quotation marks and backslashes.")
    return home


def bare_domain(text: str) -> str:
    value = text.strip().lower().rstrip(".")
    if not value or any(c in value for c in "/:@ "):
        raise ValueError(f"is {value!r}; give a bare domain such as crm.example.org.")
    return value


def support_address(text: str) -> str:
    value = text.strip().lower()
    local, _, domain = value.partition("@")
    # The token of a ticket has 40 characters, and a local part at most 64 (RFC 5321 4.5.3.1.1).
    if not local or not domain or len(local) > 24 or any(c in value for c in "+<>,; "):
        raise ValueError(f"is {value!r}; give a bare address such as support@example.org.")
    return value


def own_address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError as error:
        raise ValueError(f"can't be used: {error}. Give an address of this machine, such as 127.0.0.1.") from error


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(word) for word in text.replace(",", " ").split())
    except ValueError as error:
        raise ValueError(f"can't be used: {error}. Give addresses or networks such as 10.0.0.0/8.") from error


def countries(text: str) -> tuple[str, ...]:
    named = tuple(text.replace(",", " ").upper().split())
    if not named or not all(len(country) == 2 and country.isalpha() for country in named):
        raise ValueError("must name one country or more, such as US DE GB.")
    return named


def without_final_slash(text: str) -> str:
    return text.rstrip("/")


def smtp_url(text: str) -> str:
    if urlsplit(text).scheme not in ("smtp", "smtps", "smtp+starttls") or not urlsplit(text).hostname:
        raise ValueError("must be smtp://, smtps:// or smtp+starttls:// and name a host.")
    return text


def range_service(text: str) -> str:
    if not text.startswith(("https://", "http://")):
        raise ValueError("must be an https:// address such as https://…/range/.")
    return text.rstrip("/") + "/"


def payment_service(text: str) -> str:
    if urlsplit(text).scheme != "https" and urlsplit(text).hostname not in ("localhost", "127.0.0.1"):
        raise ValueError("must be https://: a secret key travels to it.")
    return text.rstrip("/")


def key_ring(text: str) -> KeyRing:
    try:
        return KeyRing.parse(text)
    except ValueError as error:
        raise ValueError(f"can't be used: {error}") from error
