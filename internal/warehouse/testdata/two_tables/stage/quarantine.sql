delete from staging.quarantine_{{dataset}};
copy staging.quarantine_{{dataset}}
from 's3://{{processed_bucket}}/staging/{{dataset}}/quarantine/'
iam_role '{{copy_role}}'
format as json 'auto';
