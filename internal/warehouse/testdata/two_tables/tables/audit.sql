create table if not exists audit.loads (execution varchar(80), rows_loaded bigint, share decimal(5, 2), at timestamp);
