package steplog

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/execution"
	"moviepipeline/internal/usage"
)

var began = time.Date(2026, 1, 31, 4, 0, 0, 0, time.Local)

// call is a finished call of the state.
func call(step, state, dataset, resource string) *execution.Call {
	return &execution.Call{Step: step, State: state, Dataset: dataset, Resource: resource, Began: began, Ended: began}
}

func written(t *testing.T, calls ...*execution.Call) string {
	t.Helper()
	var out bytes.Buffer
	require.NoError(t, Writer{Out: &out}.Write(t.Context(), calls))
	return out.String()
}

func TestSelect(t *testing.T) {
	calls := []*execution.Call{
		call("Lock", "Lock: take", "", "dynamodb putItem"),
		call("Gate", "Gate: start", "films", "x"),
		call("Gate", "Gate: start", "people", "x"),
	}
	both, err := Select(calls, Selection{Step: "gate"})
	require.NoError(t, err)
	assert.Equal(t, calls[1:], both)
	one, err := Select(calls, Selection{Step: "GATE", Dataset: "people"})
	require.NoError(t, err)
	assert.Equal(t, calls[2:], one)

	_, err = Select(calls, Selection{Step: "load"})
	assert.EqualError(t, err, `the run had no step "load"; it had Lock, Gate`)
	assert.True(t, usage.Is(err))
	_, err = Select(calls, Selection{Step: "lock", Dataset: "films"})
	assert.EqualError(t, err, `the run had no step lock for dataset "films"`)
}

func TestRulesOfAGate(t *testing.T) {
	result := call("Gate", "Gate: read result", "films", "aws-sdk:glue getDataQualityResult")
	result.Output = `{"Score": 0.5, "RuleResults": [
		{"Description": "RowCount > 0", "Result": "PASS"},
		{"Description": "IsComplete \"id\"", "Result": "FAIL", "EvaluationMessage": "Value: 0.9 does not meet the constraint"}]}`
	assert.Equal(t, `04:00:00  Gate: read result films                      ok  [aws-sdk:glue getDataQualityResult]
    PASS  RowCount > 0
    FAIL  IsComplete "id"  (Value: 0.9 does not meet the constraint)
`, written(t, result))
}

// TestOnlyTheLastLookIsTold: a wait asks the same again and again.
func TestOnlyTheLastLookIsTold(t *testing.T) {
	look := func(second int) *execution.Call {
		one := call("Crawl", "Crawl: look", "", "aws-sdk:glue getCrawler")
		one.Began = began.Add(time.Duration(second) * time.Second)
		return one
	}
	assert.Equal(t, "04:00:20  Crawl: look                                  ok  [aws-sdk:glue getCrawler]\n",
		written(t, look(0), look(10), look(20)))
}

func TestFailedCallsAndDecisions(t *testing.T) {
	tried := call("Load", "Load: start", "", "aws-sdk:redshiftdata batchExecuteStatementX")
	tried.Error, tried.Cause = "States.TaskFailed", `{"ErrorMessage": "no such table"}`
	passed := call("Load", "Load: done?", "", "")
	failed := call("Load", "Load: compare", "", "")
	failed.Error, failed.Cause = "LoadFailed", "3 rows are missing"
	assert.Equal(t, `04:00:00  Load: start                                  States.TaskFailed  [aws-sdk:redshiftdata batchExecuteStatementX]
    no such table
04:00:00  Load: compare                                LoadFailed
    3 rows are missing
`, written(t, tried, passed, failed))
	assert.Equal(t, "04:00:00  Load: done?                                  ok\n", written(t, passed),
		"decisions alone are all there is to tell")
}

func TestJobRunIsFoundWhereverTheCallEnded(t *testing.T) {
	for name, one := range map[string]*execution.Call{
		"submitted": {Output: `{"JobRunId": "jr_1"}`},
		"succeeded": {Output: `{"Id": "jr_1", "JobName": "films"}`},
		"failed":    {Output: "", Cause: `{"Id": "jr_1", "ErrorMessage": "out of memory"}`},
	} {
		assert.Equal(t, "jr_1", jobRun(one), name)
	}
	assert.Empty(t, jobRun(&execution.Call{Cause: "Job is over its limit of runs"}))
}
