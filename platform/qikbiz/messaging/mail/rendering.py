"""A mail's subject, text and HTML from one template, without Flask, so that a worker can do it too."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from textwrap import fill

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from qikbiz.kernel.accents import ACCENTS
from qikbiz.messaging.mail.categories import category_of
from qikbiz.messaging.mail.markdown import as_html, as_text

TEMPLATES = Path(__file__).parent / "templates"
LINE = 72


@dataclass(frozen=True)
class RenderedMail:
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class Footing:
    """Where the mails of this category can be stopped, and all of them chosen; "" for who has no such page."""

    stop_url: str = ""
    choices_url: str = ""


def render_mail(
    template: str,
    values: Mapping[str, object],
    *,
    sender: str = "QikBiz CRM",
    accent: str = "blue",
    footing: Footing = Footing(),  # frozen
) -> RenderedMail:
    """`template` is the name of a file in `templates/mail` without its ending; `sender` stands at the top.

    A value that the template needs and was not given is an error, never an empty place in a mail.
    """
    given = {**values, "sender": sender, "colour": ACCENTS.get(accent, ACCENTS["blue"])}
    given |= {"category": category_of(template), "footing": footing}
    return RenderedMail(
        subject=_subject(template, given),
        text=re.sub(r"\n{3,}", "\n\n", _body(template, given, kind="txt")).strip() + "\n",
        html=_body(template, given, kind="html"),
    )


def _subject(template: str, values: Mapping[str, object]) -> str:
    source = _environment("txt").get_template(f"mail/{template}.jinja")
    context = source.new_context({**values, **_parts("txt")})
    # One line, whatever a name in it holds: a line break would begin another header.
    return " ".join("".join(source.blocks["subject"](context)).split())


def _body(template: str, values: Mapping[str, object], *, kind: str) -> str:
    source = _environment(kind).get_template(f"mail/{template}.jinja")
    return source.render(**values, **_parts(kind))


def _parts(kind: str) -> dict[str, str]:
    return {"layout": f"mail/layout.{kind}.jinja", "parts": f"mail/parts.{kind}.jinja"}


@cache
def _environment(kind: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=kind == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["wrapped"] = wrapped
    environment.filters["wrapped_lines"] = wrapped_lines
    environment.filters["markdown"] = as_html if kind == "html" else as_text
    environment.filters["one_line"] = lambda text: " ".join(str(text).split())
    return environment


def wrapped_lines(text: str) -> str:
    """Each line for itself, with what it begins with (a mark of a list, a quotation) before its further lines too."""
    return "\n".join(_wrapped_line(line) for line in str(text).split("\n"))


def _wrapped_line(line: str) -> str:
    begin = re.match(r"(?:[>\s]|-\s|\d+\.\s)*", line)
    mark = begin[0] if begin else ""
    rest = "".join(c if c in "> " else " " for c in mark)
    return (
        fill(
            line[len(mark) :],
            LINE,
            initial_indent=mark,
            subsequent_indent=rest,
            break_long_words=False,
            break_on_hyphens=False,
        )
        if line.strip()
        else ""
    )


def wrapped(text: str) -> str:
    """Lines that a mail program shows without breaking them again; a long link stays whole."""
    return fill(" ".join(str(text).split()), LINE, break_long_words=False, break_on_hyphens=False)
