// The CDK app: five stacks of the environment named by `-c environment=NAME`.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"moviepipeline/internal/dqdl"
	"moviepipeline/internal/project"
	"moviepipeline/stacks"
)

func main() {
	err := synthesize()
	if err != nil {
		fmt.Fprintln(os.Stderr, err) // before Close, which may add words of its own without a line end
	}
	jsii.Close()
	if err != nil {
		os.Exit(1)
	}
}

func synthesize() error {
	checkout, err := project.Find(".")
	if err != nil {
		return err
	}
	// Here, and not in a target of the Makefile: a plain `cdk deploy` comes by as well.
	if err := dqdl.Check(context.Background(), checkout); err != nil {
		return err
	}
	app := awscdk.NewApp(nil)
	environment, err := stacks.EnvironmentOf(app)
	if err != nil {
		return err
	}
	if _, err := stacks.NewPipeline(app, environment); err != nil {
		return err
	}
	app.Synth(nil)
	return nil
}
