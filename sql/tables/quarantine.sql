-- The rows of this batch that were set aside, as far as they are counted here: the rules that each broke. The rows
-- themselves stay in S3.

create table if not exists staging.quarantine_{{dataset}} (
    rules_broken varchar(8000)
)
diststyle even;
