delete from staging.quarantine_{{dataset}};

-- By name: the file holds the row's columns as well, which the table has not.
copy staging.quarantine_{{dataset}}
from 's3://{{processed_bucket}}/staging/{{dataset}}/quarantine/'
iam_role '{{copy_role}}'
format as json 'auto'
truncatecolumns;
