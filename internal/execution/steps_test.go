package execution

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// start is when the histories of these tests begin.
var start = time.Date(2026, 1, 31, 4, 0, 0, 0, time.UTC)

// recorder writes a history as the service does: each event follows one of its own branch.
type recorder struct {
	events []Event
}

func (r *recorder) add(previous int64, second float64, event Event) int64 {
	event.ID, event.Previous = int64(len(r.events)+1), previous
	event.Time = start.Add(time.Duration(second * float64(time.Second)))
	r.events = append(r.events, event)
	return event.ID
}

func (r *recorder) enter(previous int64, second float64, state, dataset string) int64 {
	input := "{}"
	if dataset != "" {
		input = `{"dataset": "` + dataset + `"}`
	}
	return r.add(previous, second, Event{Type: "TaskStateEntered", State: state, Input: input})
}

func (r *recorder) exit(previous int64, second float64, state string) int64 {
	return r.add(previous, second, Event{Type: "TaskStateExited", State: state, Output: "{}"})
}

func (r *recorder) progress() *Progress {
	progress := NewProgress()
	for _, event := range r.events {
		progress.Apply(event)
	}
	return progress
}

// step is what the tests compare of a step.
type step struct {
	name, dataset, status string
	seconds               float64
}

func stepsOf(progress *Progress, second float64) []step {
	var steps []step
	for _, one := range progress.Steps(start.Add(time.Duration(second * float64(time.Second)))) {
		dataset := ""
		if one.Dataset != nil {
			dataset = *one.Dataset
		}
		steps = append(steps, step{one.Name, dataset, one.Status, one.Seconds})
	}
	return steps
}

func TestStatesOfOneStepAreOneStep(t *testing.T) {
	var history recorder
	at := history.add(0, 0, Event{Type: "ExecutionStarted"})
	at = history.enter(at, 1, "Crawl: start", "")
	at = history.exit(at, 2, "Crawl: start")
	at = history.enter(at, 2, "Crawl: wait", "")
	at = history.exit(at, 12, "Crawl: wait")
	at = history.enter(at, 12, "Schema: start", "")

	assert.Equal(t, []step{{"Crawl", "", Succeeded, 11}, {"Schema", "", Running, 3}}, stepsOf(history.progress(), 15))
	history.exit(at, 13, "Schema: start")
	assert.Equal(t, step{"Schema", "", Running, 2}, stepsOf(history.progress(), 14)[1],
		"between two states a step is still under way")
}

// TestDatasetsRunSideBySide has two branches of a map whose events mix.
func TestDatasetsRunSideBySide(t *testing.T) {
	var history recorder
	container := history.add(0, 0, Event{Type: "MapStateEntered", State: "Each dataset", Input: "{}"})
	films := history.enter(container, 0, "Gate: start", "films")
	people := history.enter(container, 1, "Gate: start", "people")
	people = history.exit(people, 2, "Gate: start")
	films = history.exit(films, 5, "Gate: start")
	people = history.enter(people, 5, "Publish: copy", "people")
	films = history.enter(films, 5, "Transform: run", "films")
	history.exit(people, 6, "Publish: copy")
	films = history.exit(films, 9, "Transform: run")
	after := history.add(films, 9, Event{Type: "MapStateSucceeded"})
	after = history.add(after, 9, Event{Type: "MapStateExited", State: "Each dataset"})
	history.enter(after, 9, "Load: start", "")

	assert.Equal(t, []step{
		{"Gate", "films", Succeeded, 5},
		{"Gate", "people", Succeeded, 1},
		{"Publish", "people", Succeeded, 1},
		{"Transform", "films", Succeeded, 4},
		{"Load", "", Running, 1},
	}, stepsOf(history.progress(), 10))
}

// TestRetryGoesOnInTheSameStep: a task that fails is tried again without leaving its state.
func TestRetryGoesOnInTheSameStep(t *testing.T) {
	var history recorder
	at := history.enter(0, 0, "Transform: run", "films")
	at = history.add(at, 0, Event{Type: "TaskScheduled", Resource: "glue startJobRun.sync"})
	at = history.add(at, 3, Event{Type: "TaskFailed", Error: "Glue.ThrottlingException"})
	at = history.add(at, 5, Event{Type: "TaskScheduled", Resource: "glue startJobRun.sync"})
	at = history.add(at, 9, Event{Type: "TaskSucceeded"})
	at = history.exit(at, 9, "Transform: run")
	history.enter(at, 9, "Reconcile: count", "films")

	assert.Equal(t, step{"Transform", "films", Succeeded, 9}, stepsOf(history.progress(), 9)[0])
}

func TestStepVisitedTwiceIsSummedUp(t *testing.T) {
	var history recorder
	at := history.enter(0, 0, "Lock: take", "")
	at = history.exit(at, 1, "Lock: take")
	at = history.enter(at, 1, "Load: start", "")
	at = history.exit(at, 7, "Load: start")
	at = history.enter(at, 7, "Lock: release", "")
	at = history.exit(at, 9, "Lock: release")
	history.add(at, 9, Event{Type: "ExecutionSucceeded"})

	progress := history.progress()
	assert.Equal(t, []step{{"Lock", "", Succeeded, 3}, {"Load", "", Succeeded, 6}}, stepsOf(progress, 100))
	assert.Equal(t, 2, progress.Done())
	assert.Len(t, progress.Visits, 3)
}

func TestFailureIsKnownBeforeTheEnd(t *testing.T) {
	t.Run("by the workflow's note", func(t *testing.T) {
		var history recorder
		at := history.enter(0, 0, "Crawl: look", "")
		at = history.add(at, 1, Event{Type: "TaskStateExited", State: "Crawl: look", Error: "CrawlFailed"})
		history.enter(at, 1, "Report: summary", "")
		assert.Equal(t, step{"Crawl", "", Failed, 1}, stepsOf(history.progress(), 2)[0])
	})
	t.Run("by the state that tells of it", func(t *testing.T) {
		var history recorder
		at := history.enter(0, 0, "Gate: did it pass", "films")
		at = history.exit(at, 1, "Gate: did it pass")
		history.enter(at, 1, "Failed: tell", "films")
		assert.Equal(t, []step{{"Gate", "films", Failed, 1}}, stepsOf(history.progress(), 2))
	})
}

func TestNotedFailure(t *testing.T) {
	name, cause := notedFailure(map[string]string{"fault": `{"step": "Gate", "dataset": null, "error": "GateFailed", "cause": "x"}`})
	assert.Equal(t, []string{"GateFailed", "x"}, []string{name, cause})
	none, _ := notedFailure(map[string]string{
		"fault": `{}`, "polls": `3`, "results": `[{"step": "Gate", "error": "GateFailed"}]`, "summary": `{"status": "FAILED", "error": {"step": "Gate"}}`,
	})
	assert.Empty(t, none)
}

func TestEndOfTheExecutionEndsWhatIsUnderWay(t *testing.T) {
	for end, status := range map[string]string{
		"ExecutionFailed": Failed, "ExecutionAborted": Aborted, "ExecutionTimedOut": TimedOut,
	} {
		var history recorder
		at := history.enter(0, 0, "Crawl: start", "")
		history.add(at, 4, Event{Type: end})
		assert.Equal(t, []step{{"Crawl", "", status, 4}}, stepsOf(history.progress(), 9), end)
	}
}

func TestMarkFailedFindsTheLastVisit(t *testing.T) {
	var history recorder
	at := history.enter(0, 0, "Load: compare", "")
	at = history.exit(at, 1, "Load: compare")
	at = history.enter(at, 1, "Report: write", "")
	at = history.exit(at, 2, "Report: write")
	history.add(at, 2, Event{Type: "ExecutionFailed"})
	progress := history.progress()
	progress.MarkFailed("Load", "")
	assert.Equal(t, []step{{"Load", "", Failed, 1}, {"Report", "", Succeeded, 1}}, stepsOf(progress, 9))
}

func TestCallsAreOfTheStateThatMadeThem(t *testing.T) {
	var history recorder
	films := history.enter(0, 0, "Transform: run", "films")
	people := history.enter(0, 0, "Gate: read result", "people")
	films = history.add(films, 1, Event{Type: "TaskScheduled", Resource: "glue startJobRun.sync", Input: `{"JobName": "films"}`})
	people = history.add(people, 1, Event{Type: "TaskScheduled", Resource: "aws-sdk:glue getDataQualityResult"})
	films = history.add(films, 2, Event{Type: "TaskSubmitted", Output: `{"JobRunId": "jr_1"}`})
	history.add(people, 2, Event{Type: "TaskSucceeded", Output: `{"Score": 1}`})
	films = history.add(films, 8, Event{Type: "TaskFailed", Error: "States.TaskFailed", Cause: "it broke"})
	films = history.exit(films, 8, "Transform: run")
	history.enter(films, 8, "Transform: pause", "films")

	calls := CallsOf(history.events)
	require.Len(t, calls, 2)
	assert.Equal(t, &Call{
		Step: "Transform", Dataset: "films", State: "Transform: run", Resource: "glue startJobRun.sync",
		Began: start.Add(time.Second), Ended: start.Add(8 * time.Second),
		Input: `{"JobName": "films"}`, Output: `{"JobRunId": "jr_1"}`, Error: "States.TaskFailed", Cause: "it broke",
	}, calls[0])
	assert.Equal(t, "people", calls[1].Dataset)
	assert.Equal(t, `{"Score": 1}`, calls[1].Output)
}

// TestDecisionsAreKeptWithTheirFailure: a state that calls nothing may still be where a step failed.
func TestDecisionsAreKeptWithTheirFailure(t *testing.T) {
	var history recorder
	at := history.add(0, 0, Event{Type: "ChoiceStateEntered", State: "Gate: did it pass", Input: `{"dataset": "films"}`})
	at = history.add(at, 1, Event{Type: "ChoiceStateExited", State: "Gate: did it pass", Error: "GateFailed", Cause: "too few rows"})
	history.add(at, 1, Event{Type: "PassStateEntered", State: "Dataset result", Input: `{"dataset": "films"}`})

	assert.Equal(t, []*Call{{
		Step: "Gate", Dataset: "films", State: "Gate: did it pass",
		Began: start, Ended: start.Add(time.Second), Error: "GateFailed", Cause: "too few rows",
	}}, CallsOf(history.events))
}

func TestExpectedCountsStepsInsideTheMapForEachDataset(t *testing.T) {
	definition := `{"States": {
		"Lock: take": {"Type": "Task"}, "Lock: release": {"Type": "Task"}, "Load: start": {"Type": "Task"}, "Next wave": {"Type": "Choice"},
		"Each dataset": {"Type": "Map", "ItemProcessor": {"States": {
			"Gate: start": {}, "Gate: wait": {}, "Failed: tell": {}, "Publish: copy": {"ItemProcessor": {"States": {"Publish: copy file": {}}}}}}}}}`
	steps, err := Expected(definition, 3)
	require.NoError(t, err)
	assert.Equal(t, 2+3*2, steps)
}

// TestExpectedReadsTheRealWorkflow makes sure that the names in it follow the convention.
func TestExpectedReadsTheRealWorkflow(t *testing.T) {
	definition, err := os.ReadFile(filepath.Join("..", "..", "stacks", "workflow.asl.json"))
	require.NoError(t, err)
	none, err := Expected(string(definition), 0)
	require.NoError(t, err)
	one, err := Expected(string(definition), 1)
	require.NoError(t, err)
	assert.Greater(t, none, 4)
	assert.Greater(t, one, none+3)
}

func TestSummaryKeepsUnknownCountsApartFromZero(t *testing.T) {
	summary, err := ParseSummary([]byte(`{"execution": "x", "status": "FAILED", "ingest_date": "2026-01-31",
		"error": {"step": "Gate", "dataset": "films", "error": "GateFailed", "cause": "too few rows"},
		"datasets": {"films": {"status": "FAILED", "reason": "too few rows", "read": 0, "processed": null}}}`))
	require.NoError(t, err)
	films := summary.Datasets["films"]
	assert.Equal(t, int64(0), *films.Read)
	assert.Nil(t, films.Processed)
	text, err := json.Marshal(films)
	require.NoError(t, err)
	assert.JSONEq(t, `{"status": "FAILED", "reason": "too few rows", "read": 0, "processed": null, "quarantined": null,
		"duplicates": null, "loaded": null, "failed_rules": [], "warnings": []}`, string(text))
}

func TestSummaryThatIsNoneIsAnError(t *testing.T) {
	_, err := ParseSummary([]byte(`"done"`))
	assert.ErrorContains(t, err, "summary of the run")
}

func TestFailureOfARefusedRunNamesItsStep(t *testing.T) {
	refused := Run{Status: Failed, error: "PipelineBusy", cause: "Lock: Another run is under way."}.failure()
	assert.Equal(t, "Lock", *refused.Step)
	assert.Equal(t, "Another run is under way.", refused.Cause)

	odd := Run{Status: Failed, error: "States.Runtime", cause: "An error occurred while executing the state: no such field"}.failure()
	assert.Nil(t, odd.Step)
	assert.Equal(t, "States.Runtime", odd.Error)
}
