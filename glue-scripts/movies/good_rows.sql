select *
from judged
where DataQualityEvaluationResult = 'Passed'
