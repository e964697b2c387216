create table lake.${Table} (id varchar(20), title varchar(100), year integer);
insert into lake.${Table} values ('a', 'before', 1), ('z', 'kept', 2);
