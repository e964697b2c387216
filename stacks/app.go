// Package stacks is the infrastructure of the movie pipeline: one file and one CloudFormation stack
// a layer.
package stacks

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Pipeline is the five stacks of one environment.
type Pipeline struct {
	Lake       Lake
	Warehouse  Warehouse
	Jobs       Jobs
	Workflow   Workflow
	Monitoring Monitoring
}

// NewPipeline adds the stacks of the environment to scope, an App or a Stage. It fails, before
// anything is added, when a file of the project is missing or contradicts the settings.
func NewPipeline(scope constructs.Construct, environment Environment) (Pipeline, error) {
	sources, err := readSources()
	if err != nil {
		return Pipeline{}, err
	}
	if err := sources.fit(environment); err != nil {
		return Pipeline{}, err
	}
	lake := NewLakeStack(scope, environment.Resource("lake"), &LakeProps{
		Environment: environment,
	})
	warehouse := NewWarehouseStack(scope, environment.Resource("warehouse"), &WarehouseProps{
		Environment: environment,
		Lake:        lake,
	})
	jobs := NewJobsStack(scope, environment.Resource("jobs"), &JobsProps{
		Environment: environment,
		Sources:     sources,
		Lake:        lake,
	})
	if environment.Warehouse.GlueConnection {
		jobs.Stack.AddStackDependency(warehouse.Stack, jsii.String("jobs may use the connection"))
	}
	workflow := NewWorkflowStack(scope, environment.Resource("workflow"), &WorkflowProps{
		Environment: environment,
		Sources:     sources,
		Lake:        lake,
		Warehouse:   warehouse,
		Jobs:        jobs,
	})
	monitoring := NewMonitoringStack(scope, environment.Resource("monitoring"), &MonitoringProps{
		Environment: environment,
		Sources:     sources,
		Lake:        lake,
		Workflow:    workflow,
	})
	return Pipeline{lake, warehouse, jobs, workflow, monitoring}, nil
}

// newStack names the stack like its construct, also inside a Stage, which would prefix it.
func newStack(scope constructs.Construct, id string, environment Environment, description string) awscdk.Stack {
	stack := awscdk.NewStack(scope, jsii.String(id), &awscdk.StackProps{
		StackName:             jsii.String(id),
		Description:           jsii.String(description),
		TerminationProtection: jsii.Bool(environment.Retain),
		Tags:                  &map[string]*string{"environment": jsii.String(environment.Name), "project": jsii.String("movie-pipeline")},
	})
	return stack
}

// removal is what happens to a resource that holds data or logs when its stack is deleted.
func (e Environment) removal() awscdk.RemovalPolicy {
	if e.Retain {
		return awscdk.RemovalPolicy_RETAIN
	}
	return awscdk.RemovalPolicy_DESTROY
}

// output shows what a person needs next, under a name of its own.
func output(stack awscdk.Stack, name string, value *string, description string) {
	awscdk.NewCfnOutput(stack, jsii.String(name), &awscdk.CfnOutputProps{
		Value:       value,
		Description: jsii.String(description),
	})
}

// pascal turns a name of lower case words into one for a logical id: movie_genres to MovieGenres.
func pascal(name string) string {
	words := strings.Split(name, "_")
	for i, word := range words {
		words[i] = strings.ToUpper(word[:1]) + word[1:]
	}
	return strings.Join(words, "")
}
