#!/usr/bin/env python3
"""Turn a raw interaction log into a dataset folder: `python data/prepare.py --help`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the checkout need not be installed

from remi_tf.commands.cli import run_main
from remi_tf.commands.prepare import main

if __name__ == "__main__":
    run_main(main)
