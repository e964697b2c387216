"""docs/dqdl-conformance.md says what the golden cases say, and leaves no rule type out."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

from running_cloud import ROOT


def written() -> str:
    script = "import conformance; print(conformance.document(), end='')"
    folder = Path(__file__).parent
    return subprocess.run([sys.executable, "-c", script], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_the_table_is_fresh() -> None:
    document = ROOT / "docs" / "dqdl-conformance.md"
    assert document.read_text() == written(), "run `python test/python/dq/conformance.py`"


def test_every_rule_type_of_the_grammar_has_a_case() -> None:
    (jar,) = (ROOT / ".jars").glob("dqdl-*.jar")
    with zipfile.ZipFile(jar) as content:
        types = json.loads(content.read("rules/rules-config.json"))["rule_types"]
    known = {each["rule_type_name"] for each in types if not each.get("is_analyzer_only")}
    text = written()
    assert [kind for kind in sorted(known) if f"\n## {kind}\n" not in text] == []
