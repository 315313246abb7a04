"""Markdown as a mail shows it: as HTML that can do nothing, and as plain text that reads as well."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from qikbiz.web.markup import cleaned_html

FONT = "-apple-system,BlinkMacSystemFont,'Segoe UI',Roboto,Helvetica,Arial,sans-serif"
_TEXT = f"font:400 15px/24px {FONT};color:#17181c;"
# Mail programs know little but inline styles. A tag that is not here does not come through.
STYLES: dict[str, str] = {
    "a": "color:#2456d6;",
    "blockquote": "margin:0 0 16px;padding:0 0 0 14px;border-left:3px solid #e5e5ea;",
    "br": "",
    "code": "font-family:ui-monospace,Menlo,Consolas,monospace;font-size:13px;",
    "em": "",
    "h2": f"margin:20px 0 8px;font:600 17px/24px {FONT};color:#17181c;",
    "h3": f"margin:16px 0 6px;font:600 15px/24px {FONT};color:#17181c;",
    "hr": "margin:20px 0;border:0;border-top:1px solid #e5e5ea;",
    "li": "margin:0 0 4px;",
    "ol": f"margin:0 0 16px;padding:0 0 0 22px;{_TEXT}",
    "p": f"margin:0 0 16px;{_TEXT}",
    "pre": "margin:0 0 16px;white-space:pre-wrap;",
    "strong": "",
    "ul": f"margin:0 0 16px;padding:0 0 0 22px;{_TEXT}",
}
# The mail's own subject is its first heading, so theirs begin one lower.
_ENDS = ("paragraph_close", "heading_close", "fence", "code_block", "hr")
_LIST_ENDS = ("bullet_list_close", "ordered_list_close")
_LOWER = {"h1": "h2", "h4": "h3", "h5": "h3", "h6": "h3"}


def as_html(source: str) -> Markup:
    """HTML in the source is shown as text; what came out is cleaned once more, so that no fault of one matters."""
    tokens = _parser().parse(source)
    for token in tokens:
        token.tag = _LOWER.get(token.tag, token.tag)
    rendered = _parser().renderer.render(tokens, _parser().options, {})
    return cleaned_html(rendered, STYLES)


def as_text(source: str) -> str:
    """The same for programs that show text only: links stand behind their words, lists keep their marks."""
    lines: list[str] = []
    marks: list[str] = []
    for token in _parser().parse(source):
        _update_marks(token, marks)
        lines += ["".join(marks) + line for line in _lines_of(token)]
        if token.type == "inline":
            # The mark of a list stands before its first line only, that of a quotation before each.
            marks = [mark if mark == "> " else " " * len(mark) for mark in marks]
        if (token.type in _ENDS and not token.hidden) or (token.type in _LIST_ENDS and not marks):
            lines.append("")
    return "\n".join(line.rstrip() for line in lines).strip()


def _lines_of(token: Token) -> list[str]:
    if token.type == "inline":
        return _inline(token.children or []).split("\n")
    if token.type in ("fence", "code_block"):
        return [f"    {line}" for line in token.content.rstrip().split("\n")]
    return ["-" * 40] if token.type == "hr" else []


def _update_marks(token: Token, marks: list[str]) -> None:
    """Keep what stands before a line: marks of lists, numbers, and the sign of a quotation."""
    if token.type == "list_item_open":
        marks.append(f"{token.info}. " if token.info else "- ")
    elif token.type == "blockquote_open":
        marks.append("> ")
    elif token.type in ("list_item_close", "blockquote_close"):
        marks.pop()


def _inline(tokens: Sequence[Token]) -> str:
    text, links = "", []
    for token in tokens:
        if token.type in ("text", "code_inline"):
            text += token.content
        elif token.type in ("softbreak", "hardbreak"):
            text += " " if token.type == "softbreak" else "\n"
        elif token.type == "image":
            text += token.content
        elif token.type == "link_open":
            links.append((len(text), str(token.attrs.get("href", ""))))
        elif token.type == "link_close":
            begin, url = links.pop()
            text += "" if text[begin:] == url else f" ({url})"
    return text


@cache
def _parser() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False})
