// Package steplog tells what a step of a run did: the calls of services it made, and for those
// that leave a record of their own — statements, rule results, job logs — that record.
package steplog

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/redshiftdata"

	"moviepipeline/internal/execution"
	"moviepipeline/internal/target"
	"moviepipeline/internal/usage"
)

// Selection is which calls to tell of.
type Selection struct {
	// Step is the name of a step in any case; Dataset is empty for all.
	Step, Dataset string
	// Lines is how many of the last lines of each job log to show; 0 for all.
	Lines int32
}

// Writer writes the record of steps to Out.
type Writer struct {
	Out    io.Writer
	Target target.Target
	Lines  int32
}

// Select gives the calls of a step. A step or dataset that the run did not have is wrong usage.
func Select(calls []*execution.Call, selection Selection) ([]*execution.Call, error) {
	var chosen []*execution.Call
	for _, call := range calls {
		if strings.EqualFold(call.Step, selection.Step) && (selection.Dataset == "" || call.Dataset == selection.Dataset) {
			chosen = append(chosen, call)
		}
	}
	if len(chosen) > 0 {
		return chosen, nil
	}
	steps := namesOf(calls, func(call *execution.Call) string { return call.Step })
	if !slices.ContainsFunc(steps, func(step string) bool { return strings.EqualFold(step, selection.Step) }) {
		return nil, usage.Errorf("the run had no step %q; it had %s", selection.Step, strings.Join(steps, ", "))
	}
	return nil, usage.Errorf("the run had no step %s for dataset %q", selection.Step, selection.Dataset)
}

func namesOf(calls []*execution.Call, name func(*execution.Call) string) []string {
	var names []string
	for _, call := range calls {
		if !slices.Contains(names, name(call)) {
			names = append(names, name(call))
		}
	}
	return names
}

// Write tells of each call. Calls that only look whether something has ended are left out, save
// the last of a state, and so are decisions where there are calls, save those that it failed.
func (w Writer) Write(ctx context.Context, calls []*execution.Call) error {
	onlyDecisions := !slices.ContainsFunc(calls, func(call *execution.Call) bool { return call.Resource != "" })
	for i, call := range calls {
		decision := call.Resource == "" && !onlyDecisions
		if call.Error == "" && (decision || repeated(calls[i+1:], call)) {
			continue
		}
		w.head(call)
		if err := w.detail(ctx, call); err != nil {
			return err
		}
	}
	return nil
}

func repeated(later []*execution.Call, call *execution.Call) bool {
	return slices.ContainsFunc(later, func(other *execution.Call) bool {
		return other.State == call.State && other.Dataset == call.Dataset && other.Input == call.Input
	})
}

func (w Writer) head(call *execution.Call) {
	outcome := "under way"
	switch {
	case call.Error != "":
		outcome = call.Error
	case !call.Ended.IsZero():
		outcome = "ok"
	}
	name := strings.TrimSpace(call.State + " " + call.Dataset)
	resource := ""
	if call.Resource != "" {
		resource = "  [" + call.Resource + "]"
	}
	fmt.Fprintf(w.Out, "%s  %-44s %s%s\n", call.Began.Local().Format("15:04:05"), name, outcome, resource)
	if call.Error != "" {
		w.indented(readableCause(call.Cause))
	}
}

// readableCause takes the message out of a cause that is JSON, as those of jobs are.
func readableCause(cause string) string {
	var fields struct{ ErrorMessage string }
	if json.Unmarshal([]byte(cause), &fields) == nil && fields.ErrorMessage != "" {
		return fields.ErrorMessage
	}
	return cause
}

// detail adds the record that the called service keeps.
func (w Writer) detail(ctx context.Context, call *execution.Call) error {
	switch _, action, _ := strings.Cut(call.Resource, " "); action {
	case "startJobRun.sync":
		return w.jobLogs(ctx, call)
	case "batchExecuteStatement", "executeStatement":
		return w.statements(ctx, call)
	case "getDataQualityResult":
		w.rules(call)
	}
	return nil
}

// rules writes the outcome of each rule of a result.
func (w Writer) rules(call *execution.Call) {
	var result struct {
		Score       float64
		RuleResults []struct {
			Description, Result, EvaluationMessage string
			EvaluatedMetrics                       map[string]float64
		}
	}
	if json.Unmarshal([]byte(call.Output), &result) != nil {
		return
	}
	for _, rule := range result.RuleResults {
		line := fmt.Sprintf("%-5s %s", rule.Result, rule.Description)
		if rule.EvaluationMessage != "" {
			line += "  (" + rule.EvaluationMessage + ")"
		}
		w.indented(line)
	}
}

// statements writes the SQL that a call ran, each with its outcome.
func (w Writer) statements(ctx context.Context, call *execution.Call) error {
	var started struct{ ID string }
	if json.Unmarshal([]byte(call.Output), &started) != nil || started.ID == "" {
		w.indented(call.Input)
		return nil
	}
	client := redshiftdata.NewFromConfig(w.Target.Config)
	described, err := client.DescribeStatement(ctx, &redshiftdata.DescribeStatementInput{Id: &started.ID})
	if err != nil {
		// The Data API keeps statements for a day:
		// https://docs.aws.amazon.com/redshift-data/latest/APIReference/API_DescribeStatement.html
		w.indented(fmt.Sprintf("statement %s is no longer known (%v)", started.ID, err))
		return nil
	}
	for _, statement := range described.SubStatements {
		w.statement(aws.ToString(statement.QueryString), string(statement.Status), statement.ResultRows, aws.ToString(statement.Error))
	}
	if len(described.SubStatements) == 0 {
		w.statement(aws.ToString(described.QueryString), string(described.Status), described.ResultRows, aws.ToString(described.Error))
	}
	return nil
}

func (w Writer) statement(sql, status string, rows int64, failure string) {
	if rows >= 0 {
		status = fmt.Sprintf("%s, %d rows", status, rows)
	}
	w.indented(strings.TrimSpace(sql) + "\n-- " + status)
	if failure != "" {
		w.indented("-- " + failure)
	}
}

// jobLogs writes what the Glue job's run wrote to the log groups of the jobs stack.
func (w Writer) jobLogs(ctx context.Context, call *execution.Call) error {
	run := jobRun(call)
	if run == "" {
		w.indented("the job was not started")
		return nil
	}
	groups, err := w.logGroups(ctx)
	if err != nil {
		return err
	}
	client := cloudwatchlogs.NewFromConfig(w.Target.Config)
	found := false
	for _, group := range groups {
		written, err := w.logGroup(ctx, client, group, run)
		if err != nil {
			return err
		}
		found = found || written
	}
	if !found {
		w.indented("no log of job run " + run + " yet")
	}
	return nil
}

// jobRun is the id of the run in the call's answer, or in the cause of its failure.
func jobRun(call *execution.Call) string {
	for _, text := range []string{call.Output, call.Cause} {
		var run struct{ ID, JobRunID string }
		if json.Unmarshal([]byte(text), &run) == nil && cmp.Or(run.JobRunID, run.ID) != "" {
			return cmp.Or(run.JobRunID, run.ID)
		}
	}
	return ""
}

func (w Writer) logGroups(ctx context.Context) ([]string, error) {
	stack := w.Target.Prefix() + "-jobs"
	client := cloudformation.NewFromConfig(w.Target.Config)
	resources, err := client.DescribeStackResources(ctx, &cloudformation.DescribeStackResourcesInput{StackName: &stack})
	if err != nil {
		return nil, fmt.Errorf("log groups of the jobs: %w", err)
	}
	var groups []string
	for _, resource := range resources.StackResources {
		if aws.ToString(resource.ResourceType) == "AWS::Logs::LogGroup" {
			groups = append(groups, aws.ToString(resource.PhysicalResourceId))
		}
	}
	slices.Sort(groups)
	return groups, nil
}

// logGroup writes the streams of a run in a group: the stream is named after the run.
func (w Writer) logGroup(ctx context.Context, client *cloudwatchlogs.Client, group, run string) (bool, error) {
	streams, err := client.DescribeLogStreams(ctx, &cloudwatchlogs.DescribeLogStreamsInput{
		LogGroupName: &group, LogStreamNamePrefix: &run,
	})
	if err != nil {
		return false, fmt.Errorf("log group %s: %w", group, err)
	}
	for _, stream := range streams.LogStreams {
		name := aws.ToString(stream.LogStreamName)
		fmt.Fprintf(w.Out, "    --- %s, stream %s\n", group, name)
		if err := w.stream(ctx, client, group, name); err != nil {
			return false, err
		}
	}
	return len(streams.LogStreams) > 0, nil
}

// stream writes the last lines of a stream, or all.
func (w Writer) stream(ctx context.Context, client *cloudwatchlogs.Client, group, stream string) error {
	request := &cloudwatchlogs.GetLogEventsInput{
		LogGroupName: &group, LogStreamName: &stream, StartFromHead: aws.Bool(w.Lines == 0),
	}
	if w.Lines > 0 {
		request.Limit = &w.Lines
	}
	for {
		page, err := client.GetLogEvents(ctx, request)
		if err != nil {
			return fmt.Errorf("log stream %s of %s: %w", stream, group, err)
		}
		for _, event := range page.Events {
			w.indented(aws.ToString(event.Message))
		}
		// The service repeats the token at the end of a stream.
		if w.Lines > 0 || aws.ToString(page.NextForwardToken) == aws.ToString(request.NextToken) {
			return nil
		}
		request.NextToken = page.NextForwardToken
	}
}

func (w Writer) indented(text string) {
	for line := range strings.Lines(strings.TrimRight(text, "\n")) {
		fmt.Fprintf(w.Out, "    %s\n", strings.TrimRight(line, "\r\n"))
	}
}
