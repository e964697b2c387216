package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"moviepipeline/internal/quality"
	"moviepipeline/internal/render"
	"moviepipeline/internal/usage"
)

func (a *app) dqHistoryCommand() *cobra.Command {
	selection := quality.Selection{}
	var output string
	command := &cobra.Command{
		Use:   "history",
		Short: "Show how rules fared over past runs",
		Long: `Show the score of each ruleset over past runs, with the rules that did not pass: gates, also of
batches that failed them, and row rules. A ruleset's score is the share of its rules that passed.

With --rule, show the rules with that text: their results, and the trend of the numbers they
measured. The results of all runs are in audit.rule_results, the newest of each batch in
analytics.rule_results and analytics.rule_metrics.`,
		Example: `  pipeline dq history
  pipeline dq history --dataset ratings --limit 30
  pipeline dq history --rule RowCount
  pipeline dq history --output json | jq '.[] | select(.score < 1)'`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := oneOf("output", output, "table", "json"); err != nil {
				return err
			}
			if selection.Runs < 1 || selection.Runs > 1000 {
				return usage.Errorf("--limit %d: want 1 to 1000 runs", selection.Runs)
			}
			return a.dqHistory(command.Context(), selection, output)
		},
	}
	flags := command.Flags()
	flags.StringVar(&selection.Dataset, "dataset", "", "only rules of this `dataset`")
	flags.StringVar(&selection.Rule, "rule", "", "only rules with this `text` in them, in any case")
	flags.IntVar(&selection.Runs, "limit", 10, "most `runs` of each ruleset, the newest")
	flags.StringVar(&output, "output", "table", "`form`: table or json")
	return command
}

func (a *app) dqHistory(ctx context.Context, selection quality.Selection, output string) error {
	if _, _, err := (quarantineRequest{dataset: selection.Dataset}).known(); err != nil {
		return err
	}
	warehouse, err := a.warehouse(ctx)
	if err != nil {
		return err
	}
	evaluations, err := quality.History(ctx, warehouse, selection)
	if err != nil {
		return err
	}
	switch {
	case output == "json":
		return render.JSON(a.out, evaluations)
	case len(evaluations) == 0:
		fmt.Fprintln(a.out, "No such results of rules are kept yet.")
	case selection.Rule != "":
		render.RuleHistory(a.out, evaluations)
	default:
		render.History(a.out, evaluations)
	}
	return nil
}
