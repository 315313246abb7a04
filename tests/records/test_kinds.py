"""Each kind of field is a class of its own; nothing else asks what kind a field is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from qikbiz.crm.schema import kinds
from qikbiz.crm.schema.field import Field
from qikbiz.crm.schema.registry import RECORD_TYPES

ROOT = Path(__file__).parents[2]
PRODUCT = [ROOT / name for name in ("platform", "provisioning", "tenants", "workers")]
SCHEMA = ROOT / "platform/qikbiz/crm/schema"
NAMES = frozenset(kind.__name__ for kind in kinds.KINDS)
# `field.kind == "date"`, `f.kind in (…)`, in a template or in Python.
ASKED = re.compile(r"\b(?:f|field|item\.field)\.kind\b\s*(?:==|!=|is\b|in\b|not in\b)")


@pytest.mark.parametrize("kind", kinds.KINDS, ids=lambda kind: kind.__name__)
def test_a_kind_stands_in_its_own_file_under_its_own_name(kind: type[Field]) -> None:
    path = SCHEMA / "kinds" / f"{_snake(kind.__name__)}.py"
    assert kind.__module__ == f"qikbiz.crm.schema.kinds.{path.stem}"
    assert f"class {kind.__name__}(" in path.read_text("utf-8")
    assert sum(other.kind == kind.kind for other in kinds.KINDS) == 1


def test_only_declarations_name_kinds() -> None:
    """Whoever else imports a kind would branch on it: a new kind would be forgotten there."""
    naming = {
        str(path.relative_to(ROOT))
        for path in _files("*.py")
        if not path.is_relative_to(SCHEMA) and path.name != "fields.py" and NAMES & {*_imported(path)}
    }
    assert naming == set()


def test_no_code_and_no_template_asks_a_fields_kind() -> None:
    asking = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in (*_files("*.py"), *_files("*.html"))
        if not path.is_relative_to(SCHEMA / "kinds")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), start=1)
        if ASKED.search(line)
    ]
    assert asking == []


def test_what_all_types_share_names_none_of_them() -> None:
    """Texts in code are addresses, columns, permissions: with a type's name in them they are of that type alone."""
    names = {name for kind in RECORD_TYPES.values() for name in (kind.name, kind.plural)}
    naming = [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.value}"
        for folder in (SCHEMA, SCHEMA.parent / "records")
        for path in folder.rglob("*.py")
        # The evidence of a promise invites to try it with one record.
        if path.name != "promise.py"
        for node in _texts(path)
        if names & {*re.split(r"\W+", node.value)}
    ]
    assert naming == []


def test_the_check_sees_what_it_looks_for() -> None:
    assert ASKED.search('{% if field.kind == "date" %}') and ASKED.search("if f.kind in (A, B):")
    assert not ASKED.search("change.kind == 'created'")


def _files(pattern: str) -> Iterator[Path]:
    for folder in PRODUCT:
        yield from folder.rglob(pattern)


def _texts(path: Path) -> Iterator[ast.Constant]:
    """The texts of a module, without what explains it."""
    tree = ast.parse(path.read_text("utf-8"))
    explained = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in explained:
            yield node


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("qikbiz.crm.schema.kinds"):
            yield from (alias.name for alias in node.names)


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
