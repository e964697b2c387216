"""The local `awsglue`: the same signatures as Glue's own, and what its frames do."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from glue.support import Lake
from running_cloud import ROOT, RunningCloud

LOCAL = ROOT / "local" / "runtime"
# Prints the signatures of a package called awsglue that lies in the folder given.
SIGNATURES = """
import importlib, inspect, json, sys
sys.path.insert(0, sys.argv[1])
modules = ("context", "dynamicframe", "transforms", "utils", "job", "data_sink")
found = {}
def note(name, function):
    parameters = inspect.signature(function).parameters.values()
    found[name] = [(p.name, p.kind.name, repr(p.default)) for p in parameters]
for module in modules:
    for name, item in vars(importlib.import_module("awsglue." + module)).items():
        if name.startswith("_") or not getattr(item, "__module__", "").startswith("awsglue"):
            continue
        if inspect.isfunction(item):
            note(name, item)
        elif inspect.isclass(item):
            for method, function in vars(item).items():
                function = getattr(function, "__func__", function)
                if inspect.isfunction(function) and (not method.startswith("_") or method in ("__init__", "__call__")):
                    note(name + "." + method, function)
print(json.dumps({"file": importlib.import_module("awsglue").__file__, "found": found}))
"""
# Glue's insides, and how its transforms describe themselves.
INTERNAL = {
    "callsite", "describe_transform", "get_transform", "get_transforms", "iteritems", "iterkeys", "itervalues",
    "makeOptions", "register",
}  # fmt: skip
INTERNAL_CLASSES = {"DataFrameReader", "DataFrameWriter", "DataSource", "DataType", "StreamingDataSource"}


@pytest.fixture
def lake(cloud: RunningCloud, spark: Any) -> Lake:
    """An empty bucket and an empty database, and Spark to read and write them."""
    return Lake(cloud)


@pytest.fixture
def context(spark: Any) -> Any:
    """A GlueContext."""
    from awsglue.context import GlueContext

    return GlueContext(spark.sparkContext)


def _signatures(folder: Path) -> dict[str, list]:
    command = [sys.executable, "-c", SIGNATURES, str(folder)]
    answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert Path(answer["file"]).is_relative_to(folder)
    return answer["found"]


def test_signatures_are_those_of_glue() -> None:
    theirs = _signatures(Path(next(p for p in sys.path if p.endswith("site-packages"))))
    ours = _signatures(LOCAL)

    def public(name: str) -> bool:
        owner, _, method = name.partition(".")
        return name not in INTERNAL and owner not in INTERNAL_CLASSES and not method.startswith("describe")

    missing = {name for name in theirs if public(name) and name not in ours}
    # A transform that is not implemented takes anything, and says so.
    refused = {"ErrorsAsDynamicFrame", "Relationalize", "Spigot", "Unbox", "UnnestFrame"}
    assert missing == {f"{name}.__call__" for name in refused}
    # Their `init(job_name, args={})` and the like: names, kinds and defaults, in order.
    assert {n: ours[n] for n in ours if n in theirs} == {n: theirs[n] for n in ours if n in theirs}
    # What only we have is how Glue's Java objects look to Python.
    assert {name for name in ours if name not in theirs} <= {
        "GlueTransform.__call__", "null_fields", "partition_keys", "spark_format", "spark_type", "write_files",
        "write_table",
    }  # fmt: skip


def test_resolved_options() -> None:
    from awsglue.utils import GlueArgumentError, getResolvedOptions

    given = ["script.py", "--JOB_NAME", "j", "--Bucket", "b", "--TempDir", "s3://t/", "--enable-metrics", "--x", "1"]

    options = getResolvedOptions(given, ["JOB_NAME", "Bucket"])

    assert (options["JOB_NAME"], options["Bucket"], options["TempDir"]) == ("j", "b", "s3://t/")
    assert options["job_bookmark_option"] == "job-bookmark-disable"
    with pytest.raises(GlueArgumentError, match="--Absent"):
        getResolvedOptions(given, ["Absent"])
    with pytest.raises(RuntimeError, match="reserved"):
        getResolvedOptions(given, ["JOB_RUN_ID"])


test_resolved_options = pytest.mark.usefixtures("spark")(pytest.mark.spark(test_resolved_options))


def _frame(context: Any, sql: str, name: str = "frame") -> Any:
    from awsglue.dynamicframe import DynamicFrame

    return DynamicFrame.fromDF(context.spark_session.sql(sql), context, name)


def _rows(frame: Any) -> list[tuple]:
    return sorted((tuple(row) for row in frame.toDF().collect()), key=str)


@pytest.mark.spark
def test_apply_mapping_selects_renames_and_casts(context: Any) -> None:
    from awsglue.transforms import ApplyMapping

    frame = _frame(
        context, "select '7' as Year, 'oops' as votes, struct('x' as inner) as s, `a.b` from values (1) t(`a.b`)"
    )

    mapped = ApplyMapping.apply(
        frame=frame,
        mappings=[
            ("year", "string", "release_year", "int"),
            ("votes", "string", "votes", "long"),
            ("s.inner", "string", "inner", "string"),
            ("`a.b`", "int", "dotted", "decimal(4,1)"),
            ("absent", "string", "absent", "string"),
        ],
    )

    types = [("release_year", "int"), ("votes", "bigint"), ("inner", "string"), ("dotted", "decimal(4,1)")]
    assert mapped.toDF().dtypes == types
    assert [tuple(map(str, row)) for row in _rows(mapped)] == [("7", "None", "x", "1.0")]


@pytest.mark.spark
def test_transforms_of_fields(context: Any) -> None:
    from awsglue.transforms import DropFields, DropNullFields, RenameField, SelectFields, SplitFields

    frame = _frame(context, "select 1 as a, 2 as b, null as c, named_struct('x', 3, 'y', 4) as s")

    assert DropFields.apply(frame=frame, paths=["b", "s.x", "absent"]).toDF().columns == ["a", "c", "s"]
    assert DropFields.apply(frame=frame, paths=["s.x"]).toDF().select("s.*").columns == ["y"]
    assert SelectFields.apply(frame=frame, paths=["b", "a"]).toDF().columns == ["b", "a"]
    assert RenameField.apply(frame=frame, old_name="a", new_name="z").toDF().columns == ["z", "b", "c", "s"]
    assert DropNullFields.apply(frame=frame).toDF().columns == ["a", "b", "s"]
    split = SplitFields.apply(frame=frame, paths=["a"], name1="one", name2="two")
    assert [split.select(key).toDF().columns for key in ("one", "two")] == [["a"], ["b", "c", "s"]]


@pytest.mark.spark
def test_transforms_of_rows(context: Any) -> None:
    from awsglue.transforms import Filter, Join, Map, SelectFromCollection, SplitRows, Union

    frame = _frame(context, "select * from values (1, 'a'), (2, 'b'), (null, 'c') as t(id, name)")
    other = _frame(context, "select * from values (2, 'z') as t(id, grade)", "other")

    assert _rows(Filter.apply(frame=frame, f=lambda row: row["id"] > 1)) == [(2, "b")]
    assert [row[0] for row in _rows(Map.apply(frame=other, f=lambda row: {"twice": row["id"] * 2}))] == [4]
    joined = Join.apply(frame1=frame, frame2=other, keys1=["id"], keys2=["id"])
    assert (joined.toDF().columns, _rows(joined)) == (["id", "name", ".id", "grade"], [(2, "b", 2, "z")])
    assert _rows(Union.apply(frame1=frame, frame2=frame)) == sorted([(1, "a"), (2, "b"), (None, "c")] * 2, key=str)
    split = SplitRows.apply(frame, {"id": {">": 0, "<": 2}}, "small", "rest")
    assert _rows(SelectFromCollection.apply(dfc=split, key="small")) == [(1, "a")]
    assert _rows(SelectFromCollection.apply(dfc=split, key="rest")) == [(2, "b"), (None, "c")]
    with pytest.raises(KeyError, match="no frame 'absent'"):
        SelectFromCollection.apply(dfc=split, key="absent")


@pytest.mark.spark
def test_what_is_not_implemented_says_so(context: Any) -> None:
    from awsglue.transforms import Relationalize

    frame = _frame(context, "select 1 as a")
    with pytest.raises(NotImplementedError, match="Relationalize"):
        Relationalize.apply(frame=frame, staging_path="s3://x/", name="root")
    with pytest.raises(NotImplementedError, match="mysql"):
        context.write_dynamic_frame.from_options(frame=frame, connection_type="mysql", connection_options={})
    with pytest.raises(NotImplementedError, match="'avro'"):
        context.write_dynamic_frame.from_options(
            frame=frame, connection_type="s3", connection_options={}, format="avro"
        )


@pytest.mark.spark
def test_targets_append(lake: Lake, context: Any) -> None:
    target = {"path": f"s3://{lake.name}/out/", "partitionKeys": []}
    for _ in range(2):
        context.write_dynamic_frame.from_options(
            frame=_frame(context, "select 1 as a"), connection_type="s3", format="parquet", connection_options=target
        )

    assert context.spark_session.read.parquet(target["path"]).count() == 2
    assert all(key.endswith(".snappy.parquet") for key in lake.keys("out/"))


@pytest.mark.spark
def test_json_and_csv_targets(lake: Lake, context: Any) -> None:
    frame = _frame(context, """select 'x' as a, 'said "no", then' as b, cast(null as string) as c""")
    compressed = {"path": f"s3://{lake.name}/json/", "compression": "gzip"}
    context.write_dynamic_frame.from_options(
        frame=frame, connection_type="s3", format="json", connection_options=compressed
    )
    context.write_dynamic_frame.from_options(
        frame=frame, connection_type="s3", format="csv", connection_options={"path": f"s3://{lake.name}/csv/"}
    )

    (key,) = lake.keys("json/")
    assert key.endswith(".json.gz")
    read = context.create_dynamic_frame.from_options(
        connection_type="s3",
        connection_options={"paths": [f"s3://{lake.name}/csv/"]},
        format="csv",
        format_options={"withHeader": True},
    )
    assert (read.toDF().columns, _rows(read)) == (["a", "b", "c"], [("x", 'said "no", then', "")])
    lines = context.create_dynamic_frame.from_options("s3", {"paths": [f"s3://{lake.name}/json/"]}, "json")
    assert _rows(lines) == [("x", 'said "no", then')]


@pytest.mark.spark
def test_csv_without_header_and_quotes(lake: Lake, context: Any) -> None:
    lake.put("in/sub/a.txt", 'a|"b\n1|\n')

    read = context.create_dynamic_frame.from_options(
        connection_type="s3",
        connection_options={"paths": [f"s3://{lake.name}/in/"], "recurse": True},
        format="csv",
        format_options={"separator": "|", "quoteChar": -1, "withHeader": False},
    )

    assert (read.toDF().columns, _rows(read)) == (["col0", "col1"], [("1", ""), ("a", '"b')])


@pytest.mark.spark
def test_a_sink_keeps_its_catalog_table_current(lake: Lake, context: Any) -> None:
    def write(sql: str) -> None:
        sink = context.getSink(
            path=f"s3://{lake.name}/films/",
            connection_type="s3",
            updateBehavior="UPDATE_IN_DATABASE",
            partitionKeys=["year"],
            enableUpdateCatalog=True,
            transformation_ctx="sink",
        )
        sink.setCatalogInfo(catalogDatabase=lake.name, catalogTableName="films")
        sink.setFormat("glueparquet", compression="snappy")
        sink.writeFrame(_frame(context, sql))

    write("select 'a' as id, 1999 as year")
    write("select 'b' as id, 'B' as title, 2001 as year")

    read = context.create_dynamic_frame.from_catalog(database=lake.name, table_name="films")
    assert list(lake.columns("films")) == ["id", "title"]
    assert _rows(read) == [("a", None, 1999), ("b", "B", 2001)]
    chosen = context.create_dynamic_frame.from_catalog(
        name_space=lake.name, table_name="films", push_down_predicate="year > 2000"
    )
    assert _rows(chosen) == [("b", "B", 2001)]


@pytest.mark.spark
def test_a_catalog_target_appends_where_the_table_lies(lake: Lake, context: Any) -> None:
    lake.csv_table("films", ["a"], {"a.csv": "a\n1\n"})
    frame = _frame(context, "select '2' as a, '2024-01-01' as ingest_date")

    context.write_dynamic_frame.from_catalog(frame=frame, database=lake.name, table_name="films")

    read = context.create_dynamic_frame.from_catalog(database=lake.name, table_name="films")
    assert _rows(read) == [("1", "2024-01-01"), ("2", "2024-01-01")]


@pytest.mark.spark
def test_purging_a_path(lake: Lake, context: Any) -> None:
    lake.put("temp/a", "x")

    with pytest.raises(NotImplementedError):
        context.purge_s3_path(f"s3://{lake.name}/temp/")
    context.purge_s3_path(f"s3://{lake.name}/temp/", {"retentionPeriod": 0})

    assert lake.keys("temp/") == []
