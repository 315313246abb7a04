"""What the structure promises and no linter checks: where transactions end, and that `platform/` is no package."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session

from qikbiz.kernel.database import db
from tenants.context import NoTenantEntered

ROOT = Path(__file__).parents[2]
# The greeting goes by the hour of the user.
OTHER_CLOCKS = {"platform/qikbiz/crm/home/routes.py"}
# Whoever opens a transaction ends it; code of features does neither, so that what it does is done whole or not at all.
ENDS_TRANSACTIONS = {
    "platform/qikbiz/kernel/database.py": "opens the transaction of each request and job",
    "platform/qikbiz/crm/records/search_fallback.py": "a savepoint for a search that may take too long",
    "workers/heartbeat.py": "a connection of its own beside the job's",
    "provisioning/create.py": "makes roles and schemas before and after the tenant's row",
    "provisioning/guest_roles.py": "makes and drops roles with a connection of its own",
    "provisioning/usage.py": "one transaction for each tenant that is measured",
}

# A form is a class that refuses fields it doesn't have (docs/decisions/0024-forms.md), so nothing else reads them.
READS_FORMS = {
    "platform/qikbiz/web/forms.py": "makes the classes' fields from it",
    "platform/qikbiz/web/csrf.py": "the token, before any form is known",
    "platform/qikbiz/web/resubmit.py": "keeps whatever was typed, to send it once more",
    "platform/qikbiz/crm/records/forms.py": "makes the form of a record from what its type declares",
    "platform/qikbiz/transfer/exports/routes.py": "the filters of a list, read as from the list's address",
    "platform/qikbiz/transfer/imports/routes.py": "the tables of columns and of cells, whose names the file makes",
}


def _ends_one(path: Path) -> bool:
    return any(
        isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in ("commit", "rollback")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def test_only_these_end_a_transaction() -> None:
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("platform", "workers", "provisioning", "tenants", "config")
        for path in (ROOT / folder).rglob("*.py")
        if _ends_one(path)
    }
    assert found == set(ENDS_TRANSACTIONS)


def _reads_form(path: Path) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ("form", "values")
        and isinstance(node.value, ast.Name)
        and node.value.id == "request"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
    )


def test_only_these_read_what_a_form_sent_by_themselves() -> None:
    found = {path.relative_to(ROOT).as_posix() for path in (ROOT / "platform").rglob("*.py") if _reads_form(path)}
    assert found == set(READS_FORMS)


def test_platform_is_a_shelf_and_hides_no_module_of_python() -> None:
    assert list((ROOT / "platform").glob("*.py")) == []
    asked = [sys.executable, "-c", "import platform; print(platform.system())"]
    # From the top folder, which is where a package of this name would be found first.
    assert subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize("given", [LoginManager, SQLAlchemy, Session])
def test_extensions_are_used_and_no_private_method_of_theirs_is_overridden(given: type) -> None:
    private = {name for name in vars(given) if name.startswith("_") and not name.startswith("__")}
    ours = [one for one in given.__subclasses__() if one.__module__.startswith("qikbiz.")]
    assert [(one, name) for one in ours for name in private & set(vars(one))] == []


def test_the_extensions_own_engine_connects_to_nothing(app: Flask) -> None:
    with app.app_context(), pytest.raises(NoTenantEntered, match="never uses"):
        db.engine.connect()


def test_the_product_asks_one_clock() -> None:
    """Otherwise a test that moves the clock moves half of the product. Intervals are measured by `time.monotonic`."""
    asked = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "platform").rglob("*.py")
        if re.search(r"\bdatetime\.(now|utcnow|today)\(|\bdate\.today\(", path.read_text(encoding="utf-8"))
    }
    assert asked == {"platform/qikbiz/kernel/clock.py", *OTHER_CLOCKS}


def test_decisions_are_numbered_without_gaps() -> None:
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "decisions").glob("*.md"))]
    assert numbers == list(range(1, len(numbers) + 1))
    for path in (ROOT / "docs" / "decisions").glob("*.md"):
        assert path.read_text(encoding="utf-8").startswith(f"# {path.name[:4]} "), path.name
