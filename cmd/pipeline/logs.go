package main

import (
	"context"

	"github.com/spf13/cobra"

	"moviepipeline/internal/steplog"
	"moviepipeline/internal/usage"
)

func (a *app) logsCommand() *cobra.Command {
	var selection steplog.Selection
	var name string
	command := &cobra.Command{
		Use:   "logs STEP",
		Short: "Show what a step of a run did",
		Long: `Show the calls that a step of a run made, with their errors, and the record that the called
service keeps: of a job its logs, of a gate the outcome of each rule, of a load its SQL statements.

The steps are those that ` + "`pipeline run`" + ` and ` + "`pipeline status EXECUTION`" + ` show.`,
		Example: `  pipeline logs transform --dataset movies
  pipeline logs gate
  pipeline logs load --execution 2026-01-31-run-20260201T040000-abcd
  pipeline logs transform --dataset ratings --lines 0`,
		Args: func(command *cobra.Command, arguments []string) error {
			if len(arguments) != 1 {
				return usage.Errorf("pipeline logs takes the name of one step; see `pipeline logs --help`")
			}
			return nil
		},
		RunE: func(command *cobra.Command, arguments []string) error {
			selection.Step = arguments[0]
			if selection.Lines < 0 || selection.Lines > 10_000 {
				return usage.Errorf("--lines %d: want 0 (all) to 10000", selection.Lines)
			}
			return a.logs(command.Context(), name, selection)
		},
	}
	flags := command.Flags()
	flags.StringVar(&selection.Dataset, "dataset", "", "only what the step did for this `dataset`")
	flags.StringVar(&name, "execution", "", "`name` of the run (default: the latest)")
	flags.Int32Var(&selection.Lines, "lines", 100, "last `lines` of each job log; 0 for all")
	return command
}

func (a *app) logs(ctx context.Context, name string, selection steplog.Selection) error {
	opened, err := a.openRuns(ctx, "")
	if err != nil {
		return err
	}
	run, err := opened.workflow.Find(ctx, name)
	if err != nil {
		return err
	}
	calls, err := opened.workflow.Calls(ctx, run)
	if err != nil {
		return err
	}
	chosen, err := steplog.Select(calls, selection)
	if err != nil {
		return err
	}
	writer := steplog.Writer{Out: a.out, Target: opened.place, Lines: selection.Lines}
	return writer.Write(ctx, chosen)
}
