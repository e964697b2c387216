create table if not exists staging.quarantined_{{dataset}} (rules_broken varchar(8000));
