"""The columns of the jobs, of the rules and of the warehouse's tables are the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from jobs.contracts import CONTRACTS
from running_cloud import ROOT


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.__name__)
def test_contract(contract: Callable[[Path], list[str]]) -> None:
    wrong = contract(ROOT)
    assert not wrong, "\n" + "\n".join(wrong)
