create or replace procedure marts.rebuild() as $$
begin
{{statements}};
end;
$$ language plpgsql;
call marts.rebuild();
