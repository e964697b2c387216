"""Review rule files: `python -m local.dq.review [RULES…]`. Exit code 0: no findings, 1: findings, 2: unusable."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from local.dq.review.findings import Finding, ordered
from local.dq.review.project import Review, accepted, check, read, rule_files
from local.dq.review.source import RuleFile
from local.spark import ROOT

NO_FINDINGS, FINDINGS, UNUSABLE = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and give its exit code."""
    parser = argparse.ArgumentParser(prog="pipeline dq check", description=__doc__)
    parser.add_argument("rules", nargs="*", type=Path, metavar="RULES", help="rule files (default: dqdl-rules/*.dqdl)")
    parser.add_argument("--no-sample", action="store_true", help="look at the rules alone, not at what they do")
    parser.add_argument("--output", choices=("text", "json"), default="text")
    arguments = parser.parse_args(argv)
    try:
        files = [RuleFile.read(path, ROOT) for path in arguments.rules or rule_files(ROOT)]
        findings = _review(files, arguments.no_sample)
    except (OSError, ValueError, RuntimeError) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    _print(findings, files, arguments.output)
    return FINDINGS if findings else NO_FINDINGS


def _review(files: list[RuleFile], alone: bool) -> list[Finding]:
    from local.dq.review.session import grammar, local_cloud, spark_session

    jvm = grammar()
    parsed, refused = read(jvm, files, ROOT)
    if alone or not any(each.dataset for each in parsed):
        found = [finding for each in parsed for finding in accepted(each.file, check(each.subject()), False)]
        return ordered([*refused, *found])
    with tempfile.TemporaryDirectory(prefix="rules-") as work, local_cloud(Path(work)) as url:
        review = Review(ROOT, spark_session(url), Path(work), _progress)
        return ordered([*refused, *review.findings(parsed)])


def _progress(what: str) -> None:
    print(f"… {what}", file=sys.stderr, flush=True)


def _print(findings: list[Finding], files: list[RuleFile], output: str) -> None:
    if output == "json":
        print(json.dumps({"files": [file.name for file in files], "findings": [each.as_json() for each in findings]}))
        return
    for finding in findings:
        print(finding.text())
    rules = sum(len(file.places) for file in files)
    print(f"{_counted(len(findings), 'finding')} on {_counted(rules, 'rule')} in {_counted(len(files), 'file')}")


def _counted(number: int, what: str) -> str:
    return f"{number or 'no'} {what}{'' if number == 1 else 's'}"


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # The JVM ends with this process; ending the interpreter would wait for what nobody needs.
    os._exit(code)
