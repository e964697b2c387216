-- A mart as one file of JSON lines, for the report. CLEANPATH, since of a mart that has become empty or smaller
-- overwriting would leave old files: https://docs.aws.amazon.com/redshift/latest/dg/r_UNLOAD.html

unload ('select * from marts.{{mart}}')
to 's3://{{artifacts_bucket}}/reports/marts/{{mart}}/'
iam_role '{{copy_role}}'
format as json
cleanpath
parallel off;
