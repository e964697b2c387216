create table analytics.counted as select count(*) as films from analytics.films;
