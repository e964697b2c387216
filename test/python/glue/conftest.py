"""Fixtures of the Glue tests."""

from __future__ import annotations

import pytest
from conftest import RunningCloud
from glue.support import Lake


@pytest.fixture
def lake(cloud: RunningCloud) -> Lake:
    """An empty bucket and an empty database."""
    return Lake(cloud)
