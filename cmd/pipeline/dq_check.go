package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"moviepipeline/internal/project"
	"moviepipeline/internal/usage"
)

// checkRequest is what to review, and how.
type checkRequest struct {
	rules  []string
	alone  bool
	output string
}

func (a *app) dqCheckCommand() *cobra.Command {
	var request checkRequest
	command := &cobra.Command{
		Use:   "check [RULES...]",
		Short: "Review rule files",
		Long: `Review rule files, all of dqdl-rules/ if none is named. Each finding has its file and line, the rule,
what is wrong and what to do about it.

Rules are parsed by AWS's own grammar and looked at alone: conditions that nothing or everything
meets, rules that contradict each other, rule types that say nothing of a row. The rules of a dataset,
which files are named <dataset>_gate.dqdl and <dataset>_rows.dqdl, are then tried on its sample: what
columns it has, those that the job makes included, whether the sound sample passes, and whether each
rule is broken by one of the faults that are planted for it. --no-sample leaves this out; it takes a
minute or two.

A comment right above a rule accepts a finding, with the reason:
  # review accepts no-fault: an empty batch never reaches the job

Exit codes: 0 no findings, 1 findings, 2 wrong usage.`,
		Example: `  pipeline dq check
  pipeline dq check dqdl-rules/movies_rows.dqdl
  pipeline dq check --no-sample drafts/*.dqdl
  pipeline dq check --output json | jq '.findings[].kind'`,
		RunE: func(command *cobra.Command, arguments []string) error {
			request.rules = arguments
			if err := oneOf("output", request.output, "text", "json"); err != nil {
				return err
			}
			return a.dqCheck(command.Context(), request)
		},
	}
	command.Flags().BoolVar(&request.alone, "no-sample", false, "look at the rules alone, not at what they do")
	command.Flags().StringVar(&request.output, "output", "text", "`form` of the findings: text or json")
	return command
}

func (a *app) dqCheck(ctx context.Context, request checkRequest) error {
	if a.onAWS {
		return usage.Errorf("pipeline dq check works on files of this machine; leave out --aws")
	}
	checkout, err := project.Find(".")
	if err != nil {
		return err
	}
	if err := checkout.CheckLocalCloud(ctx); err != nil {
		return err
	}
	arguments := []string{"-m", "local.dq.review", "--output", request.output}
	if request.alone {
		arguments = append(arguments, "--no-sample")
	}
	for _, file := range request.rules {
		if info, err := os.Stat(file); err != nil || info.IsDir() {
			return usage.Errorf("%s: no such file; name rule files (*.dqdl)", file)
		}
		path, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		arguments = append(arguments, path)
	}
	return a.review(ctx, checkout, arguments)
}

// review runs the review, whose words are meant for people as they are.
func (a *app) review(ctx context.Context, checkout project.Project, arguments []string) error {
	command := exec.CommandContext(ctx, checkout.Python(), arguments...)
	command.Dir, command.Stdout, command.Stderr = checkout.Root, a.out, a.err
	// An interrupt lets it stop its local cloud.
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	err := command.Run()
	var exit *exec.ExitError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit) && exit.ExitCode() == exitFailed:
		return told{exitFailed}
	case errors.As(err, &exit) && exit.ExitCode() == exitUsage:
		return told{exitUsage}
	case err != nil:
		return fmt.Errorf("the review ended early: %w", err)
	default:
		return nil
	}
}
