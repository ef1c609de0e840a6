"""Shared fixtures."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def shared_dir() -> Path:
    """The reference material beside the checkout (golden vectors, real logs)."""
    path = Path(os.environ.get("REMI_TF_SHARED", Path(__file__).resolve().parents[1].parent / "shared"))
    if not path.is_dir():
        pytest.skip(f"needs the reference material in {path} (or $REMI_TF_SHARED)")
    return path
