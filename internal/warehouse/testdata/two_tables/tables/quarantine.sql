create table if not exists staging.quarantine_{{dataset}} (rules_broken varchar(8000));
