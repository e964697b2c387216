create role reader;
grant usage on schema analytics to role reader;
grant select for tables in schema analytics to role reader;
