-- One for each; comments are gone in the plan.
create schema if not exists staging;
create schema if not exists history; /* also
these */ create schema if not exists audit
