package quality

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/query"
)

func TestRowsOfAnEvaluationStandTogether(t *testing.T) {
	row := func(execution, ruleset, rule string, reason any, metrics string) query.Row {
		return query.Row{execution, "films", "2026-01-31", ruleset, "2026-02-01 04:00:00", 0.5, rule, "FAIL", reason, metrics}
	}
	evaluations := []Evaluation{}
	var err error
	for _, next := range []query.Row{
		row("x", "gate", "RowCount > 1", nil, `[{"name":"Dataset.*.RowCount","value":7}]`),
		row("x", "gate", "IsComplete \"id\"", "too few", `[]`),
		row("x", "rows", "RowCount > 1", nil, `[]`),
		row("y", "rows", "RowCount > 1", nil, `[]`),
	} {
		evaluations, err = add(evaluations, next)
		require.NoError(t, err)
	}
	require.Len(t, evaluations, 3)
	assert.Equal(t, []Metric{{"Dataset.*.RowCount", 7}}, evaluations[0].Rules[0].Metrics)
	assert.Equal(t, "too few", *evaluations[0].Rules[1].Reason)
	assert.Nil(t, evaluations[0].Rules[0].Reason)
	assert.Equal(t, "rows", evaluations[1].Ruleset)
	assert.Equal(t, "y", evaluations[2].Execution)
	_, err = add(nil, row("x", "gate", "RowCount > 1", nil, "no JSON"))
	require.ErrorContains(t, err, "metrics of RowCount > 1")
}
