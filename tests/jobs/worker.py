"""A worker that also knows the jobs of the tests."""

import sys

from tests.jobs import functions
from workers.__main__ import main

if __name__ == "__main__":
    assert functions.KINDS
    raise SystemExit(main(sys.argv[1:]))
