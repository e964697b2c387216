package execution

import (
	"context"
	"strings"
	"time"
)

// Call is one call of a service by a state of the workflow, with what came of it; or a state that
// calls none, such as a decision.
type Call struct {
	Step, Dataset, State string
	// Resource is the service and action, as in "aws-sdk:glue getCrawler"; empty for a state that
	// calls none.
	Resource string
	Began    time.Time
	// Ended is zero while the call is under way.
	Ended time.Time
	// Input and Output are JSON texts. Output is the first answer of a call that waits for the end
	// of a job until that has come.
	Input, Output string
	// Error and Cause tell of a call that failed, after which the workflow may have tried again, or
	// of a decision that the step failed.
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
			if strings.Contains(event.State, ":") && !isContainer(event) && event.Type != "TaskStateEntered" {
				at.call = at.begin(event)
				calls = append(calls, at.call)
			}
		case event.Type == "TaskScheduled":
			at.call = at.begin(event)
			at.call.Resource, at.call.Input = event.Resource, event.Input
			calls = append(calls, at.call)
		case at.call != nil:
			at.call.note(event)
		}
		branches[event.ID] = at
	}
	return calls
}

func (b branch) begin(event Event) *Call {
	step, _, _ := strings.Cut(b.state, ":")
	return &Call{Step: step, Dataset: b.dataset, State: b.state, Began: event.Time}
}

// note takes what an event tells of the call; others of its branch tell of the state around it.
func (c *Call) note(event Event) {
	switch {
	case event.Type == "TaskSubmitted":
		c.Output = event.Output
	case event.Type == "TaskSucceeded":
		c.Output, c.Ended = event.Output, event.Time
	case event.Type == "TaskFailed", event.Type == "TaskTimedOut":
		c.Error, c.Cause, c.Ended = event.Error, event.Cause, event.Time
	case c.Resource == "" && event.Exited():
		c.Error, c.Cause, c.Ended = event.Error, event.Cause, event.Time
	}
}
