select md5({{row}}) as h from history.{{table}} where ingest_date = {{ingest_date}}
