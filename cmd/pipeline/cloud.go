package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"moviepipeline/internal/deploy"
	"moviepipeline/internal/localcloud"
	"moviepipeline/internal/project"
	"moviepipeline/internal/render"
	"moviepipeline/internal/target"
	"moviepipeline/internal/usage"
)

// Time between two looks at something that runs: AWS limits how often it may be asked.
const (
	localInterval = 200 * time.Millisecond
	awsInterval   = 2 * time.Second
)

func interval(of target.Target) time.Duration {
	if of.Config.BaseEndpoint != nil {
		return localInterval
	}
	return awsInterval
}

func (a *app) upCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "up",
		Short: "Start the local cloud and deploy to it what has changed",
		Long: `Start the local cloud of this checkout, if none runs, and deploy the stacks to it with the
pinned CDK command line, if anything that they are made from has changed. The local cloud goes on
running, on an address of this machine alone, until ` + "`pipeline down`" + `.`,
		Example: "  pipeline up\n  pipeline up --environment prod",
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := a.localOnly("up"); err != nil {
				return err
			}
			checkout, err := project.Find(".")
			if err != nil {
				return err
			}
			display := render.NewDisplay(a.err)
			place, err := a.prepare(command.Context(), checkout, display)
			display.Close()
			if err == nil {
				fmt.Fprintf(a.out, "The local cloud is at %s. Its state is in %s.\n", *place.Config.BaseEndpoint, checkout.StateDir())
			}
			return err
		},
	}
}

func (a *app) downCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "down",
		Short:   "Stop the local cloud; its state is kept",
		Example: "  pipeline down",
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			checkout, release, err := a.lockedCheckout(command.Context(), "down")
			if err != nil {
				return err
			}
			defer release()
			stopped, err := localcloud.Stop(command.Context(), checkout.StateDir())
			if err != nil {
				return err
			}
			if stopped {
				fmt.Fprintln(a.out, "The local cloud has stopped. Its state is kept for `pipeline up`.")
			} else {
				fmt.Fprintln(a.out, "No local cloud runs.")
			}
			return nil
		},
	}
}

func (a *app) resetCommand() *cobra.Command {
	var yes bool
	command := &cobra.Command{
		Use:   "reset",
		Short: "Stop the local cloud and delete its state",
		Long: `Stop the local cloud and delete all of its state: uploaded files, tables, the warehouse, runs
and stacks. The next run begins with nothing.`,
		Example: "  pipeline reset\n  pipeline reset --yes",
		Args:    noArguments,
		RunE: func(command *cobra.Command, _ []string) error {
			checkout, release, err := a.lockedCheckout(command.Context(), "reset")
			if err != nil {
				return err
			}
			defer release()
			if !yes && !a.confirm("Delete all state of the local cloud in "+checkout.StateDir()+"?") {
				return usage.Errorf("nothing was deleted; confirm with `yes` or give --yes")
			}
			if _, err := localcloud.Stop(command.Context(), checkout.StateDir()); err != nil {
				return err
			}
			if err := localcloud.Reset(checkout.StateDir()); err != nil {
				return err
			}
			fmt.Fprintln(a.out, "The state of the local cloud is deleted.")
			return nil
		},
	}
	command.Flags().BoolVar(&yes, "yes", false, "do not ask")
	return command
}

func (a *app) localOnly(command string) error {
	if a.onAWS {
		return usage.Errorf("pipeline %s is for the local cloud; on AWS use `npx cdk deploy --all` and `npx cdk destroy --all`", command)
	}
	return nil
}

func (a *app) lockedCheckout(ctx context.Context, command string) (project.Project, func(), error) {
	if err := a.localOnly(command); err != nil {
		return project.Project{}, nil, err
	}
	checkout, err := project.Find(".")
	if err != nil {
		return project.Project{}, nil, err
	}
	release, err := checkout.Lock(ctx, func() {
		fmt.Fprintln(a.err, "Another command is at work on the local cloud of this checkout; waiting for it.")
	})
	return checkout, release, err
}

// confirm asks on the terminal; what is no terminal cannot answer.
func (a *app) confirm(question string) bool {
	if !render.IsTerminal(os.Stdin) {
		return false
	}
	fmt.Fprintf(a.err, "%s Type yes: ", question)
	answer, err := bufio.NewReader(os.Stdin).ReadString('\n')
	return err == nil && strings.TrimSpace(answer) == "yes"
}

// prepare starts the local cloud and deploys to it, one command of the checkout at a time.
func (a *app) prepare(ctx context.Context, checkout project.Project, display *render.Display) (target.Target, error) {
	release, err := checkout.Lock(ctx, func() {
		display.Say("Another command is at work on the local cloud of this checkout; waiting for it.")
	})
	if err != nil {
		return target.Target{}, err
	}
	defer release()
	place, err := a.startLocalCloud(ctx, checkout, display)
	if err != nil {
		return target.Target{}, err
	}
	deployment := deploy.Deployment{Checkout: checkout, URL: *place.Config.BaseEndpoint, Target: place}
	needed, hash, err := deployment.Needed(ctx)
	if err != nil || !needed {
		return place, err
	}
	task := display.Task("Deploy")
	err = deployment.Run(ctx, hash, task.Detail)
	task.End(err)
	return place, err
}

// startLocalCloud starts the local cloud unless it runs; the caller holds the checkout's lock.
func (a *app) startLocalCloud(ctx context.Context, checkout project.Project, display *render.Display) (target.Target, error) {
	endpoint, running := localcloud.Running(ctx, checkout.StateDir())
	if !running {
		task := display.Task("Start")
		var err error
		endpoint, err = localcloud.Start(ctx, checkout)
		task.End(err)
		if err != nil {
			return target.Target{}, err
		}
	}
	a.stateDir = checkout.StateDir()
	return target.Local(endpoint.URL, a.options.Environment), nil
}

// open gives the place where a command looks at what runs did. A stopped local cloud is started.
func (a *app) open(ctx context.Context) (target.Target, error) {
	if a.onAWS {
		return target.AWS(ctx, a.options)
	}
	checkout, err := project.Find(".")
	if err != nil {
		return target.Target{}, err
	}
	if endpoint, running := localcloud.Running(ctx, checkout.StateDir()); running {
		a.stateDir = checkout.StateDir()
		return target.Local(endpoint.URL, a.options.Environment), nil
	}
	if !localcloud.HasState(checkout.StateDir()) {
		return target.Target{}, usage.Errorf("the local cloud of this checkout has nothing yet; run `pipeline run` first, or give --aws")
	}
	display := render.NewDisplay(a.err)
	defer display.Close()
	release, err := checkout.Lock(ctx, func() { display.Say("Another command starts the local cloud; waiting for it.") })
	if err != nil {
		return target.Target{}, err
	}
	defer release()
	return a.startLocalCloud(ctx, checkout, display)
}

// explain puts the end of the local cloud under way into words.
func (a *app) explain(err error) error {
	var known told
	if err == nil || a.stateDir == "" || usage.Is(err) || errors.As(err, &known) {
		return err
	}
	if _, running := localcloud.Running(context.Background(), a.stateDir); running {
		return err
	}
	return fmt.Errorf("the local cloud no longer answers: it was stopped or has died (its log is %s); `pipeline up` starts it again",
		localcloud.LogFile(a.stateDir))
}
