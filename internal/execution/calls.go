package execution

import (
	"context"
	"strings"
	"time"
)

// Call is one call of a service by a state of the workflow, with what came of it.
type Call struct {
	Step, Dataset, State string
	// Resource is the service and action, as in "aws-sdk:glue getCrawler".
	Resource string
	Began    time.Time
	// Ended is zero while the call is under way.
	Ended time.Time
	// Input and Output are JSON texts. Output is the first answer of a call that waits for the end
	// of a job until that has come.
	Input, Output string
	// Error and Cause tell of a call that failed; the workflow may have tried again.
	Error, Cause string
}

// Calls reads all calls of a run from its history.
func (w Workflow) Calls(ctx context.Context, run Run) ([]*Call, error) {
	events, err := NewHistory(w.States, run.ARN).Next(ctx)
	if err != nil {
		return nil, err
	}
	return CallsOf(events), nil
}

// branch is where an event's line of events stands: in which state, and with which call open.
type branch struct {
	state, dataset string
	call           *Call
}

// CallsOf gathers the calls of a history, in the order of their beginning.
func CallsOf(events []Event) []*Call {
	var calls []*Call
	branches := map[int64]branch{}
	for _, event := range events {
		at := branches[event.Previous]
		switch {
		case event.Entered():
			at = branch{state: event.State, dataset: event.Dataset()}
		case event.Type == "TaskScheduled":
			step, _, _ := strings.Cut(at.state, ":")
			at.call = &Call{
				Step: step, Dataset: at.dataset, State: at.state,
				Resource: event.Resource, Began: event.Time, Input: event.Input,
			}
			calls = append(calls, at.call)
		case at.call != nil:
			at.call.note(event)
		}
		branches[event.ID] = at
	}
	return calls
}

// note takes what an event tells of the call; others of its branch tell of the state around it.
func (c *Call) note(event Event) {
	switch event.Type {
	case "TaskSubmitted", "TaskSucceeded":
		c.Output = event.Output
	case "TaskFailed", "TaskTimedOut":
		c.Error, c.Cause = event.Error, event.Cause
	}
	switch event.Type {
	case "TaskSucceeded", "TaskFailed", "TaskTimedOut":
		c.Ended = event.Time
	}
}
