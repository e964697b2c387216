package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"moviepipeline/internal/dq"
	"moviepipeline/internal/project"
	"moviepipeline/internal/render"
	"moviepipeline/internal/usage"
)

// mostShown is how many failing rows are shown, unless somebody asks for another number.
const mostShown = 1000

func (a *app) dqCommand() *cobra.Command {
	var request dq.Request
	var output, composite string
	command := &cobra.Command{
		Use:   "dq --rules FILE.dqdl --data FILE|DIR",
		Short: "Evaluate data quality rules on any file",
		Long: `Evaluate a DQDL ruleset on a file, or on all files in a folder: CSV, JSON lines or Parquet,
the first two also compressed (.gz). Neither a pipeline nor the local cloud is needed.

Rules are judged as Glue Data Quality judges them; docs/data-quality.md says where Glue's
documentation decides and what cannot be evaluated on this machine. Column names are found without
regard to case. CSV columns get the types that a Glue crawler gives them: bigint, double or string;
a text that is no such number is NULL, a blank in a text column is an empty text. With --text all
columns stay text and a line break ends a row, as in the tables that the pipeline's gates see. JSON
lines are typed by all rows.

Rules that look back, such as RowCount > avg(last(3)) * 0.9 and DetectAnomalies, need --history.

The table shows the rows that break a rule, with the values that break it, then each rule with its
outcome, its metrics and the reason. --rows writes each failing row with all its columns and what Glue
adds: DataQualityRulesPass, DataQualityRulesFail, DataQualityRulesSkip and
DataQualityEvaluationResult.

Exit codes: 0 all rules passed, 1 some failed, 2 the rules or the data are unusable.`,
		Example: `  pipeline dq --rules films.dqdl --data films.csv
  pipeline dq --rules films.dqdl --data films/ --rows failing.jsonl
  pipeline dq --rules ratings.dqdl --data ratings.parquet --source movies=films.csv
  pipeline dq --rules dqdl-rules/movies_gate.dqdl --data sample-data/movies.csv.gz --text
  pipeline dq --rules films.dqdl --data films.csv --output json | jq '.rules[] | select(.outcome == "Failed")'`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			request.ByRow = composite == "row"
			if err := oneOf("output", output, "table", "json"); err != nil {
				return err
			}
			if err := oneOf("composite", composite, "column", "row"); err != nil {
				return err
			}
			if request.Limit < 0 {
				return usage.Errorf("--limit %d: want a number of rows, or 0 for all", request.Limit)
			}
			return a.dq(command.Context(), request, output)
		},
	}
	command.AddCommand(a.dqCheckCommand(), a.dqHistoryCommand(), a.dqRecommendCommand())
	flags := command.Flags()
	flags.StringVar(&request.Rules, "rules", "", "`file` with the ruleset (DQDL)")
	flags.StringVar(&request.Data, "data", "", "`file` or folder to evaluate")
	flags.StringArrayVar(&request.Sources, "source", nil, "further dataset that rules refer to, as `ALIAS=FILE`; may be given more than once")
	flags.IntVar(&request.Limit, "limit", mostShown, "most failing `rows` that the table shows; 0 for all")
	flags.StringVar(&request.Rows, "rows", "", "`file` that failing rows are written to, as JSON lines")
	flags.StringVar(&request.History, "history", "", "`file` with the metrics of earlier evaluations, for rules that look back; this one's are added")
	flags.StringVar(&output, "output", "table", "`form` of the result: table or json")
	flags.BoolVar(&request.Text, "text", false, "leave all columns of CSV files text")
	flags.StringVar(&composite, "composite", "column", "`method` of composite rules: column (by outcome) or row")
	flags.BoolVar(&request.Large, "large", false, "for millions of rows: more memory and a slower start")
	return command
}

func (a *app) dq(ctx context.Context, request dq.Request, output string) error {
	if a.onAWS {
		return usage.Errorf("pipeline dq works on files of this machine; leave out --aws")
	}
	checkout, err := project.Find(".")
	if err != nil {
		return err
	}
	if err := complete(&request); err != nil {
		return err
	}
	if err := checkout.CheckLocalCloud(ctx); err != nil {
		return err
	}
	if output == "json" {
		request.Limit = -1
	}
	display := render.NewDisplay(a.err)
	progress := &dqProgress{display: display}
	result, err := dq.Evaluate(ctx, checkout, request, progress)
	progress.end(err)
	display.Close()
	if err != nil {
		return err
	}
	if output == "json" {
		err = render.QualityJSON(a.out, result)
	} else {
		err = render.QualityTable(a.out, result, request.Rows)
	}
	if err == nil && result.Failed > 0 {
		return told{exitFailed}
	}
	return err
}

// complete checks what the flags name, and makes paths absolute: the evaluation runs in the checkout.
func complete(request *dq.Request) error {
	if request.Rules == "" || request.Data == "" {
		return usage.Errorf("give the rules and the data; for instance: pipeline dq --rules films.dqdl --data films.csv")
	}
	if info, err := os.Stat(request.Rules); err == nil && info.IsDir() {
		return usage.Errorf("--rules %s: this is a folder; name a file", request.Rules)
	}
	if err := errors.Join(absolute("rules", &request.Rules), absolute("data", &request.Data)); err != nil {
		return err
	}
	if err := errors.Join(completeSources(request), writable("rows", &request.Rows), writable("history", &request.History)); err != nil {
		return err
	}
	return apart(request)
}

// apart refuses to write failing rows over a file that is read.
func apart(request *dq.Request) error {
	written, err := os.Stat(request.Rows)
	if err != nil {
		return nil // not there yet, or not asked for
	}
	given := []string{request.Rules, request.Data, request.History}
	for _, source := range request.Sources {
		_, path, _ := strings.Cut(source, "=")
		given = append(given, path)
	}
	for _, path := range given {
		if read, err := os.Stat(path); err == nil && os.SameFile(read, written) {
			return usage.Errorf("--rows %s: this file is read by the same command; name another", request.Rows)
		}
	}
	return nil
}

// writable checks the folder of a file that is written, if any is.
func writable(flag string, path *string) error {
	if *path == "" {
		return nil
	}
	if info, err := os.Stat(filepath.Dir(*path)); err != nil || !info.IsDir() {
		return usage.Errorf("--%s %s: the folder %s does not exist", flag, *path, filepath.Dir(*path))
	}
	found, err := filepath.Abs(*path)
	*path = found
	return err
}

func completeSources(request *dq.Request) error {
	seen := map[string]bool{}
	for i, source := range request.Sources {
		alias, path, found := strings.Cut(source, "=")
		if !found || alias == "" || path == "" {
			return usage.Errorf("--source %q: want ALIAS=FILE", source)
		}
		if seen[alias] || alias == "primary" {
			return usage.Errorf("--source %s: the alias %q is taken", source, alias)
		}
		seen[alias] = true
		if err := absolute("source", &path); err != nil {
			return err
		}
		request.Sources[i] = alias + "=" + path
	}
	return nil
}

func absolute(flag string, path *string) error {
	if _, err := os.Stat(*path); err != nil {
		return usage.Errorf("--%s %s: no such file or folder", flag, *path)
	}
	found, err := filepath.Abs(*path)
	*path = found
	return err
}

// dqProgress shows steps, each ended by the next one.
type dqProgress struct {
	display *render.Display
	task    *render.Task
}

// Step begins a step.
func (p *dqProgress) Step(name, detail string) {
	p.end(nil)
	p.task = p.display.Task(name)
	p.task.Detail(detail)
}

// Note tells what a person should know.
func (p *dqProgress) Note(text string) { p.display.Say(text) }

func (p *dqProgress) end(err error) {
	if p.task != nil {
		p.task.End(err)
	}
	p.task = nil
}
