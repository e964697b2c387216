package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"moviepipeline/internal/datasets"
	"moviepipeline/internal/project"
	"moviepipeline/internal/usage"
	"moviepipeline/internal/visual"
	"moviepipeline/internal/visual/validate"
)

func (a *app) visualCommand() *cobra.Command {
	command := &cobra.Command{
		Use:   "visual",
		Short: "Work on the visual ETL jobs: generate their scripts, draw them, take edits home",
		Long: `Work on the visual ETL jobs.

A job is glue-scripts/<job>.dag.json, a DAG in the visual model of AWS Glue. The script beside it is
generated from it; docs/visual-jobs.md says how to edit a DAG.`,
		Example: `  pipeline visual generate          after a DAG, its SQL or its rules were edited
  pipeline visual draw movies`,
		Args: noArguments,
		RunE: func(command *cobra.Command, _ []string) error { return command.Help() },
	}
	command.AddCommand(a.visualGenerateCommand(), a.visualDrawCommand(), a.visualPullCommand())
	return command
}

// visualFlags are those of `visual generate`.
type visualFlags struct {
	check     bool
	file, out string
}

func (a *app) visualGenerateCommand() *cobra.Command {
	var flags visualFlags
	command := &cobra.Command{
		Use:   "generate [JOB...]",
		Short: "Check DAGs and write the scripts that belong to them",
		Long: `Check the DAGs of jobs, all of them if none is named, and write their scripts. A DAG's file is put
into the one layout that all have, and its picture in README.md is drawn again.

With --check nothing is written: the command fails, with exit code 1, if one of these is not as it
would be written. With --file one DAG is taken from anywhere, and its script goes to --out or to the
output; what it includes is relative to this checkout.`,
		Example: `  pipeline visual generate
  pipeline visual generate movies
  pipeline visual generate --check
  pipeline visual generate --file draft.dag.json --out draft.py`,
		RunE: func(_ *cobra.Command, jobs []string) error { return a.generate(jobs, flags) },
	}
	command.Flags().BoolVar(&flags.check, "check", false, "write nothing; fail if something is stale")
	command.Flags().StringVar(&flags.file, "file", "", "the `DAG` to take instead of a job's")
	command.Flags().StringVar(&flags.out, "out", "", "the `script` to write; with --file")
	return command
}

func (a *app) visualDrawCommand() *cobra.Command {
	var file string
	command := &cobra.Command{
		Use:   "draw JOB",
		Short: "Draw a job's DAG as a Mermaid flowchart",
		Example: `  pipeline visual draw movies
  pipeline visual draw --file draft.dag.json`,
		Args: atMost(1),
		RunE: func(_ *cobra.Command, jobs []string) error { return a.draw(jobs, file) },
	}
	command.Flags().StringVar(&file, "file", "", "the `DAG` to take instead of a job's")
	return command
}

func (a *app) generate(jobs []string, flags visualFlags) error {
	if flags.out != "" && flags.file == "" {
		return usage.Errorf("--out is for --file: the scripts of jobs stand beside their DAGs")
	}
	if flags.file != "" {
		return a.generateFile(jobs, flags)
	}
	checkout, err := project.Find(".")
	if err != nil {
		return err
	}
	if jobs, err = dagJobs(checkout, jobs); err != nil {
		return err
	}
	var failures []error
	for _, job := range jobs {
		if err := a.generateJob(checkout, job, flags.check); err != nil {
			failures = append(failures, err)
		}
	}
	return errors.Join(failures...)
}

// dagJobs are the jobs named, all of the project's if none is.
func dagJobs(checkout project.Project, jobs []string) ([]string, error) {
	list, err := datasets.Load(checkout.DatasetsFile())
	if err != nil {
		return nil, usage.Wrap(err)
	}
	var known []string
	for _, dataset := range list {
		known = append(known, dataset.Name)
	}
	if len(jobs) == 0 {
		return known, nil
	}
	for _, job := range jobs {
		if err := oneOfJobs(job, known); err != nil {
			return nil, err
		}
	}
	return jobs, nil
}

func oneOfJobs(job string, known []string) error {
	for _, name := range known {
		if name == job {
			return nil
		}
	}
	return usage.Errorf("there is no job %q; the jobs are %s", job, strings.Join(known, ", "))
}

func (a *app) generateJob(checkout project.Project, job string, check bool) error {
	dag, err := visual.LoadJob(checkout.Root, job)
	if err != nil {
		return err
	}
	if err := validate.DAG(dag); err != nil {
		return err
	}
	if check {
		return errors.Join(dag.Fresh(checkout.Root), dag.FreshPicture(checkout.Root))
	}
	files, err := dag.Files()
	if err != nil {
		return err
	}
	picture, shown, err := dag.Picture(checkout.Root)
	if err != nil {
		return err
	}
	if shown {
		files = append(files, picture)
	}
	for _, file := range files {
		changed, err := writeChanged(filepath.Join(checkout.Root, file.Path), file.Content)
		if err != nil {
			return err
		}
		if changed {
			fmt.Fprintln(a.out, "wrote "+file.Path)
		}
	}
	return nil
}

// writeChanged writes a file unless it has the content already.
func writeChanged(path string, content []byte) (bool, error) {
	if before, err := os.ReadFile(path); err == nil && bytes.Equal(before, content) {
		return false, nil
	}
	return true, os.WriteFile(path, content, 0o644)
}

func (a *app) generateFile(jobs []string, flags visualFlags) error {
	if len(jobs) > 0 {
		return usage.Errorf("--file takes the place of a job; leave out %q or the flag", strings.Join(jobs, " "))
	}
	dag, err := a.loadFile(flags.file)
	if err != nil {
		return err
	}
	script, err := visual.Script(dag)
	if err != nil {
		return err
	}
	switch {
	case flags.check && flags.out == "":
		return nil
	case flags.check:
		before, err := os.ReadFile(flags.out)
		if err != nil || !bytes.Equal(before, script) {
			return fmt.Errorf("%s is stale: run `pipeline visual generate --file %s --out %s`", flags.out, flags.file, flags.out)
		}
		return nil
	case flags.out == "":
		_, err = a.out.Write(script)
		return err
	default:
		return os.WriteFile(flags.out, script, 0o644)
	}
}

// loadFile reads a DAG from anywhere. What it includes is relative to the checkout.
func (a *app) loadFile(file string) (*visual.DAG, error) {
	checkout, err := project.Find(".")
	if err != nil {
		return nil, err
	}
	path, err := filepath.Abs(file)
	if err != nil {
		return nil, err
	}
	dag, err := visual.Load(checkout.Root, path)
	if err != nil {
		return nil, err
	}
	return dag, validate.DAG(dag)
}

func (a *app) draw(jobs []string, file string) error {
	if (len(jobs) == 0) == (file == "") {
		return usage.Errorf("want the name of a job, or --file; see `pipeline visual draw --help`")
	}
	dag, err := a.drawn(jobs, file)
	if err != nil {
		return err
	}
	fmt.Fprint(a.out, visual.Draw(dag))
	return nil
}

func (a *app) drawn(jobs []string, file string) (*visual.DAG, error) {
	if file != "" {
		return a.loadFile(file)
	}
	checkout, err := project.Find(".")
	if err != nil {
		return nil, err
	}
	if _, err := dagJobs(checkout, jobs); err != nil {
		return nil, err
	}
	return visual.LoadJob(checkout.Root, jobs[0])
}
