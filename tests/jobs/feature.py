"""The kinds of job that exist only in tests, as a feature that is installed after the product's."""

from __future__ import annotations

from qikbiz.app import features
from qikbiz.kernel.feature import Feature
from qikbiz.kernel.job_kinds import JobKind

_SIMPLE = ("leave_effect", "step_by_step", "refuse", "stumble", "be_away", "never_look")
_MODULE = "tests.jobs.functions"
FEATURE = Feature(
    name="test_jobs",
    jobs={
        f"test.{name}": JobKind("checks", "A test", f"{_MODULE}:{name}", timeout_seconds=30, lease_seconds=2)
        for name in _SIMPLE
    }
    | {
        "test.import": JobKind("imports", "A test", f"{_MODULE}:leave_effect", lease_seconds=2),
        "test.kill_me": JobKind("checks", "A test", f"{_MODULE}:kill_me", max_attempts=2, lease_seconds=2),
        "test.overrun": JobKind("checks", "A test", f"{_MODULE}:overrun", timeout_seconds=1, max_attempts=2),
        "test.platform": JobKind("checks", "A test", f"{_MODULE}:leave_effect", is_platform=True),
        "test.renamed": JobKind("checks", "A test", f"{_MODULE}:leave_effect", former_names=("test.former",)),
    },
)


def install() -> None:
    features.FEATURES = (*features.FEATURES, FEATURE)
    features.install()
