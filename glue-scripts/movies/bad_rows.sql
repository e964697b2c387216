-- The row as it came; the rules as one text, since the warehouse counts by it.
select
    *,
    array_join(DataQualityRulesFail, char(10)) as rules_broken
from judged
where DataQualityEvaluationResult = 'Failed'
