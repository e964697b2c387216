package execution

import (
	"slices"
	"strings"
	"time"
)

// States of a step.
const (
	Running   = "RUNNING"
	Succeeded = "SUCCEEDED"
	Failed    = "FAILED"
	Aborted   = "ABORTED"
	TimedOut  = "TIMED_OUT"
)

// tellingSteps are names of states that tell of a failure: no work of their own, but a sign that
// the step before them failed.
var tellingSteps = []string{"Failed", "Refused"}

// Visit is a stretch of an execution in one step, for one dataset or none. The workflow names its
// states "<Step>: <action>".
type Visit struct {
	Step    string
	Dataset string
	Status  string
	Began   time.Time
	// Ended is the exit of the step's last state so far; zero while one is under way.
	Ended time.Time
	// Closed is true when nothing of the visit follows any more.
	Closed bool
	open   int
}

// Seconds is how long the visit took, or has taken at now.
func (v Visit) Seconds(now time.Time) float64 {
	if v.Status != Running && !v.Ended.IsZero() {
		now = v.Ended
	}
	return max(0, now.Sub(v.Began).Seconds())
}

// Progress follows an execution's events and keeps its visits in the order of their beginning.
type Progress struct {
	Visits []*Visit
	// current is the visit under way by dataset, "" for what is outside of datasets.
	current map[string]*Visit
	// entries tells of each event which visit its branch was in; nil for states of no step.
	entries map[int64]*entry
}

type entry struct {
	state string
	visit *Visit
}

// NewProgress is the progress of an execution of which no event was seen.
func NewProgress() *Progress {
	return &Progress{current: map[string]*Visit{}, entries: map[int64]*entry{}}
}

// Apply takes the next event.
func (p *Progress) Apply(event Event) {
	switch {
	case event.Entered():
		p.entries[event.ID] = p.enter(event)
		return
	case event.Exited():
		p.exit(event)
	case event.ends():
		p.end(event)
	}
	p.entries[event.ID] = p.entries[event.Previous]
}

// enter closes what the dataset did before, when it goes on to another step, and for a state
// outside of datasets what all datasets did.
func (p *Progress) enter(event Event) *entry {
	dataset := event.Dataset()
	step, _, named := strings.Cut(event.State, ":")
	if named && slices.Contains(tellingSteps, step) {
		p.fail(p.current[dataset])
	}
	if current := p.current[dataset]; current != nil && (!named || current.Step != step) {
		p.close(dataset)
	}
	if dataset == "" {
		for other := range p.current {
			if other != "" {
				p.close(other)
			}
		}
	}
	if !named || slices.Contains(tellingSteps, step) || isContainer(event) {
		return &entry{state: event.State}
	}
	visit := p.current[dataset]
	if visit == nil {
		visit = &Visit{Step: step, Dataset: dataset, Status: Running, Began: event.Time}
		p.current[dataset] = visit
		p.Visits = append(p.Visits, visit)
	}
	visit.open++
	visit.Ended = time.Time{}
	return &entry{state: event.State, visit: visit}
}

// isContainer tells a state that only holds others, whose own entries and exits count.
func isContainer(event Event) bool {
	return event.Type == "MapStateEntered" || event.Type == "ParallelStateEntered"
}

func (p *Progress) exit(event Event) {
	from := p.entries[event.Previous]
	if from == nil || from.state != event.State || from.visit == nil {
		return
	}
	if event.Error != "" {
		from.visit.Status = Failed
	}
	if from.visit.open--; from.visit.open == 0 {
		from.visit.Ended = event.Time
	}
}

func (p *Progress) fail(visit *Visit) {
	if visit != nil {
		visit.Status = Failed
	}
}

// close ends the current visit of a dataset.
func (p *Progress) close(dataset string) {
	visit := p.current[dataset]
	if visit == nil {
		return
	}
	delete(p.current, dataset)
	visit.Closed = true
	if visit.Status == Running {
		visit.Status = Succeeded
	}
}

// end closes everything at the end of the execution; what was under way ends as the execution did.
func (p *Progress) end(event Event) {
	status := map[string]string{
		"ExecutionSucceeded": Succeeded, "ExecutionAborted": Aborted, "ExecutionTimedOut": TimedOut,
	}[event.Type]
	if status == "" {
		status = Failed
	}
	for dataset, visit := range p.current {
		if visit.open > 0 {
			visit.Status, visit.Ended = status, event.Time
		}
		p.close(dataset)
	}
}

// MarkFailed marks the last visit of the failed step, when the events alone did not show it.
func (p *Progress) MarkFailed(step, dataset string) {
	for _, visit := range slices.Backward(p.Visits) {
		if visit.Step == step && visit.Dataset == dataset {
			visit.Status = Failed
			return
		}
	}
}

// Step is all visits of a step for a dataset together.
type Step struct {
	Name    string  `json:"name"`
	Dataset *string `json:"dataset"`
	Status  string  `json:"status"`
	Seconds float64 `json:"seconds"`
}

// Steps sums the visits up, in the order in which the steps first began.
func (p *Progress) Steps(now time.Time) []Step {
	steps := []Step{}
	index := map[[2]string]int{}
	for _, visit := range p.Visits {
		key := [2]string{visit.Step, visit.Dataset}
		at, known := index[key]
		if !known {
			at = len(steps)
			index[key] = at
			steps = append(steps, Step{Name: visit.Step, Dataset: optional(visit.Dataset)})
		}
		steps[at].Seconds = roundTo(steps[at].Seconds+visit.Seconds(now), 1000)
		if steps[at].Status != Failed {
			steps[at].Status = visit.Status
		}
	}
	return steps
}

// Done counts the steps, by name and dataset, that have ended.
func (p *Progress) Done() int {
	done := map[[2]string]bool{}
	for _, visit := range p.Visits {
		if visit.Closed {
			done[[2]string{visit.Step, visit.Dataset}] = true
		}
	}
	return len(done)
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func roundTo(value, parts float64) float64 { return float64(int64(value*parts+0.5)) / parts }
