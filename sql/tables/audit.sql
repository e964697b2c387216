-- What each run loaded: one row a run and dataset, written in the transaction that loads.
-- rows_hash stands for the dataset's rows of the date, in all its tables: equal rows have an equal hash. It is NULL in
-- rows that are older than the column.

create table if not exists audit.loads (
    execution varchar(80) not null,
    dataset varchar(100) not null,
    ingest_date date not null,
    rows_read bigint not null,
    rows_processed bigint not null,
    rows_quarantined bigint not null,
    rows_duplicate bigint not null,
    rows_loaded bigint not null,
    rows_hash decimal(38, 0),
    loaded_at timestamp not null
)
diststyle all
sortkey (loaded_at);
