package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/sfn"
	"github.com/spf13/cobra"

	"moviepipeline/internal/batch"
	"moviepipeline/internal/datasets"
	"moviepipeline/internal/execution"
	"moviepipeline/internal/project"
	"moviepipeline/internal/render"
	"moviepipeline/internal/target"
)

// runRequest is what `pipeline run` was asked to do.
type runRequest struct {
	raw, date, output string
	datasets          []string
}

func (a *app) runCommand() *cobra.Command {
	request := runRequest{}
	command := &cobra.Command{
		Use:   "run",
		Short: "Upload a batch and run the pipeline on it",
		Long: `Upload the files of a batch and run the deployed workflow on it, from the crawl to the marts.

Locally (the default) the local cloud is started if none runs, and the stacks are deployed to it
if anything they are made from has changed. With --aws the deployed stacks of the current profile
are used as they are.

The files of DIR/<dataset>/ become the batch of that dataset for the date; they replace what was
delivered for it before. Without --raw it is the sample: real films and made ratings with faults
in them, as the batch of ` + sampleDate + `. With --aws and without --raw nothing is uploaded: the run takes
what lies in the raw bucket.

Progress goes to the error output, the result to the output. Ctrl-C stops watching, not the run.

Exit codes: 0 success, 1 the run failed, 2 wrong usage; 130 after Ctrl-C.`,
		Example: `  pipeline run
  pipeline run --raw deliveries/today
  pipeline run --raw deliveries/today --ingest-date 2026-01-31 --datasets movies
  pipeline run --output json | jq .datasets
  pipeline run --aws --environment prod --ingest-date 2026-01-31`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return a.run(command.Context(), request) },
	}
	flags := command.Flags()
	flags.StringVar(&request.raw, "raw", "", "`folder` with a folder of files for each dataset (default: the sample; with --aws: no upload)")
	flags.StringVar(&request.date, "ingest-date", "", "`date` of the batch, YYYY-MM-DD (default: today in UTC with --raw, "+sampleDate+" for the sample; with --aws and no --raw: the workflow's own)")
	flags.StringSliceVar(&request.datasets, "datasets", nil, "`names` of the datasets to run, with commas (default: all)")
	flags.StringVar(&request.output, "output", "table", "`form` of the result: table or json")
	return command
}

// run checks everything that can be checked before anything starts.
func (a *app) run(ctx context.Context, request runRequest) error {
	if err := oneOf("output", request.output, "table", "json"); err != nil {
		return err
	}
	if request.date != "" {
		if err := batch.CheckDate(request.date); err != nil {
			return err
		}
	}
	checkout, err := project.Find(".")
	if err != nil {
		return err
	}
	list, err := datasets.Load(checkout.DatasetsFile())
	if err != nil {
		return err
	}
	selected, err := batch.Select(list, request.datasets)
	if err != nil {
		return err
	}
	if request.raw != "" {
		if _, err := batch.Read(request.raw, list, selected); err != nil {
			return err
		}
	}
	display := render.NewDisplay(a.err)
	defer display.Close()
	return a.runOn(ctx, checkout, request, list, selected, display)
}

// runOn prepares the place, delivers the batch, and starts and follows the run.
func (a *app) runOn(ctx context.Context, checkout project.Project, request runRequest, list, selected []datasets.Dataset, display *render.Display) error {
	request, err := a.withDefaults(ctx, checkout, request, display)
	if err != nil {
		return err
	}
	place, err := a.place(ctx, checkout, display)
	if err != nil {
		return err
	}
	outputs, err := place.Outputs(ctx, "lake", "warehouse", "workflow")
	if err != nil {
		return err
	}
	workflow, err := workflowOf(place, outputs)
	if err != nil {
		return err
	}
	if err := refuseWhileBusy(ctx, workflow, a.suffix()); err != nil {
		return err
	}
	if request.raw != "" {
		if err := deliver(ctx, place, outputs, request, list, selected, display); err != nil {
			return err
		}
	}
	arn, err := workflow.Start(ctx, runName(request.date, time.Now()), execution.Input{IngestDate: request.date, Datasets: request.datasets})
	if err != nil {
		return err
	}
	display.Say("Run " + execution.Name(arn))
	return a.follow(ctx, watched{place, outputs, workflow, len(list), request.output}, arn, display)
}

// place is where the run goes.
func (a *app) place(ctx context.Context, checkout project.Project, display *render.Display) (target.Target, error) {
	if a.onAWS {
		return target.AWS(ctx, a.options)
	}
	return a.prepare(ctx, checkout, display)
}

// withDefaults fills in the sample and the date.
func (a *app) withDefaults(ctx context.Context, checkout project.Project, request runRequest, display *render.Display) (runRequest, error) {
	switch {
	case request.raw != "" && request.date == "":
		request.date = time.Now().UTC().Format(time.DateOnly)
	case request.raw == "" && !a.onAWS:
		request.raw = checkout.SampleDir()
		if request.date == "" {
			request.date = sampleDate
		}
		return request, a.makeSample(ctx, checkout, display)
	}
	return request, nil
}

func workflowOf(place target.Target, outputs target.Outputs) (execution.Workflow, error) {
	machine, err := outputs.Get("StateMachineArn")
	if err != nil {
		return execution.Workflow{}, err
	}
	artifacts, err := outputs.Get("ArtifactsBucket")
	if err != nil {
		return execution.Workflow{}, err
	}
	return execution.Workflow{
		States: sfn.NewFromConfig(place.Config), Objects: place.S3(), Machine: machine, Artifacts: artifacts,
	}, nil
}

// refuseWhileBusy keeps files from being replaced under a run that reads them. The workflow's own
// lock is what decides: the list of runs lags behind.
func refuseWhileBusy(ctx context.Context, workflow execution.Workflow, suffix string) error {
	running, err := workflow.UnderWay(ctx)
	if err != nil {
		return err
	}
	if len(running) > 0 {
		return fmt.Errorf("run %s is under way; wait for its end with `pipeline status %s --watch%s`", running[0].Name, running[0].Name, suffix)
	}
	return nil
}

// deliver uploads the batch.
func deliver(ctx context.Context, place target.Target, outputs target.Outputs, request runRequest, list, selected []datasets.Dataset, display *render.Display) error {
	bucket, err := outputs.Get("RawBucket")
	if err != nil {
		return err
	}
	batches, err := batch.Read(request.raw, list, selected)
	if err != nil {
		return err
	}
	tellOfMissing(display, batches, selected, request)
	task := display.Task("Upload")
	client := place.S3()
	for _, delivered := range batches {
		err = batch.Upload(ctx, client, bucket, request.date, delivered, func(file batch.File) {
			task.Detail(delivered.Dataset + "/" + file.Name)
		})
		if err != nil {
			break
		}
	}
	task.End(err)
	return err
}

// tellOfMissing says which datasets keep the batch that they had, if any.
func tellOfMissing(display *render.Display, batches []batch.Batch, selected []datasets.Dataset, request runRequest) {
	delivered := map[string]bool{}
	for _, one := range batches {
		delivered[one.Dataset] = true
	}
	for _, name := range batch.Names(selected) {
		if !delivered[name] {
			display.Say(fmt.Sprintf("%s: no files in %s; what was delivered before for %s, if anything, stays", name, request.raw, request.date))
		}
	}
}

// runName is unique and sorts by time: batch date, moment of the start, and a few letters of chance.
func runName(date string, now time.Time) string {
	if date == "" {
		date = "scheduled"
	}
	return fmt.Sprintf("%s-run-%s-%s", date, now.UTC().Format("20060102T150405"), strings.ToLower(rand.Text()[:4]))
}

// watched is a run to follow with what is needed to tell of it.
type watched struct {
	place    target.Target
	outputs  target.Outputs
	workflow execution.Workflow
	datasets int
	output   string
}

// follow shows the run until its end and then its result.
func (a *app) follow(ctx context.Context, run watched, arn string, display *render.Display) error {
	found, err := run.workflow.Find(ctx, arn)
	if err == nil {
		// Without a number there is no bar, and all else.
		if expected, err := run.workflow.Expected(ctx, found, run.datasets); err == nil {
			display.Expect(expected)
		}
	}
	result, err := run.workflow.Watch(ctx, arn, interval(run.place), display.Follow)
	if err != nil && ctx.Err() != nil {
		display.Close()
		fmt.Fprintf(a.err, "\nNo longer watching; the run goes on. Watch it again: pipeline status %s --watch%s\n", execution.Name(arn), a.suffix())
		return told{exitInterrupted}
	}
	if err != nil {
		return err
	}
	display.Close()
	return a.tell(ctx, run, result)
}

// tell writes the result, and for a failure what to look at next.
func (a *app) tell(ctx context.Context, run watched, result execution.Result) error {
	if run.output == "json" {
		if err := render.JSON(a.out, result); err != nil {
			return err
		}
	} else {
		render.Result(a.out, result)
		a.quarantineHint(result)
		if result.Status == execution.Succeeded {
			if err := a.glance(ctx, run); err != nil {
				return err
			}
		}
	}
	a.tellOfPage(ctx, run)
	if result.Status == execution.Succeeded {
		return nil
	}
	return errors.New(a.failureText(result))
}

// failureText names step, dataset and cause, and the command that shows more.
func (a *app) failureText(result execution.Result) string {
	failure := result.Error
	if failure == nil {
		return "the run " + result.Execution + " ended as " + result.Status
	}
	where, next := "", "pipeline status "+result.Execution
	if failure.Step != nil {
		where = " at step " + *failure.Step
		next = "pipeline logs " + strings.ToLower(*failure.Step)
		if failure.Dataset != nil {
			where += " of dataset " + *failure.Dataset
			next += " --dataset " + *failure.Dataset
		}
		next += " --execution " + result.Execution
	}
	return fmt.Sprintf("the run failed%s (%s): %s\nSee more: %s%s", where, failure.Error, failure.Cause, next, a.suffix())
}

// suffix repeats the flags that lead to the same place.
func (a *app) suffix() string {
	var words strings.Builder
	if a.onAWS {
		words.WriteString(" --aws")
	}
	for _, flag := range [][2]string{{"region", a.options.Region}, {"profile", a.options.Profile}} {
		if flag[1] != "" {
			fmt.Fprintf(&words, " --%s %s", flag[0], flag[1])
		}
	}
	if a.options.Environment != "dev" {
		fmt.Fprintf(&words, " --environment %s", a.options.Environment)
	}
	return words.String()
}
