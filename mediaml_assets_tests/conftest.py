"""Shared by all tests: where development media are."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of development media, named by MEDIAML_SHARED; tests that need it are skipped where it is absent."""
    folder = (ROOT / os.environ.get("MEDIAML_SHARED", "../shared")).resolve()
    if not (folder / "media").is_dir():
        pytest.skip(f"no development media in {folder}; set MEDIAML_SHARED")
    return folder


# the same examples at every run, so that a red test is about the change at hand; machines are shared, so no deadlines
settings.register_profile("repeatable", deadline=None, derandomize=True)
settings.load_profile("repeatable")
