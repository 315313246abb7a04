"""Pages, emails, errors and commands speak current product English: words that were given up stay away.

docs/GLOSSARY.md lists the words of the code; this file lists those that people read. Names in the code, ids, headers
and settings are not looked at.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.running.test_vocabulary import ROOT, tracked

# What may not be shown: what to write instead.
RETIRED = {
    r"e-mails?": "email",
    r"(?<!access )log(?:s|ged|ging)?[ -](?:(?:you|them|me|everyone|yourself) )?(?:in|out)": "sign in, sign out",
    r"(?:a|the|this|that|by|our|your|each|no|every|any|which|of|from|in|first) mails?(?! servers?| folder)": "email",
    r"mails? (?:is|are|was|were|goes|go|that)": "email",
    r"break[- ](?:the )?glass": "emergency code, emergency access",
    r"call(?:s|ed|ing)? (?:(?:it|them|this|the \w+) )?off": "cancel",
    r"(?:bring|brings|bringing|brought) (?:\w+ ){0,3}back": "restore",
    r"tak(?:e|es|en|ing) (?:\w+ )?off": "remove",
    r"for good": "permanently",
    r"for ever": "forever",
    r"go(?:es)? on": "continue",
    r"hand(?:s|ed|ing)? over": "transfer",
    r"mend(?:s|ed)?": "fix",
    r"whoever|somebody|anew|once more|at hand|meanwhile|no more(?! than)": "a named subject; again",
    r"(?:is|are|was|were|be|been) told": "notify",
    r"made you the owner": "assigned to you",
    r"none of the (?:choices|values)": "isn't a valid option",
    r"nothing to call it by": "enter a name",
    r"widest reach|in their reach|out of reach|within reach": "access",
    r"counts from": "effective immediately",
    r"asked for it|on whose instruction": "request, instruction",
    r"as it was at": "snapshot time",
    r"who came in|was let in|let in by": "support access",
}
# Whole labels, buttons and headings.
RETIRED_LABELS = {
    "Begin", "Go on", "Later", "Show", "Show again", "Show these", "This list", "Row before", "Changed last",
    "Relation", "Is there", "Is missing", "Leave out", "Goes into", "Between the columns", "For what", "Every act",
    "At once", "Like the device", "Password until now", "Fetch the file", "Take off", "When this person asks",
    "Asked by", "Being made", "Who is told",
}  # fmt: skip
WORDS = re.compile(rf"(?<![\w-])(?:{'|'.join(f'(?:{word})' for word in RETIRED)})(?![\w-])", re.IGNORECASE)
FOLDERS = ("platform/qikbiz/", "provisioning/", "workers/", "tenants/", "config/")
# (file, text): why it may stand there.
ALLOWED = {
    ("provisioning/erase_person.py", "from mails"): "SQL",
}

_JINJA = re.compile(r"\{[{%].*?[}%]\}", re.DOTALL)
_COMMENT = re.compile(r"\{#.*?#\}|<!--.*?-->", re.DOTALL)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'|`((?:[^`\\]|\\.)*)`')
# Attributes that nobody reads.
_UNREAD = re.compile(r'\b(?:href|class|id|name|for|action|type|method|src|role|list|hx-[\w-]+|data-[\w-]+)="[^"]*"')
_LINE_COMMENT = re.compile(r"^\s*//.*$|^\s*/?\*.*$", re.MULTILINE)


def shown_texts(path: Path) -> Iterator[str]:
    """The texts of a file that a person may read."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        yield from _literals(ast.parse(source))
    elif path.suffix == ".js":
        yield from _quoted(_LINE_COMMENT.sub("", source))
    else:
        source = _COMMENT.sub("", source)
        for code in _JINJA.findall(source):
            yield from _quoted(code)
        yield from re.split(r"[<>]", _UNREAD.sub("", _JINJA.sub("\0", source)))


def _quoted(code: str) -> Iterator[str]:
    for match in _QUOTED.finditer(code):
        yield next(filter(None, match.groups()), "")


def _literals(tree: ast.Module) -> Iterator[str]:
    """String literals but docstrings; an f-string is one text."""
    unread = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            unread |= {id(part) for part in node.values}
            yield "".join(part.value if isinstance(part, ast.Constant) else "\0" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in unread:
            yield node.value


def _is_read(text: str) -> bool:
    """Names and keys have no space and no capital."""
    return " " in text.strip() or text[:1].isupper()


def files() -> list[Path]:
    """All but the migrations: what a database was told once stays in it."""
    found = tracked(".py", ".html", ".jinja", ".js")
    names = {path: path.relative_to(ROOT).as_posix() for path in found}
    return [path for path, name in names.items() if name.startswith(FOLDERS) and "/migrations/" not in name]


def test_no_page_email_or_command_uses_a_retired_word() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), match[0].lower())
        for path in files()
        for text in filter(_is_read, shown_texts(path))
        for match in WORDS.finditer(text)
    }
    assert found - ALLOWED.keys() == set()
    assert ALLOWED.keys() - found == set(), "no longer needed"


def test_no_label_is_a_retired_one() -> None:
    found = {
        (path.relative_to(ROOT).as_posix(), text.strip())
        for path in files()
        for text in shown_texts(path)
        if text.strip() in RETIRED_LABELS
    }
    assert found == set()


@pytest.mark.parametrize(
    ("name", "source", "shown"),
    [
        ("a.html", '{# Log in #}<a class="log in" href="/go on">Sign {{ f("Log in") }}</a>', {"Log in", "Sign \0"}),
        ("a.py", '"""Log in."""\nx = f"{y} is told"\nz = "login_id"\n', {"\0 is told"}),
        ("a.js", '// "Log in"\ntoast(`Log in`);\n', {"Log in"}),
    ],
)
def test_texts_are_told_from_names_and_comments(tmp_path: Path, name: str, source: str, shown: set[str]) -> None:
    path = tmp_path / name
    path.write_text(source)
    assert {text.strip() for text in shown_texts(path) if _is_read(text) and len(text) > 1} - {
        "a class= href="
    } >= shown
