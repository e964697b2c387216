package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/spf13/cobra"

	"moviepipeline/internal/project"
	"moviepipeline/internal/target"
	"moviepipeline/internal/usage"
	"moviepipeline/internal/visual"
	"moviepipeline/internal/visual/pull"
)

func (a *app) visualPullCommand() *cobra.Command {
	var force bool
	command := &cobra.Command{
		Use:   "pull JOB",
		Short: "Take home what was edited on the canvas",
		Long: `Take home what was edited on the canvas of Glue Studio: write the DAG of a deployed job, the files that
it includes and its script into this checkout. Deploy-time names and included files are put back in the
fields that had them, so that ` + "`git diff`" + ` shows what was edited and nothing else.

Changes of these files that are not committed are not overwritten without --force. Where the canvas
has what no script can be generated from, the DAG is written, the script is not, and the exit code
is 1.`,
		Example: `  pipeline visual pull movies --aws --environment prod
  pipeline visual pull movies`,
		Args: func(command *cobra.Command, jobs []string) error {
			if len(jobs) != 1 {
				return usage.Errorf("pipeline visual pull takes the name of one job; see `pipeline visual pull --help`")
			}
			return nil
		},
		RunE: func(command *cobra.Command, jobs []string) error { return a.pull(command.Context(), jobs[0], force) },
	}
	command.Flags().BoolVar(&force, "force", false, "overwrite changes that are not committed")
	return command
}

func (a *app) pull(ctx context.Context, job string, force bool) error {
	checkout, err := project.Find(".")
	if err != nil {
		return err
	}
	if _, err := dagJobs(checkout, []string{job}); err != nil {
		return err
	}
	dag, err := visual.LoadJob(checkout.Root, job)
	if err != nil {
		return fmt.Errorf("the DAG in this checkout, into which the deployed one goes:\n%w", err)
	}
	place, err := a.open(ctx)
	if err != nil {
		return err
	}
	deployed, err := deployedDAG(ctx, place, job)
	if err != nil {
		return err
	}
	changes, err := pull.Merge(dag, deployed, func(name string) (string, error) {
		content, err := os.ReadFile(filepath.Join(checkout.Root, name))
		return string(content), err
	})
	if err != nil {
		return err
	}
	return a.takeHome(ctx, checkout, job, changes, force)
}

func deployedDAG(ctx context.Context, place target.Target, job string) (pull.Deployed, error) {
	name := place.Prefix() + "-" + job
	deployed, err := pull.Job(ctx, glue.NewFromConfig(place.Config), name)
	if errors.Is(err, pull.ErrNoJob) {
		return deployed, &target.NotDeployedError{Stack: place.Prefix() + "-jobs", Target: place}
	}
	if err != nil {
		return deployed, fmt.Errorf("job %s: %w", name, err)
	}
	return deployed, nil
}

// takeHome writes what differs, or nothing if that would overwrite work.
func (a *app) takeHome(ctx context.Context, checkout project.Project, job string, changes pull.Changes, force bool) error {
	files := differing(checkout.Root, changes.Files)
	if len(files) == 0 {
		fmt.Fprintf(a.out, "The deployed DAG of %s is the one in this checkout.\n", job)
		return nil
	}
	if !force {
		if err := refuseToOverwrite(ctx, checkout.Root, files); err != nil {
			return err
		}
	}
	for _, node := range changes.Nodes {
		fmt.Fprintln(a.out, node)
	}
	for _, file := range files {
		if err := os.WriteFile(filepath.Join(checkout.Root, file.Path), file.Content, 0o644); err != nil {
			return err
		}
		fmt.Fprintln(a.out, "wrote "+file.Path)
	}
	for _, literal := range changes.Literals {
		fmt.Fprintln(a.err, "note: "+literal)
	}
	if changes.Broken != nil {
		return fmt.Errorf("the DAG is taken home, but no script can be generated from it; mend it and run `pipeline visual generate %s`:\n%w", job, changes.Broken)
	}
	return nil
}

// differing are the files whose content is not what it would become.
func differing(root string, files []visual.File) []visual.File {
	var found []visual.File
	for _, file := range files {
		before, err := os.ReadFile(filepath.Join(root, file.Path))
		if err != nil || !bytes.Equal(before, file.Content) {
			found = append(found, file)
		}
	}
	return found
}

// refuseToOverwrite wants the files as they were committed: what is overwritten could not be brought back.
func refuseToOverwrite(ctx context.Context, root string, files []visual.File) error {
	arguments := []string{"status", "--porcelain", "--"}
	for _, file := range files {
		arguments = append(arguments, file.Path)
	}
	command := exec.CommandContext(ctx, "git", arguments...)
	command.Dir = root
	output, err := command.CombinedOutput()
	if err != nil {
		return usage.Errorf("git cannot say whether these files are committed (%s); give --force to overwrite them", strings.TrimSpace(string(output)))
	}
	if changed := strings.TrimRight(string(output), "\n"); changed != "" {
		return usage.Errorf("not committed, and would be overwritten; commit them or give --force:\n%s", changed)
	}
	return nil
}
