unload ('select * from marts.{{mart}}') to 's3://{{artifacts_bucket}}/reports/marts/{{mart}}/' iam_role '{{copy_role}}' format as json;
