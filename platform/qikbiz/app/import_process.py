"""The program of the second process that converts a large import; see `transfer/imports/parallel_convert.py`."""

from __future__ import annotations

from qikbiz.app import features
from qikbiz.transfer.imports.second_process import main

if __name__ == "__main__":
    features.install()
    main()
