-- The rows of this batch that were set aside: each as it came, with the rules it broke.

-- One column alone: only into such a table does COPY take a row whole, whatever its columns.
create table if not exists staging.quarantined_{{dataset}} (
    doc super
)
diststyle even;
