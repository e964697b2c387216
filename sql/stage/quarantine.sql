delete from staging.quarantined_{{dataset}};

copy staging.quarantined_{{dataset}}
from 's3://{{processed_bucket}}/staging/{{dataset}}/quarantine/'
iam_role '{{copy_role}}'
format as json 'noshred';
