"""What the local cloud puts where a job's script is when a DAG is registered, as Glue may put one that it generates."""

raise SystemExit(
    "This is the place of the script that AWS Glue generates from a DAG edited on the canvas; the local cloud has no "
    "such generator. Take the DAG home with `pipeline visual pull`, which generates the script, and deploy it."
)
