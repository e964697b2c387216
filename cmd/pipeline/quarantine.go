package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"moviepipeline/internal/batch"
	"moviepipeline/internal/datasets"
	"moviepipeline/internal/execution"
	"moviepipeline/internal/project"
	"moviepipeline/internal/quarantine"
	"moviepipeline/internal/render"
	"moviepipeline/internal/target"
	"moviepipeline/internal/usage"
)

// quarantineRequest is what `pipeline quarantine` was asked for.
type quarantineRequest struct {
	dataset, date, rule, rows, output string
	limit                             int
}

func (a *app) quarantineCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "quarantine",
		Short: "Look at rows that broke rules, and let them go through again",
		Long: `Look at the rows that were set aside because they broke row rules, and let them go through
again once a rule or the rows are mended.

In the warehouse they are in analytics.quarantine, in the catalog in quarantine_<dataset>.`,
		Example: `  pipeline quarantine show
  pipeline quarantine replay --dataset ratings --ingest-date 2026-01-31`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(a.quarantineShowCommand(), a.quarantineReplayCommand())
	return command
}

func (a *app) quarantineShowCommand() *cobra.Command {
	var request quarantineRequest
	command := &cobra.Command{
		Use:   "show",
		Short: "Show rows in quarantine, and how many broke each rule",
		Long: `Show the rows in quarantine with the rules that each broke, and how many broke each rule: of the
newest version of each batch.

With --output csv, of one dataset, the rows can be edited and put back: see
` + "`pipeline quarantine replay --help`" + `. The columns quarantine_… belong to that and stay as they are.`,
		Example: `  pipeline quarantine show
  pipeline quarantine show --dataset movies --rule IsUnique --limit 5
  pipeline quarantine show --dataset movies --ingest-date 2026-01-31 --output csv > rows.csv
  pipeline quarantine show --output json | jq '.rules[] | select(.rows > 10)'`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			// A file for editing that lacks rows without a word would mislead.
			if request.output != "table" && !command.Flags().Changed("limit") {
				request.limit = 0
			}
			return a.quarantineShow(command.Context(), request)
		},
	}
	flags := command.Flags()
	flags.StringVar(&request.dataset, "dataset", "", "only rows of this `dataset`")
	flags.StringVar(&request.date, "ingest-date", "", "only rows of the batch of this `date`, YYYY-MM-DD")
	flags.StringVar(&request.rule, "rule", "", "only rows that broke a rule with this `text` in it, in any case")
	flags.IntVar(&request.limit, "limit", 20, "most `rows` to show; 0 for all, the default for json and csv")
	flags.StringVar(&request.output, "output", "table", "`form`: table, json or csv")
	return command
}

// known reads the list of datasets and checks what the request names.
func (request quarantineRequest) known() ([]datasets.Dataset, []string, error) {
	checkout, err := project.Find(".")
	if err != nil {
		return nil, nil, err
	}
	list, err := datasets.Load(checkout.DatasetsFile())
	if err != nil {
		return nil, nil, err
	}
	if request.date != "" {
		if err := batch.CheckDate(request.date); err != nil {
			return nil, nil, err
		}
	}
	if request.dataset == "" {
		return list, batch.Names(list), nil
	}
	if _, err := batch.Select(list, []string{request.dataset}); err != nil {
		return nil, nil, err
	}
	return list, []string{request.dataset}, nil
}

func (a *app) quarantineShow(ctx context.Context, request quarantineRequest) error {
	if err := oneOf("output", request.output, "table", "json", "csv"); err != nil {
		return err
	}
	if request.limit < 0 {
		return usage.Errorf("--limit %d: want a number of rows, or 0 for all", request.limit)
	}
	list, names, err := request.known()
	if err != nil {
		return err
	}
	if request.output == "csv" && len(names) > 1 {
		return usage.Errorf("--output csv is for one dataset, since each has columns of its own; give --dataset: %s", strings.Join(batch.Names(list), ", "))
	}
	place, err := a.open(ctx)
	if err != nil {
		return err
	}
	store, err := storeOf(ctx, place)
	if err != nil {
		return err
	}
	rows, err := store.Rows(ctx, quarantine.Selection{Datasets: names, Date: request.date, Rule: request.rule})
	if err != nil {
		return err
	}
	return a.showRows(rows, request)
}

func storeOf(ctx context.Context, place target.Target) (quarantine.Store, error) {
	outputs, err := place.Outputs(ctx, "lake")
	if err != nil {
		return quarantine.Store{}, err
	}
	raw, err := outputs.Get("RawBucket")
	if err != nil {
		return quarantine.Store{}, err
	}
	processed, err := outputs.Get("ProcessedBucket")
	return quarantine.Store{Objects: place.S3(), Raw: raw, Processed: processed}, err
}

func (a *app) showRows(rows []quarantine.Row, request quarantineRequest) error {
	shown := rows
	if request.limit > 0 && len(rows) > request.limit {
		shown = rows[:request.limit]
	}
	switch {
	case request.output == "json":
		return render.JSON(a.out, map[string]any{
			"batches": quarantine.CountByBatch(rows), "rules": quarantine.CountByRule(rows), "rows": append([]quarantine.Row{}, shown...),
		})
	case request.output == "csv":
		return quarantine.WriteCSV(a.out, shown)
	case len(rows) == 0:
		fmt.Fprintln(a.out, "No such rows are in quarantine.")
	default:
		render.Quarantine(a.out, rows, request.limit)
	}
	return nil
}

func (a *app) quarantineReplayCommand() *cobra.Command {
	var request quarantineRequest
	command := &cobra.Command{
		Use:   "replay --dataset NAME --ingest-date DATE",
		Short: "Let the rows of a batch go through again after a rule or a row was mended",
		Long: `Run the date again, so that the rows in quarantine go through if they can: after a rule was
mended (locally, what has changed is deployed first; on AWS deploy it yourself), or with --rows
after rows were mended.

--rows takes the file of ` + "`pipeline quarantine show --output csv`" + `, edited. Rows that differ from what is
in quarantine replace the bad ones in the batch in the raw bucket, whose older version S3 keeps;
rows unchanged or left out stay as they are. So the newest version of the batch is a mended one,
and whoever runs the date again gets the same again. No row is lost or doubled:
- nothing is written unless each row is still in quarantine, by the same run, and in the batch;
- files of the batch are replaced one at a time, as a whole, and only if nobody else changed them;
- after a crash call it again: rows that are in the batch already are not written twice.

Datasets that refer to this one go through again too, for that date.

Exit codes: 0 success, 1 the run failed, 2 wrong usage; 130 after Ctrl-C.`,
		Example: `  pipeline quarantine replay --dataset movies --ingest-date 2026-01-31
  pipeline quarantine show --dataset movies --ingest-date 2026-01-31 --output csv > rows.csv
  pipeline quarantine replay --dataset movies --ingest-date 2026-01-31 --rows rows.csv`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return a.quarantineReplay(command.Context(), request)
		},
	}
	flags := command.Flags()
	flags.StringVar(&request.dataset, "dataset", "", "`name` of the dataset")
	flags.StringVar(&request.date, "ingest-date", "", "`date` of the batch, YYYY-MM-DD")
	flags.StringVar(&request.rows, "rows", "", "`file` with mended rows (CSV)")
	flags.StringVar(&request.output, "output", "table", "`form` of the run's result: table or json")
	return command
}

func (a *app) quarantineReplay(ctx context.Context, request quarantineRequest) error {
	if err := oneOf("output", request.output, "table", "json"); err != nil {
		return err
	}
	if request.dataset == "" || request.date == "" {
		return usage.Errorf("give --dataset and --ingest-date; `pipeline quarantine show` lists what is in quarantine")
	}
	list, _, err := request.known()
	if err != nil {
		return err
	}
	if request.rows != "" {
		if err := mendable(list, request.dataset); err != nil {
			return err
		}
	}
	checkout, err := project.Find(".")
	if err != nil {
		return err
	}
	display := render.NewDisplay(a.err)
	defer display.Close()
	place, err := a.place(ctx, checkout, display)
	if err != nil {
		return err
	}
	run, err := openWorkflow(ctx, place, len(list), request.output)
	if err != nil {
		return err
	}
	if err := refuseWhileBusy(ctx, run.workflow, a.suffix()); err != nil {
		return err
	}
	return a.replay(ctx, run, request, list, display)
}

// mendable refuses batches that are not mended by line.
func mendable(list []datasets.Dataset, name string) error {
	at := slices.IndexFunc(list, func(dataset datasets.Dataset) bool { return dataset.Name == name })
	if format := list[at].Format; format != "csv" {
		return usage.Errorf("--rows mends CSV batches, those of %s are %s: correct the files and deliver them with `pipeline run --raw`", name, format)
	}
	return nil
}

func (a *app) replay(ctx context.Context, run watched, request quarantineRequest, list []datasets.Dataset, display *render.Display) error {
	store, err := storeOf(ctx, run.place)
	if err != nil {
		return err
	}
	selection := quarantine.Selection{Datasets: []string{request.dataset}, Date: request.date}
	before, err := store.Rows(ctx, selection)
	if err != nil {
		return err
	}
	if len(before) == 0 {
		return usage.Errorf("no row of %s for %s is in quarantine: there is nothing to replay", request.dataset, request.date)
	}
	if batches := quarantine.CountByBatch(before); len(batches) > 1 {
		return fmt.Errorf("the quarantine of %s for %s is of two runs, %s and %s: the newer did not publish to its end; run the date again first",
			request.dataset, request.date, batches[0].Execution, batches[1].Execution)
	}
	if request.rows != "" {
		if err := mend(ctx, store, before, request, display); err != nil {
			return err
		}
	}
	arn, err := run.workflow.Start(ctx, runName(request.date, time.Now()),
		execution.Input{IngestDate: request.date, Datasets: append([]string{request.dataset}, datasets.Referring(list, request.dataset)...)})
	if err != nil {
		return err
	}
	display.Say("Run " + execution.Name(arn))
	if err := a.follow(ctx, run, arn, display); err != nil {
		return err
	}
	after, err := store.Rows(ctx, selection)
	if err != nil {
		return err
	}
	tellReplay(a.err, request, before, after)
	return nil
}

// mend puts the rows of the file into the batch.
func mend(ctx context.Context, store quarantine.Store, rows []quarantine.Row, request quarantineRequest, display *render.Display) error {
	file, err := os.Open(request.rows)
	if err != nil {
		return usage.Errorf("--rows: %w", err)
	}
	defer file.Close()
	mendings, err := quarantine.ReadMended(file, request.rows, rows)
	if err != nil {
		return err
	}
	if len(mendings) == 0 {
		return usage.Errorf("no row of %s differs from what is in quarantine; to run the date again as it is, leave --rows out", request.rows)
	}
	task := display.Task("Mend")
	done, err := store.Mend(ctx, batch.Prefix(request.dataset, request.date), mendings)
	task.End(err)
	if err != nil {
		return err
	}
	words := fmt.Sprintf("%s: %d of %d rows mended, %d lines replaced in %d file(s) of the batch", request.dataset, len(mendings), len(rows), done.Replaced, len(done.Files))
	if done.Before > 0 {
		words += fmt.Sprintf("; %d were there already, from a call that was broken off", done.Before)
	}
	display.Say(words)
	return nil
}

// tellReplay says what became of the rows that were in quarantine.
func tellReplay(out io.Writer, request quarantineRequest, before, after []quarantine.Row) {
	there := func(rows []quarantine.Row) func(quarantine.Row) bool {
		ids := map[string]bool{}
		for _, row := range rows {
			ids[row.ID] = true
		}
		return func(row quarantine.Row) bool { return ids[row.ID] }
	}
	left := len(slices.DeleteFunc(slices.Clone(before), there(after)))
	came := len(slices.DeleteFunc(slices.Clone(after), there(before)))
	fmt.Fprintf(out, "\nQuarantine of %s for %s: %d rows before, %d now; %d left it", request.dataset, request.date, len(before), len(after), left)
	if came > 0 {
		fmt.Fprintf(out, ", %d came to it: mended rows that still break a rule, or others", came)
	}
	fmt.Fprintln(out, ".")
}

// quarantineHint says where rows that a run set aside can be looked at.
func (a *app) quarantineHint(result execution.Result) {
	for _, dataset := range result.Datasets {
		if dataset.Quarantined != nil && *dataset.Quarantined > 0 {
			fmt.Fprintf(a.out, "Look at rows in quarantine: pipeline quarantine show --ingest-date %s%s\n", result.IngestDate, a.suffix())
			return
		}
	}
}
