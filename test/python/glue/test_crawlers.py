"""Crawlers: what they make of the objects in a bucket."""

from __future__ import annotations

import gzip
import io
import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from glue.support import Lake
from running_cloud import RunningCloud, wait_for

FILMS = "Imdb_ID,title,year,rating\ntt0000001,One,1999,7.5\ntt0000002,Two,2001,\n"


@pytest.fixture
def lake(cloud: RunningCloud) -> Lake:
    """An empty bucket and an empty database."""
    return Lake(cloud)


@pytest.fixture
def crawler(lake: Lake) -> str:
    """A crawler as the pipeline has it, but for events."""
    return lake.crawler(Classifiers=[lake.csv_classifier()])


def test_a_csv_folder_becomes_a_partitioned_table(lake: Lake, crawler: str) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", FILMS)

    last = lake.crawl(crawler)

    assert last["Status"] == "SUCCEEDED"
    table = lake.table("movies")
    assert lake.columns("movies") == {"imdb_id": "string", "title": "string", "year": "bigint", "rating": "double"}
    assert table["PartitionKeys"] == [{"Name": "ingest_date", "Type": "string"}]
    assert table["StorageDescriptor"]["Location"] == f"s3://{lake.name}/raw/movies/"
    assert table["Parameters"]["classification"] == "csv"
    assert table["Parameters"]["skip.header.line.count"] == "1"
    assert table["Parameters"]["recordCount"] == "2"
    assert table["Parameters"]["UPDATED_BY_CRAWLER"] == crawler
    partition = lake.partition("movies", "2024-01-01")
    assert partition["StorageDescriptor"]["Location"] == f"s3://{lake.name}/raw/movies/ingest_date=2024-01-01/"
    assert partition["Parameters"]["classification"] == "csv"


def test_each_partition_has_its_own_columns_and_the_table_has_all(lake: Lake, crawler: str) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", FILMS)
    lake.put("raw/movies/ingest_date=2024-01-02/a.csv", "title,imdb_id,year\nThree,tt0000003,unknown\n")

    lake.crawl(crawler)

    assert list(lake.partition_columns("movies", "2024-01-01")) == ["imdb_id", "title", "year", "rating"]
    assert list(lake.partition_columns("movies", "2024-01-02")) == ["title", "imdb_id", "year"]
    # A year that is a number here and text there is text in the table.
    assert lake.columns("movies") == {"imdb_id": "string", "title": "string", "year": "string", "rating": "double"}


def test_a_later_crawl_adds_columns_and_partitions(lake: Lake, crawler: str) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", FILMS)
    first = lake.crawl(crawler)
    lake.put("raw/movies/ingest_date=2024-01-02/a.csv", "imdb_id,title,year,rating,studio\ntt3,T,2002,1.0,S\n")

    second = lake.crawl(crawler)

    assert second["StartTime"] > first["StartTime"]
    assert list(lake.columns("movies")) == ["imdb_id", "title", "year", "rating", "studio"]
    assert list(lake.partition_columns("movies", "2024-01-01")) == ["imdb_id", "title", "year", "rating"]


def test_files_of_one_batch_are_one_schema(lake: Lake, crawler: str) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", "id,n\na,1\n")
    lake.put("raw/movies/ingest_date=2024-01-01/b.csv.gz", gzip.compress(b"id,n,extra\nb,2.5,x\n"))

    lake.crawl(crawler)

    assert lake.partition_columns("movies", "2024-01-01") == {"id": "string", "n": "double", "extra": "string"}


def test_json_lines_and_parquet(lake: Lake, crawler: str) -> None:
    rows = [{"id": 1, "Name": "a", "tags": ["x"], "at": {"x": 1.5}}, {"id": 2**40, "Name": None, "ok": True}]
    lake.put("raw/events/ingest_date=2024-01-01/a.json", "\n".join(map(json.dumps, rows)))
    table = pa.table({"n": pa.array([1], pa.int32()), "d": pa.array([None], pa.decimal128(14, 2)), "T": ["x"]})
    body = io.BytesIO()
    pq.write_table(table, body)
    lake.put("raw/films/ingest_date=2024-01-01/a.parquet", body.getvalue())

    lake.crawl(crawler)

    assert lake.columns("events") == {
        "id": "bigint",
        "name": "string",
        "tags": "array<string>",
        "at": "struct<x:double>",
        "ok": "boolean",
    }
    assert lake.columns("films") == {"n": "int", "d": "decimal(14,2)", "t": "string"}
    assert lake.table("films")["Parameters"]["classification"] == "parquet"
    assert lake.table("films")["Parameters"]["recordCount"] == "1"


def test_empty_files_are_not_seen(lake: Lake, crawler: str) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", b"")
    lake.put("raw/ratings/ingest_date=2024-01-01/a.csv", "user,rating\n1,2.5\n")
    lake.put("raw/ratings/ingest_date=2024-01-01/b.csv", b"")

    lake.crawl(crawler)

    with pytest.raises(lake.glue.exceptions.EntityNotFoundException):
        lake.table("movies")
    assert lake.table("ratings")["Parameters"]["objectCount"] == "1"


def test_a_header_alone_gives_columns_of_text(lake: Lake, crawler: str) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", "imdb_id,title\n")

    lake.crawl(crawler)

    assert lake.partition_columns("movies", "2024-01-01") == {"imdb_id": "string", "title": "string"}
    assert lake.partition("movies", "2024-01-01")["Parameters"]["recordCount"] == "0"


def test_a_file_of_no_known_format_is_unknown_and_harms_no_other(lake: Lake, crawler: str) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", FILMS)
    lake.put("raw/movies/ingest_date=2024-01-02/a.csv", b"\x89PNG\r\n\x1a\n\x00\x00" + bytes(range(256)) * 50)
    lake.put("raw/ratings/ingest_date=2024-01-01/a.csv", "user,rating\n1,2.5\n")

    assert lake.crawl(crawler)["Status"] == "SUCCEEDED"

    assert lake.partition("movies", "2024-01-02")["Parameters"]["classification"] == "UNKNOWN"
    assert lake.partition_columns("movies", "2024-01-02") == {}
    assert list(lake.columns("movies")) == ["imdb_id", "title", "year", "rating"]
    assert lake.table("movies")["Parameters"]["classification"] == "csv"
    assert list(lake.columns("ratings")) == ["user", "rating"]


def test_prose_is_no_csv(lake: Lake, crawler: str) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", "Dear customer\nplease find attached\n")

    lake.crawl(crawler)

    assert lake.partition("movies", "2024-01-01")["Parameters"]["classification"] == "UNKNOWN"


def test_latin_1_and_a_field_of_a_megabyte_are_still_csv(lake: Lake, crawler: str) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", "title,n\nAmélie,1\n".encode("latin-1"))
    lake.put("raw/movies/ingest_date=2024-01-02/a.csv", "title,n\n" + "x" * 1_000_000 + ",1\n")
    lake.put("raw/movies/ingest_date=2024-01-03/a.csv", "title,n\n" + "x" * 3_000_000 + ",1\n")

    lake.crawl(crawler)

    for date in ("2024-01-01", "2024-01-02", "2024-01-03"):
        assert list(lake.partition_columns("movies", date)) == ["title", "n"], date
    assert lake.columns("movies") == {"title": "string", "n": "bigint"}


def test_the_pipeline_classifier_is_needed_for_files_of_text_alone(lake: Lake) -> None:
    lake.put("raw/films/ingest_date=2024-01-01/a.csv", "id,title\na,One\nb,Two\n")

    lake.crawl(lake.crawler())

    # The built-in classifier takes a line for a header only if another has something that is not text.
    assert lake.columns("films") == {"col0": "string", "col1": "string"}


def test_partitions_can_inherit_the_table_schema(lake: Lake) -> None:
    partitions = {"Partitions": {"AddOrUpdateBehavior": "InheritFromTable"}}
    grouping = {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": 3}
    configuration = {"Version": 1.0, "CrawlerOutput": partitions, "Grouping": grouping}
    crawler = lake.crawler(configuration, Classifiers=[lake.csv_classifier()])
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", "a,b\n1,2\n")
    lake.put("raw/movies/ingest_date=2024-01-02/a.csv", "a,b,c\n1,2,3\n")

    lake.crawl(crawler)

    assert list(lake.partition_columns("movies", "2024-01-01")) == ["a", "b", "c"]


def test_gone_objects_are_logged_and_stay_in_the_catalog(lake: Lake, crawler: str) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", FILMS)
    lake.put("raw/movies/ingest_date=2024-01-02/a.csv", FILMS)
    lake.crawl(crawler)
    lake.s3.delete_object(Bucket=lake.name, Key="raw/movies/ingest_date=2024-01-01/a.csv")

    lake.crawl(crawler)

    assert lake.partition("movies", "2024-01-01")
    assert any("no objects any more (LOG)" in line for line in _log(lake, crawler))


def test_gone_objects_can_be_deleted_from_the_catalog(lake: Lake) -> None:
    policy = {"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "DELETE_FROM_DATABASE"}
    crawler = lake.crawler(Classifiers=[lake.csv_classifier()], policy=policy)
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", FILMS)
    lake.put("raw/ratings/ingest_date=2024-01-01/a.csv", "a,b\n1,2\n")
    lake.put("raw/ratings/ingest_date=2024-01-02/a.csv", "a,b\n1,2\n")
    lake.crawl(crawler)
    lake.s3.delete_object(Bucket=lake.name, Key="raw/movies/ingest_date=2024-01-01/a.csv")
    lake.s3.delete_object(Bucket=lake.name, Key="raw/ratings/ingest_date=2024-01-02/a.csv")

    lake.crawl(crawler)

    with pytest.raises(lake.glue.exceptions.EntityNotFoundException):
        lake.table("movies")
    with pytest.raises(lake.glue.exceptions.EntityNotFoundException):
        lake.partition("ratings", "2024-01-02")
    assert lake.partition("ratings", "2024-01-01")


def test_a_crawler_is_started_once_at_a_time(lake: Lake, crawler: str) -> None:
    for index in range(30):
        lake.put(f"raw/t{index}/ingest_date=2024-01-01/a.csv", FILMS)
    lake.glue.start_crawler(Name=crawler)

    with pytest.raises(lake.glue.exceptions.CrawlerRunningException):
        lake.glue.start_crawler(Name=crawler)

    seen = []
    wait_for(lambda: seen.append(lake.state(crawler)) or seen[-1] == "READY", 30, "the crawler")
    assert list(dict.fromkeys(seen)) in (["RUNNING", "STOPPING", "READY"], ["RUNNING", "READY"])
    with pytest.raises(lake.glue.exceptions.CrawlerNotRunningException):
        lake.glue.stop_crawler(Name=crawler)


def test_a_stopped_crawl_is_cancelled(lake: Lake, crawler: str) -> None:
    for index in range(200):
        lake.put(f"raw/movies/ingest_date=2024-01-01/x={index}/a.csv", FILMS)
    lake.glue.start_crawler(Name=crawler)
    lake.glue.stop_crawler(Name=crawler)

    wait_for(lambda: lake.state(crawler) == "READY", 30, "the crawler")

    assert lake.glue.get_crawler(Name=crawler)["Crawler"]["LastCrawl"]["Status"] == "CANCELLED"


def test_a_crawl_that_cannot_be_done_fails_and_says_why(lake: Lake) -> None:
    crawler = lake.crawler(Classifiers=["absent"])

    last = lake.crawl(crawler)

    assert (last["Status"], last["ErrorMessage"]) == ("FAILED", "classifier absent does not exist")


def _log(lake: Lake, crawler: str) -> list[str]:
    logs = lake.cloud.client("logs")
    answer = logs.get_log_events(logGroupName="/aws-glue/crawlers", logStreamName=crawler)
    return [event["message"] for event in answer["events"]]


class EventLake:
    """A lake whose bucket sends its events to a queue, and a crawler that reads it."""

    def __init__(self, lake: Lake) -> None:
        self.lake = lake
        self.sqs = lake.cloud.client("sqs")
        self.url = self.sqs.create_queue(QueueName=lake.name)["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        statement = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self.sqs.set_queue_attributes(QueueUrl=self.url, Attributes={"Policy": policy})
        events = {"QueueArn": arn, "Events": ["s3:ObjectCreated:*", "s3:ObjectRemoved:*"]}
        lake.s3.put_bucket_notification_configuration(
            Bucket=lake.name, NotificationConfiguration={"QueueConfigurations": [events]}
        )
        self.crawler = lake.crawler(
            Classifiers=[lake.csv_classifier()],
            target={"EventQueueArn": arn},
            RecrawlPolicy={"RecrawlBehavior": "CRAWL_EVENT_MODE"},
        )

    def messages(self) -> int:
        """How many messages wait in the queue, received ones included."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return sum(int(attributes[name]) for name in names)


@pytest.fixture
def events(lake: Lake) -> EventLake:
    """A lake with events."""
    return EventLake(lake)


def test_in_event_mode_only_changed_folders_are_looked_at(lake: Lake, events: EventLake) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", FILMS)
    lake.crawl(events.crawler)
    assert events.messages() == 0
    # Were the folder looked at again, its partition would come back.
    lake.glue.delete_partition(DatabaseName=lake.name, TableName="movies", PartitionValues=["2024-01-01"])
    lake.put("raw/movies/ingest_date=2024-01-02/b c.csv", "imdb_id,title,studio\ntt1,T,S\n")

    lake.crawl(events.crawler)

    assert list(lake.partition_columns("movies", "2024-01-02")) == ["imdb_id", "title", "studio"]
    with pytest.raises(lake.glue.exceptions.EntityNotFoundException):
        lake.partition("movies", "2024-01-01")
    # The table keeps the columns of partitions that were not looked at.
    assert list(lake.columns("movies")) == ["imdb_id", "title", "year", "rating", "studio"]
    assert events.messages() == 0


def test_in_event_mode_garbage_over_a_good_batch_is_noticed(lake: Lake, events: EventLake) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", FILMS)
    lake.crawl(events.crawler)
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", b"\x00\x01\x02" * 1000)

    lake.crawl(events.crawler)

    assert lake.partition("movies", "2024-01-01")["Parameters"]["classification"] == "UNKNOWN"
    assert lake.table("movies")["Parameters"]["classification"] == "csv"
    assert list(lake.columns("movies")) == ["imdb_id", "title", "year", "rating"]


def test_a_failed_crawl_leaves_its_events_to_the_next(lake: Lake, events: EventLake) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", FILMS)
    lake.crawl(events.crawler)
    lake.put("raw/movies/ingest_date=2024-01-02/a.csv", FILMS)
    lake.glue.update_crawler(Name=events.crawler, Classifiers=["absent"])
    assert lake.crawl(events.crawler)["Status"] == "FAILED"
    assert events.messages() == 1
    lake.glue.update_crawler(Name=events.crawler, Classifiers=[lake.csv_classifier()])

    assert lake.crawl(events.crawler)["Status"] == "SUCCEEDED"

    assert lake.partition("movies", "2024-01-02")
    assert events.messages() == 0


def test_a_crawl_that_fails_half_way_gives_its_events_back(lake: Lake, events: EventLake) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", FILMS)
    lake.crawl(events.crawler)
    lake.put("raw/movies/ingest_date=2024-01-02/a.csv", FILMS)
    lake.glue.delete_database(Name=lake.name)
    last = lake.crawl(events.crawler)
    assert last["Status"] == "FAILED"
    assert "EntityNotFoundException" in last["ErrorMessage"]
    lake.glue.create_database(DatabaseInput={"Name": lake.name})

    lake.crawl(events.crawler)

    assert lake.partition("movies", "2024-01-02")


def test_removal_events_do_not_take_a_partition_from_the_catalog(lake: Lake, events: EventLake) -> None:
    lake.put("raw/movies/ingest_date=2024-01-01/a.csv", FILMS)
    lake.crawl(events.crawler)
    lake.s3.delete_object(Bucket=lake.name, Key="raw/movies/ingest_date=2024-01-01/a.csv")

    lake.crawl(events.crawler)

    assert lake.partition("movies", "2024-01-01")
    assert any("no objects any more (LOG)" in line for line in _log(lake, events.crawler))
