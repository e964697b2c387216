package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"moviepipeline/internal/dq"
	"moviepipeline/internal/project"
	"moviepipeline/internal/render"
	"moviepipeline/internal/usage"
)

func (a *app) dqRecommendCommand() *cobra.Command {
	var request dq.RecommendRequest
	var file, output string
	command := &cobra.Command{
		Use:   "recommend --data FILE|DIR",
		Short: "Propose a ruleset from data",
		Long: `Profile a file, or all files in a folder (CSV, JSON lines or Parquet), and propose a DQDL ruleset:
each rule with a comment that says what in the data speaks for it. Deequ's suggestions are the base;
limits are wider than what was seen, since the next delivery will differ.

Each rule is evaluated on the data before it is written: the data pass all of them. Then faults are
put into the data, those that any data can have and, for a delivery of one of the project's datasets,
those that its samples are planted with; a table shows which the rules catch, and which they do not.

The ruleset goes to --out, or to the output and the table to the standard error.`,
		Example: `  pipeline dq recommend --data films.csv
  pipeline dq recommend --data films.csv --out films.dqdl
  pipeline dq recommend --data ratings/ --part rows > ratings_rows.dqdl
  pipeline dq recommend --data films.parquet --output json`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := oneOf("output", output, "dqdl", "json"); err != nil {
				return err
			}
			if err := oneOf("part", request.Part, dq.Parts...); err != nil {
				return err
			}
			return a.dqRecommend(command.Context(), request, file, output)
		},
	}
	flags := command.Flags()
	flags.StringVar(&request.Data, "data", "", "`file` or folder to learn from")
	flags.StringVar(&request.Part, "part", "all", "`part`: rules about the batch, about rows, or all")
	flags.BoolVar(&request.Text, "text", false, "leave all columns of CSV files text, as the pipeline's gates see them")
	flags.StringVar(&file, "out", "", "`file` for the ruleset; one that is there is not overwritten")
	flags.StringVar(&output, "output", "dqdl", "`form`: dqdl, or json with the faults beside it")
	return command
}

func (a *app) dqRecommend(ctx context.Context, request dq.RecommendRequest, file, output string) error {
	if a.onAWS {
		return usage.Errorf("pipeline dq recommend works on files of this machine; leave out --aws")
	}
	if request.Data == "" {
		return usage.Errorf("give the data; for instance: pipeline dq recommend --data films.csv")
	}
	if _, err := os.Stat(request.Data); err != nil {
		return usage.Errorf("--data %s: no such file or folder", request.Data)
	}
	if err := notThere(file); err != nil {
		return err
	}
	var err error
	if request.Data, err = filepath.Abs(request.Data); err != nil {
		return err
	}
	checkout, err := project.Find(".")
	if err != nil {
		return err
	}
	if err := checkout.CheckLocalCloud(ctx); err != nil {
		return err
	}
	display := render.NewDisplay(a.err)
	progress := &dqProgress{display: display}
	result, err := dq.Recommend(ctx, checkout, request, progress)
	progress.end(err)
	display.Close()
	if err != nil {
		return err
	}
	return a.recommendation(result, file, output)
}

func (a *app) recommendation(result *dq.Recommendation, file, output string) error {
	text := result.Ruleset
	if output == "json" {
		content, err := json.MarshalIndent(result, "", "  ")
		if err != nil {
			return err
		}
		text = string(content) + "\n"
	}
	if file == "" {
		fmt.Fprint(a.out, text)
		if output != "json" {
			render.Recommendation(a.err, result)
		}
		return nil
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		return fmt.Errorf("--out: %w", err)
	}
	render.Recommendation(a.out, result)
	fmt.Fprintf(a.out, "\nThe ruleset is in %s. Read it, then: pipeline dq --rules %s --data FILE\n", file, file)
	return nil
}

// notThere refuses a file that would be overwritten: people edit rulesets.
func notThere(file string) error {
	if file == "" {
		return nil
	}
	if _, err := os.Stat(file); err == nil {
		return usage.Errorf("--out %s: the file is there already; name another, or remove it first", file)
	}
	if info, err := os.Stat(filepath.Dir(file)); err != nil || !info.IsDir() {
		return usage.Errorf("--out %s: the folder %s does not exist", file, filepath.Dir(file))
	}
	return nil
}
