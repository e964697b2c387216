-- Who may read what, besides the administrator. CREATE ROLE has no IF NOT EXISTS: the workflow creates those that
-- svv_roles lacks, and grants again what is granted.

-- People and tools that ask and change nothing. An IAM principal is in it by the tag RedshiftDbRoles.
create role analyst;

grant usage on schema analytics, marts, audit to role analyst;

-- All tables and views of a schema, also those that each run makes anew:
-- https://docs.aws.amazon.com/redshift/latest/dg/t_scoped-permissions.html
grant select for tables in schema analytics to role analyst;

grant select for tables in schema marts to role analyst;

grant select for tables in schema audit to role analyst;
