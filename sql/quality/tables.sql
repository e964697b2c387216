-- What was set aside, and how each rule fared in each run.

-- The bad rows of every batch, replaced with the date like the good ones in history. doc is the row as it came, which
-- no list of columns could hold: it is bad because it is not as it should be. One table for all datasets: analysts ask
-- which rules fail, and then look at the rows.
create table if not exists history.quarantine (
    dataset varchar(100) not null,
    ingest_date date not null,
    execution varchar(80) not null,
    rules_broken varchar(8000),
    doc super
)
diststyle even
compound sortkey (dataset, ingest_date);

-- The results of a run as the workflow wrote them to S3: one document a ruleset.
create table if not exists staging.rule_results (
    doc super
)
diststyle even;

-- One row a run, ruleset and rule, of every run: also of those whose batch failed its gate, which people look for.
-- score is the ruleset's: the share of its rules that passed, 0 to 1. metrics is a list of name and value, since a
-- SUPER finds no name with capitals in it: Glue's are like Column.title.Completeness and Dataset.*.RowCount.
create table if not exists audit.rule_results (
    execution varchar(80) not null,
    dataset varchar(100) not null,
    ingest_date date not null,
    ruleset varchar(20) not null,
    evaluated_at timestamp not null,
    score double precision,
    position integer not null,
    rule varchar(8000) not null,
    result varchar(10) not null,
    reason varchar(8000),
    metrics super
)
diststyle even
compound sortkey (dataset, ingest_date);
