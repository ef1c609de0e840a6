#!/usr/bin/env python3
"""Turn a raw interaction log into a dataset folder: `python data/prepare.py --help`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from remi_tf.data.command import main  # noqa: E402 (the checkout need not be installed)

if __name__ == "__main__":
    sys.exit(main(root=ROOT / "data"))
