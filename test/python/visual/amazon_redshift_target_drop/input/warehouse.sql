create table lake.${Table} (past integer);
