package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"moviepipeline/internal/datasets"
	"moviepipeline/internal/execution"
	"moviepipeline/internal/project"
	"moviepipeline/internal/render"
	"moviepipeline/internal/target"
	"moviepipeline/internal/usage"
)

// latestRuns is how many runs the list shows.
const latestRuns = 10

func (a *app) statusCommand() *cobra.Command {
	var watch bool
	var output string
	command := &cobra.Command{
		Use:   "status [EXECUTION]",
		Short: "Show the latest runs, or one run with its steps",
		Long: `Show the latest runs. With the name of an execution, show that run: its outcome, and its steps
with their times. With --watch, follow it (without a name: the latest) to its end, as
` + "`pipeline run`" + ` does, with the same output and exit codes.`,
		Example: `  pipeline status
  pipeline status 2026-01-31-run-20260201T040000-abcd
  pipeline status --watch
  pipeline status 2026-01-31-run-20260201T040000-abcd --output json`,
		Args: atMost(1),
		RunE: func(command *cobra.Command, arguments []string) error {
			if err := oneOf("output", output, "table", "json"); err != nil {
				return err
			}
			name := ""
			if len(arguments) > 0 {
				name = arguments[0]
			}
			if output == "json" && name == "" && !watch {
				return usage.Errorf("--output json is for one run; name it, or give --watch for the latest")
			}
			return a.status(command.Context(), name, watch, output)
		},
	}
	command.Flags().BoolVar(&watch, "watch", false, "follow the run to its end")
	command.Flags().StringVar(&output, "output", "table", "`form` of the result: table or json")
	return command
}

func (a *app) status(ctx context.Context, name string, watch bool, output string) error {
	run, err := a.openRuns(ctx, output)
	if err != nil {
		return err
	}
	if name == "" && !watch {
		return a.listRuns(ctx, run.workflow)
	}
	found, err := run.workflow.Find(ctx, name)
	if err != nil {
		return err
	}
	if watch {
		display := render.NewDisplay(a.err)
		defer display.Close()
		return a.follow(ctx, run, found.ARN, display)
	}
	result, err := run.workflow.Inspect(ctx, found)
	if err != nil {
		return err
	}
	if output == "json" {
		return render.JSON(a.out, result)
	}
	render.Result(a.out, result)
	fmt.Fprintln(a.out)
	render.Steps(a.out, result.Steps)
	if result.Error != nil {
		fmt.Fprintf(a.out, "\n%s\n", a.failureText(result))
	}
	return nil
}

// openRuns gives what is needed to look at runs.
func (a *app) openRuns(ctx context.Context, output string) (watched, error) {
	checkout, err := project.Find(".")
	if err != nil {
		return watched{}, err
	}
	list, err := datasets.Load(checkout.DatasetsFile())
	if err != nil {
		return watched{}, err
	}
	place, err := a.open(ctx)
	if err != nil {
		return watched{}, err
	}
	return openWorkflow(ctx, place, len(list), output)
}

func openWorkflow(ctx context.Context, place target.Target, datasets int, output string) (watched, error) {
	outputs, err := place.Outputs(ctx, "lake", "warehouse", "workflow")
	if err != nil {
		return watched{}, err
	}
	workflow, err := workflowOf(place, outputs)
	return watched{place, outputs, workflow, datasets, output}, err
}

func (a *app) listRuns(ctx context.Context, workflow execution.Workflow) error {
	runs, err := workflow.Latest(ctx, latestRuns)
	if err != nil {
		return err
	}
	if len(runs) == 0 {
		fmt.Fprintln(a.out, "There was no run yet.")
		return nil
	}
	render.Runs(a.out, runs, time.Now())
	return nil
}
