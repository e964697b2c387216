package execution

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"
)

// Event is what the command line reads of an event of an execution's history.
type Event struct {
	ID int64 `json:"id"`
	// Previous is the event that this one follows in its own branch of the execution.
	Previous int64     `json:"previous"`
	Type     string    `json:"type"`
	Time     time.Time `json:"time"`
	// State is the name of the state entered or exited.
	State string `json:"state,omitempty"`
	// Input and Output are JSON texts: of states, and of the service calls of tasks.
	Input    string `json:"input,omitempty"`
	Output   string `json:"output,omitempty"`
	Resource string `json:"resource,omitempty"`
	// Error and Cause tell of a call or execution that failed, and of a state's exit that the
	// workflow noted a failure.
	Error string `json:"error,omitempty"`
	Cause string `json:"cause,omitempty"`
}

// Entered tells whether the event is the entry of a state.
func (e Event) Entered() bool { return strings.HasSuffix(e.Type, "StateEntered") }

// Exited tells whether the event is the exit of a state.
func (e Event) Exited() bool { return strings.HasSuffix(e.Type, "StateExited") }

// ends tells whether the event is the end of the execution.
func (e Event) ends() bool {
	switch e.Type {
	case "ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut":
		return true
	}
	return false
}

// Dataset is the dataset in the input of a state, empty outside of datasets.
func (e Event) Dataset() string {
	var input struct {
		Dataset string `json:"dataset"`
	}
	if json.Unmarshal([]byte(e.Input), &input) != nil {
		return ""
	}
	return input.Dataset
}

// History reads the events of one execution, each once.
type History struct {
	client *sfn.Client
	arn    string
	last   int64
}

// NewHistory reads the history of the execution arn from its first event.
func NewHistory(client *sfn.Client, arn string) *History { return &History{client: client, arn: arn} }

// Next gives the events since the last call, in order. It reads backwards from the newest, so that
// a long history is not read again each time.
func (h *History) Next(ctx context.Context) ([]Event, error) {
	var fresh []Event
	pages := sfn.NewGetExecutionHistoryPaginator(h.client, &sfn.GetExecutionHistoryInput{
		ExecutionArn: &h.arn, ReverseOrder: true, MaxResults: h.pageSize(),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("history of %s: %w", Name(h.arn), err)
		}
		for _, event := range page.Events {
			if event.Id <= h.last {
				return h.take(fresh), nil
			}
			fresh = append(fresh, newEvent(event))
		}
	}
	return h.take(fresh), nil
}

// pageSize is the most that the service gives at first, then about what a second brings.
func (h *History) pageSize() int32 {
	if h.last == 0 {
		return 1000
	}
	return 100
}

func (h *History) take(newestFirst []Event) []Event {
	slices.Reverse(newestFirst)
	if len(newestFirst) > 0 {
		h.last = newestFirst[len(newestFirst)-1].ID
	}
	return newestFirst
}

func newEvent(from types.HistoryEvent) Event {
	event := Event{ID: from.Id, Previous: from.PreviousEventId, Type: string(from.Type), Time: aws.ToTime(from.Timestamp)}
	switch {
	case from.StateEnteredEventDetails != nil:
		event.State = aws.ToString(from.StateEnteredEventDetails.Name)
		event.Input = aws.ToString(from.StateEnteredEventDetails.Input)
	case from.StateExitedEventDetails != nil:
		event.State = aws.ToString(from.StateExitedEventDetails.Name)
		event.Output = aws.ToString(from.StateExitedEventDetails.Output)
		event.Error, event.Cause = notedFailure(from.StateExitedEventDetails.AssignedVariables)
	case from.TaskScheduledEventDetails != nil:
		event.Resource = callName(from.TaskScheduledEventDetails.ResourceType, from.TaskScheduledEventDetails.Resource)
		event.Input = aws.ToString(from.TaskScheduledEventDetails.Parameters)
	case from.TaskSubmittedEventDetails != nil:
		event.Resource = callName(from.TaskSubmittedEventDetails.ResourceType, from.TaskSubmittedEventDetails.Resource)
		event.Output = aws.ToString(from.TaskSubmittedEventDetails.Output)
	case from.TaskSucceededEventDetails != nil:
		event.Resource = callName(from.TaskSucceededEventDetails.ResourceType, from.TaskSucceededEventDetails.Resource)
		event.Output = aws.ToString(from.TaskSucceededEventDetails.Output)
	case from.TaskFailedEventDetails != nil:
		event.Resource = callName(from.TaskFailedEventDetails.ResourceType, from.TaskFailedEventDetails.Resource)
		event.Error, event.Cause = aws.ToString(from.TaskFailedEventDetails.Error), aws.ToString(from.TaskFailedEventDetails.Cause)
	case from.TaskTimedOutEventDetails != nil:
		event.Resource = callName(from.TaskTimedOutEventDetails.ResourceType, from.TaskTimedOutEventDetails.Resource)
		event.Error, event.Cause = aws.ToString(from.TaskTimedOutEventDetails.Error), aws.ToString(from.TaskTimedOutEventDetails.Cause)
	case from.ExecutionFailedEventDetails != nil:
		event.Error, event.Cause = aws.ToString(from.ExecutionFailedEventDetails.Error), aws.ToString(from.ExecutionFailedEventDetails.Cause)
	}
	return event
}

// notedFailure gives the failure that the workflow notes in one of the assigned variables, if it
// does: an object that names step and error. The variable's name differs between the top of the
// workflow and the inside of its map, since an inner variable may not hide an outer one.
func notedFailure(variables map[string]string) (name, cause string) {
	for _, text := range variables {
		var note struct{ Step, Error, Cause string }
		if json.Unmarshal([]byte(text), &note) == nil && note.Step != "" && note.Error != "" {
			return note.Error, note.Cause
		}
	}
	return "", ""
}

// callName is the service and action of a task's call, as in "aws-sdk:glue startCrawler".
func callName(service, action *string) string {
	return aws.ToString(service) + " " + aws.ToString(action)
}
