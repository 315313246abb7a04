"""What no feature vouches for is refused: a kind of file, an export that no user asked for, a restore."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qikbiz.kernel.actors import SYSTEM, acting_as
from qikbiz.kernel.database import tenant_transaction
from qikbiz.kernel.feature import NotInstalled
from qikbiz.kernel.permissions import every_permission
from qikbiz.kernel.registration import Registration
from qikbiz.kernel.rights import Rights
from qikbiz.transfer.exports import contributions, restore
from qikbiz.transfer.exports.access import is_open_to
from qikbiz.transfer.exports.actions import ask_for_export
from qikbiz.transfer.exports.contributions import OwnProduct, own_product, register_product
from qikbiz.transfer.exports.registry import maker_of
from qikbiz.transfer.exports.restore import restore_archive
from qikbiz.transfer.exports.selection import PORTABLE, Selection
from tenants.context import Tenant
from tests.exports.conftest import ExportHarness
from workers.run_job import perform

EVERY_PAGE = Rights.of(see="all", export="all", pages=list(every_permission()))


def test_a_kind_of_file_that_no_feature_makes_is_open_to_no_one() -> None:
    assert is_open_to(PORTABLE, EVERY_PAGE) and is_open_to("audit", EVERY_PAGE)
    assert not is_open_to("ledger", EVERY_PAGE)
    with pytest.raises(LookupError, match="ledger"):
        maker_of("ledger")


def test_two_features_do_not_make_the_same_kind_of_file() -> None:
    audit = own_product("audit")
    assert isinstance(audit, OwnProduct)
    with pytest.raises(RuntimeError, match="audit"):
        register_product(audit)


def test_each_registration_of_a_restore_is_needed(
    export_harness: ExportHarness,
    fresh_tenant: Callable[..., Tenant],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    archive = export_harness.save(export_harness.make(), tmp_path / "all.zip")
    other = fresh_tenant("Elsewhere")
    for name in ("ERASED_AT", "ROW_FILTER"):
        unfilled: Registration[Any] = Registration(name)
        with monkeypatch.context() as without, tenant_transaction(other), pytest.raises(NotInstalled, match=name):
            without.setattr(restore, name, unfilled)
            restore_archive(archive)


def test_an_export_that_no_feature_approves_is_not_made(
    export_harness: ExportHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    with acting_as(SYSTEM), tenant_transaction(export_harness.tenant):
        asked = ask_for_export(Selection())
    monkeypatch.setattr(contributions, "_approvals", [])
    assert asked.job_id is not None
    assert perform(export_harness.tenant.id, asked.job_id) != "done"
    assert export_harness.now(asked.id).state == "failed"
