-- The schemas of the warehouse, in the order in which data flows through them.

-- This batch as copied from S3, emptied before each load.
create schema if not exists staging;

-- Every batch: all rows, each with the ingest_date of its batch.
create schema if not exists history;

-- What each run loaded.
create schema if not exists audit;

-- For analysts: the newest version of each film and rating.
create schema if not exists analytics;

-- For analysts: answers, rebuilt by each run.
create schema if not exists marts;
