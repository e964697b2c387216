"""`getResolvedOptions`: the arguments of a job run.

https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-crawler-pyspark-extensions-get-resolved-options.html
"""

import argparse
from typing import Any, NoReturn

from awsglue.job import Job


class GlueArgumentError(Exception):
    """An argument that the script requires is missing or has no value."""


class GlueArgumentParser(argparse.ArgumentParser):
    """Raises where argparse would end the process."""

    def error(self, msg: str) -> NoReturn:  # type: ignore[override]
        """Raise GlueArgumentError."""
        raise GlueArgumentError(msg)


def getResolvedOptions(args: list[str], options: list[str]) -> dict[str, Any]:
    """The values of `options` (names without dashes) in `args` (sys.argv), and Glue's own arguments.

    Raises GlueArgumentError for one that is missing, RuntimeError for a name that Glue keeps to itself.
    """
    parsed = vars(_parser(options).parse_known_args(args[1:])[0])
    parsed["TempDir"] = parsed["RedshiftTempDir"] = parsed["TempDir"] or parsed["RedshiftTempDir"]
    parsed["job_bookmark_option"] = _bookmark(parsed.pop("continuation_option"), parsed["job_bookmark_option"])
    return parsed


def _parser(options: list[str]) -> GlueArgumentParser:
    parser = GlueArgumentParser()
    reserved = [*Job.job_bookmark_range_options(), *Job.id_params()[1:], *Job.data_lineage_options()]
    choices = [Job.job_bookmark_options(), Job.continuation_options(), Job.encryption_type_options()]
    taken = {name.lstrip("-") for name in [*reserved, *(choice[0] for choice in choices)]}
    if clash := taken.intersection(options):
        raise RuntimeError("Using reserved arguments " + ", ".join(sorted(clash)))
    for name in [*reserved, "--TempDir", "--RedshiftTempDir"]:
        parser.add_argument(name)
    for name, *values in choices:
        parser.add_argument(name, choices=values)
    for name in options:
        if name not in ("TempDir", "RedshiftTempDir"):
            parser.add_argument("--" + name, required=True)
    return parser


def _bookmark(continuation: str | None, bookmark: str | None) -> str:
    if bookmark:
        return bookmark
    if continuation:
        return Job.job_bookmark_options()[Job.continuation_options().index(continuation)]
    return "job-bookmark-disable"
