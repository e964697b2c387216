package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"moviepipeline/internal/target"
	"moviepipeline/internal/usage"
)

// app is what all commands share.
type app struct {
	out, err io.Writer
	onAWS    bool
	options  target.Options
	// stateDir is the local cloud's, once a command has found it running.
	stateDir string
}

// execute runs the command line and gives its exit code.
func execute(ctx context.Context, arguments []string, out, err io.Writer) int {
	a := &app{out: out, err: err}
	root := a.root()
	root.SetArgs(arguments)
	failure := a.explain(root.ExecuteContext(ctx))
	code := exitCode(ctx, failure)
	var known told
	switch {
	case failure == nil || errors.As(failure, &known):
	case code == exitInterrupted:
		fmt.Fprintln(err, "interrupted")
	default:
		fmt.Fprintf(err, "pipeline: %v\n", failure)
	}
	return code
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "pipeline",
		Short: "Run the movie data pipeline, on this machine or on AWS, and look at what it did",
		Long: `Run the movie data pipeline and look at what it did.

Commands work on the local cloud of this checkout: a stand-in for AWS, on this machine, that runs
what ` + "`cdk synth`" + ` gives. With --aws they work on the stacks deployed to the account and region of
the current AWS profile. The code is the same.

Exit codes: 0 success, 1 the run or the query failed, 2 wrong usage.`,
		Example: `  pipeline run                                  the whole pipeline on the sample, on this machine
  pipeline run --raw data --ingest-date 2026-01-31
  pipeline query "select count(*) from analytics.movies"
  pipeline status --aws --profile prod --environment prod`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			return command.Help()
		},
	}
	root.SetOut(a.out)
	root.SetErr(a.err)
	root.CompletionOptions.HiddenDefaultCmd = true
	flags := root.PersistentFlags()
	flags.BoolVar(&a.onAWS, "aws", false, "work on AWS instead of the local cloud")
	flags.StringVar(&a.options.Environment, "environment", "dev", "`name` of the environment: dev, prod or another of cdk.json")
	flags.StringVar(&a.options.Region, "region", "", "AWS `region` (default: the profile's, or AWS_REGION); with --aws")
	flags.StringVar(&a.options.Profile, "profile", "", "AWS `profile` (default: AWS_PROFILE); with --aws")
	root.SetFlagErrorFunc(func(command *cobra.Command, err error) error {
		return usage.Errorf("%w; see `%s --help`", err, command.CommandPath())
	})
	root.PersistentPreRunE = func(*cobra.Command, []string) error { return a.checkGlobals() }
	root.AddCommand(a.runCommand(), a.statusCommand(), a.logsCommand(), a.queryCommand(), a.insightsCommand(), a.quarantineCommand(), a.dqCommand(),
		a.visualCommand(), a.upCommand(), a.downCommand(), a.resetCommand())
	return root
}

func (a *app) checkGlobals() error {
	if !a.onAWS && (a.options.Region != "" || a.options.Profile != "") {
		return usage.Errorf("--region and --profile are for --aws")
	}
	return target.CheckEnvironment(a.options.Environment)
}

// noArguments refuses any; for the root these are unknown commands.
func noArguments(command *cobra.Command, arguments []string) error {
	if len(arguments) == 0 {
		return nil
	}
	if command.HasSubCommands() {
		return usage.Errorf("unknown command %q; see `%s --help`", arguments[0], command.CommandPath())
	}
	return usage.Errorf("%s takes no argument %q; see `%s --help`", command.CommandPath(), arguments[0], command.CommandPath())
}

// atMost refuses more arguments than n.
func atMost(n int) cobra.PositionalArgs {
	return func(command *cobra.Command, arguments []string) error {
		if len(arguments) <= n {
			return nil
		}
		return usage.Errorf("%s takes at most %d argument, not %q; see `%s --help`",
			command.CommandPath(), n, strings.Join(arguments, " "), command.CommandPath())
	}
}

// oneOf refuses a value of a flag that is none of the known.
func oneOf(flag, value string, known ...string) error {
	for _, name := range known {
		if value == name {
			return nil
		}
	}
	return usage.Errorf("--%s %q: want %s", flag, value, strings.Join(known, ", "))
}
