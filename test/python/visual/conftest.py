"""What all tests of visual jobs share."""

from __future__ import annotations

import pytest
from running_cloud import RunningCloud
from visual.support import connect
from warehouse.support import Warehouse


@pytest.fixture(scope="package")
def warehouse(cloud: RunningCloud) -> Warehouse:
    """A warehouse that a connection of its own name leads to."""
    return connect(Warehouse(cloud).create())
