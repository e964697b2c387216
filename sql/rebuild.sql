-- What analysts read, dropped and made anew: the tables of the model, then the marts, which read them. One procedure,
-- because a statement for each would use up the 40 of the transaction that calls it. It neither commits nor truncates,
-- so that a failure undoes the load as well.
-- https://docs.aws.amazon.com/redshift/latest/dg/stored-procedure-transaction-management.html

create or replace procedure marts.rebuild () as $$
begin
{{statements}};
end;
$$ language plpgsql;

call marts.rebuild();
