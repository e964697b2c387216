"""Data quality: DQDL rulesets evaluated on Spark, as Glue Data Quality does."""
