// Package execution starts runs of the deployed state machine and follows them to their end.
package execution

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/aws/aws-sdk-go-v2/service/sfn/types"

	"moviepipeline/internal/usage"
)

// Workflow is the deployed state machine with the bucket of its reports.
type Workflow struct {
	States    *sfn.Client
	Objects   *s3.Client
	Machine   string
	Artifacts string
}

// Input is what a run is asked to do; all of it is optional.
type Input struct {
	IngestDate string   `json:"ingest_date,omitempty"`
	Datasets   []string `json:"datasets,omitempty"`
}

// Run is one execution as the service describes it.
type Run struct {
	ARN    string
	Name   string
	Status string
	Began  time.Time
	// Ended is zero while the run is under way.
	Ended        time.Time
	Input        Input
	output       string
	error, cause string
}

// Name is the last part of an execution's ARN.
func Name(arn string) string { return arn[strings.LastIndex(arn, ":")+1:] }

// Start begins a run under a name that no earlier run has.
func (w Workflow) Start(ctx context.Context, name string, input Input) (arn string, err error) {
	text, err := json.Marshal(input)
	if err != nil {
		return "", err
	}
	started, err := w.States.StartExecution(ctx, &sfn.StartExecutionInput{
		StateMachineArn: &w.Machine, Name: &name, Input: aws.String(string(text)),
	})
	if err != nil {
		return "", fmt.Errorf("start the workflow: %w", err)
	}
	return aws.ToString(started.ExecutionArn), nil
}

// UnderWay gives the newest runs that are still running.
func (w Workflow) UnderWay(ctx context.Context) ([]Run, error) {
	return w.list(ctx, 1, types.ExecutionStatusRunning)
}

// Latest gives the newest runs, at most most.
func (w Workflow) Latest(ctx context.Context, most int32) ([]Run, error) {
	return w.list(ctx, most, "")
}

func (w Workflow) list(ctx context.Context, most int32, status types.ExecutionStatus) ([]Run, error) {
	listed, err := w.States.ListExecutions(ctx, &sfn.ListExecutionsInput{
		StateMachineArn: &w.Machine, MaxResults: most, StatusFilter: status,
	})
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	var runs []Run
	for _, item := range listed.Executions {
		runs = append(runs, Run{
			ARN: aws.ToString(item.ExecutionArn), Name: aws.ToString(item.Name), Status: string(item.Status),
			Began: aws.ToTime(item.StartDate), Ended: aws.ToTime(item.StopDate),
		})
	}
	return runs, nil
}

// Find gives the run with a name or ARN, or the newest for "".
func (w Workflow) Find(ctx context.Context, execution string) (Run, error) {
	if execution == "" {
		latest, err := w.Latest(ctx, 1)
		if err != nil {
			return Run{}, err
		}
		if len(latest) == 0 {
			return Run{}, usage.Errorf("there was no run yet; start one with `pipeline run`")
		}
		return w.describe(ctx, latest[0].ARN)
	}
	arn := execution
	if !strings.HasPrefix(arn, "arn:") {
		arn = strings.Replace(w.Machine, ":stateMachine:", ":execution:", 1) + ":" + execution
	}
	run, err := w.describe(ctx, arn)
	var unknown *types.ExecutionDoesNotExist
	var invalid *types.InvalidArn
	if errors.As(err, &unknown) || errors.As(err, &invalid) {
		return Run{}, usage.Errorf("there is no run %q; `pipeline status` lists the latest", execution)
	}
	return run, err
}

func (w Workflow) describe(ctx context.Context, arn string) (Run, error) {
	described, err := w.States.DescribeExecution(ctx, &sfn.DescribeExecutionInput{ExecutionArn: &arn})
	if err != nil {
		return Run{}, fmt.Errorf("run %s: %w", Name(arn), err)
	}
	run := Run{
		ARN: arn, Name: aws.ToString(described.Name), Status: string(described.Status),
		Began: aws.ToTime(described.StartDate), Ended: aws.ToTime(described.StopDate),
		output: aws.ToString(described.Output), error: aws.ToString(described.Error), cause: aws.ToString(described.Cause),
	}
	// Whoever starts an execution by hand may pass anything; the run itself refuses what it cannot read.
	_ = json.Unmarshal([]byte(aws.ToString(described.Input)), &run.Input)
	return run, nil
}

// Expected counts the steps that the run goes through when all goes well, for a progress bar;
// datasets is the number of all datasets.
func (w Workflow) Expected(ctx context.Context, run Run, datasets int) (int, error) {
	machine, err := w.States.DescribeStateMachineForExecution(ctx, &sfn.DescribeStateMachineForExecutionInput{ExecutionArn: &run.ARN})
	if err != nil {
		return 0, fmt.Errorf("workflow of run %s: %w", run.Name, err)
	}
	if len(run.Input.Datasets) > 0 {
		datasets = len(run.Input.Datasets)
	}
	return Expected(aws.ToString(machine.Definition), datasets)
}

// Watch follows a run to its end, looking every interval, and tells show of the progress at each
// look. When ctx ends first, its error comes back and the run goes on.
func (w Workflow) Watch(ctx context.Context, arn string, interval time.Duration, show func(*Progress)) (Result, error) {
	history, progress := NewHistory(w.States, arn), NewProgress()
	for {
		ended, err := advance(ctx, history, progress)
		if err != nil {
			return Result{}, err
		}
		if ended {
			return w.result(ctx, arn, progress, show)
		}
		show(progress)
		select {
		case <-ctx.Done():
			return Result{}, ctx.Err()
		case <-time.After(interval):
		}
	}
}

// Inspect gives the result of a run as far as it got.
func (w Workflow) Inspect(ctx context.Context, run Run) (Result, error) {
	progress := NewProgress()
	ended, err := advance(ctx, NewHistory(w.States, run.ARN), progress)
	if err != nil {
		return Result{}, err
	}
	if ended {
		return w.result(ctx, run.ARN, progress, func(*Progress) {})
	}
	unfinished := Summary{Execution: run.Name, Status: run.Status, IngestDate: run.Input.IngestDate}
	unfinished.complete()
	return Result{Summary: unfinished, Steps: progress.Steps(time.Now())}, nil
}

// advance applies the new events and tells whether the execution has ended.
func advance(ctx context.Context, history *History, progress *Progress) (ended bool, err error) {
	events, err := history.Next(ctx)
	if err != nil {
		return false, err
	}
	for _, event := range events {
		progress.Apply(event)
		// A run that was redriven goes on after its end.
		ended = event.ends() || ended && event.Type != "ExecutionRedriven"
	}
	return ended, nil
}

func (w Workflow) result(ctx context.Context, arn string, progress *Progress, show func(*Progress)) (Result, error) {
	run, err := w.describe(ctx, arn)
	if err != nil {
		return Result{}, err
	}
	summary, err := w.summary(ctx, run)
	if err != nil {
		return Result{}, err
	}
	if failure := summary.Error; failure != nil && failure.Step != nil {
		progress.MarkFailed(*failure.Step, aws.ToString(failure.Dataset))
	}
	show(progress)
	return Result{Summary: summary, Steps: progress.Steps(time.Now())}, nil
}

// summary is the run's output or, since a failed execution has none, the report it wrote; for a
// run that was refused before it began, what the execution itself says.
func (w Workflow) summary(ctx context.Context, run Run) (Summary, error) {
	if run.Status == Succeeded {
		return ParseSummary([]byte(run.output))
	}
	summary := Summary{Execution: run.Name, IngestDate: run.Input.IngestDate}
	report, err := w.report(ctx, run.Name)
	if err != nil {
		return Summary{}, err
	}
	if report != nil {
		if summary, err = ParseSummary(report); err != nil {
			return Summary{}, err
		}
	}
	summary.complete()
	summary.Status = run.Status
	if summary.Error == nil {
		summary.Error = run.failure()
	}
	return summary, nil
}

// failure is what the execution says of its end.
func (r Run) failure() *Failure {
	switch r.Status {
	case Aborted:
		return &Failure{Error: "Aborted", Cause: strings.TrimSpace("The run was stopped. " + r.cause)}
	case TimedOut:
		return &Failure{Error: "TimedOut", Cause: strings.TrimSpace("The run took longer than the workflow allows. " + r.cause)}
	default:
		failure := &Failure{Error: r.error, Cause: r.cause}
		if step, cause, named := strings.Cut(r.cause, ": "); named && !strings.Contains(step, " ") {
			failure.Step, failure.Cause = &step, cause
		}
		return failure
	}
}

// report reads the summary that a run wrote, nil when it wrote none.
func (w Workflow) report(ctx context.Context, name string) ([]byte, error) {
	key := "reports/runs/" + name + ".json"
	object, err := w.Objects.GetObject(ctx, &s3.GetObjectInput{Bucket: &w.Artifacts, Key: &key})
	var missing *s3types.NoSuchKey
	if errors.As(err, &missing) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("report of the run: %w", err)
	}
	defer object.Body.Close()
	content, err := io.ReadAll(object.Body)
	if err != nil {
		return nil, fmt.Errorf("report of the run: %w", err)
	}
	return content, nil
}
