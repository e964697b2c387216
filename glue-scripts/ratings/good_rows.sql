select
    *,
    timestamp_seconds(rated_at_typed) as rated_at_utc
from judged
where DataQualityEvaluationResult = 'Passed'
