"""The program of another process that a feature starts: it installs the features and calls one function of theirs."""

from __future__ import annotations

import sys
from pkgutil import resolve_name

from qikbiz.app import features

if __name__ == "__main__":
    features.install()
    resolve_name(sys.argv[1])()
