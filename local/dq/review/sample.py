"""The sample that rules are reviewed on: sound, and with planted faults, made by sample-data/make_sample.py."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from local.dq.review.evidence import PlantedFault
from local.dq.review.lake import DATE

GONE = "column_gone"


class Maker:
    """The maker of samples of a checkout; samples go to folders in `work`."""

    def __init__(self, root: Path, work: Path) -> None:
        self._script = root / "sample-data" / "make_sample.py"
        self._work = work
        self._faults = load(root / "sample-data" / "faults.py")

    def make(self, name: str, *options: str) -> dict[str, list[Path]]:
        """Make a sample: the files of each dataset. Raises RuntimeError with what the maker says."""
        out = self._work / name
        command = [sys.executable, str(self._script), "--out", str(out), "--date", DATE, *options]
        result = subprocess.run(command, capture_output=True, text=True)
        if result.returncode != 0:
            raise RuntimeError(f"sample-data/make_sample.py failed: {result.stderr.strip().splitlines()[-1]}")
        return {folder.name: sorted(folder.iterdir()) for folder in sorted(out.iterdir()) if folder.is_dir()}

    def row_faults(self, name: str, dataset: str) -> list[PlantedFault]:
        """The faults in the rows of a sample that was made, but for rows that are equal: no rule is about those."""
        lines = (self._work / name / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
        noted = [note for note in map(json.loads, lines) if note["dataset"] == dataset]
        return [_planted(note) for note in noted if note["rule"] != self._faults.DUPLICATE]

    def batch_faults(self, columns: Mapping[str, Sequence[str]]) -> list[dict[str, list[PlantedFault]]]:
        """The faults of whole batches, by dataset, parted into as few samples as can be.

        Faults of one sample spoil columns of their own, so that what each does can be told from the others, and leave
        half of the `columns` in place.
        """
        samples: list[dict[str, list[PlantedFault]]] = []
        for dataset, faults in self._faults.BATCH_FAULTS.items():
            for index, group in enumerate(parted(faults, len(columns.get(dataset, ())))):
                if index == len(samples):
                    samples.append({})
                samples[index][dataset] = [PlantedFault(each.name, each.column, each.rule) for each in group]
        return samples


def options(sample: Mapping[str, Sequence[PlantedFault]]) -> list[str]:
    """The maker's options for these faults of whole batches."""
    named = [
        f"{dataset}:{fault.name}" + (f":{fault.column}" if fault.column else "")
        for dataset, faults in sample.items()
        for fault in faults
    ]
    return [part for name in named for part in ("--batch-fault", name)]


def _planted(note: Mapping[str, Any]) -> PlantedFault:
    return PlantedFault(note["fault"], note["column"], note["rule"])


def parted(faults: Sequence[Any], width: int) -> list[list[Any]]:
    """Faults of whole batches in groups whose members spoil columns of their own, of which half at most go missing."""
    groups: list[list[Any]] = []
    for fault in faults:
        taken = set((fault.column or "").split(", "))
        for group in groups:
            clash = any(taken.intersection((other.column or "").split(", ")) for other in group)
            gone = sum(other.name == GONE for other in group)
            if not clash and (fault.name != GONE or gone < width // 2):
                group.append(fault)
                break
        else:
            groups.append([fault])
    return groups


def load(path: Path) -> ModuleType:
    """The module of planted faults, which is in no package."""
    spec = importlib.util.spec_from_file_location("planted_faults", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
