select {{columns}}, ingest_date from history.films
