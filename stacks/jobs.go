package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsglue"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3deployment"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"moviepipeline/internal/datasets"
	"moviepipeline/internal/visual"
)

// JobsProps is what the jobs depend on.
type JobsProps struct {
	Environment Environment
	Sources     Sources
	Lake        Lake
}

// Jobs is the stack of what Glue runs on a batch: a job and two rulesets a dataset.
type Jobs struct {
	Stack awscdk.Stack
	// GateRole is assumed by the Data Quality runs on a whole batch.
	GateRole awsiam.Role
}

// job is what the Glue job of a dataset is made from.
type job struct {
	dataset datasets.Dataset
	role    awsiam.Role
}

// NewJobsStack adds the jobs and rulesets of an environment.
func NewJobsStack(scope constructs.Construct, id string, props *JobsProps) Jobs {
	environment, lake := props.Environment, props.Lake
	stack := newStack(scope, id, environment, "Movie pipeline: Glue jobs and Data Quality rulesets")
	var jobs []job
	var rulesets []constructs.IDependable
	for _, dataset := range props.Sources.Datasets {
		newLogGroup(stack, pascal(dataset.Name)+"Output", jobLogs(environment, dataset)+"/output", lake, environment)
		newLogGroup(stack, pascal(dataset.Name)+"Errors", jobLogs(environment, dataset)+"/error", lake, environment)
		jobs = append(jobs, job{dataset, newJobRole(stack, environment, lake, dataset, props.Sources)})
		rulesets = append(rulesets,
			newRuleset(stack, environment, props.Sources, dataset, "gate", "A batch as a whole; a failure stops the dataset"),
			newRuleset(stack, environment, props.Sources, dataset, "rows", "Single rows; a failure sends the row to quarantine"))
	}
	gateRole := newGateRole(stack, environment, lake, props.Sources)
	if environment.Job.Visual {
		addVisualJobs(stack, props, jobs, append(rulesets, gateRole)...)
	} else {
		addScriptJobs(stack, props, jobs)
	}
	return Jobs{Stack: stack, GateRole: gateRole}
}

// addScriptJobs adds jobs that are their scripts alone.
func addScriptJobs(stack awscdk.Stack, props *JobsProps, jobs []job) {
	for _, job := range jobs {
		newJob(stack, props, job, scriptFolder(props.Environment, job.dataset)+job.dataset.Name+".py")
	}
	newDeployment(stack, "Scripts", "glue-scripts/", props.Lake, props.Environment,
		awss3deployment.Source_Asset(jsii.String(props.Sources.ScriptsFolder), &awss3assets.AssetOptions{
			Exclude:    jsii.Strings("*", "!*.py"),
			IgnoreMode: awscdk.IgnoreMode_GLOB,
		}))
}

// scriptFolder is where the script of a dataset's job lies in the artifacts bucket. It is not the path of
// a CDK asset: Glue Studio writes the script that it generates to where the job's is.
func scriptFolder(environment Environment, dataset datasets.Dataset) string {
	if environment.Job.Visual {
		return visualFolder + dataset.Name + "/"
	}
	return "glue-scripts/"
}

func jobLogs(environment Environment, dataset datasets.Dataset) string {
	return "/" + environment.Prefix() + "/jobs/" + dataset.Name
}

func newJob(stack awscdk.Stack, props *JobsProps, of job, scriptKey string) awsglue.CfnJob {
	return awsglue.NewCfnJob(stack, jsii.String(pascal(of.dataset.Name)+"Job"), jobProps(props, of, scriptKey))
}

func jobProps(props *JobsProps, of job, scriptKey string) *awsglue.CfnJobProps {
	environment, lake, name := props.Environment, props.Lake, of.dataset.Name
	settings := environment.Job
	properties := &awsglue.CfnJobProps{
		Name:        jsii.String(environment.Resource(name)),
		Description: jsii.String("Types the rows of a batch of " + name + " and parts good from bad"),
		Role:        of.role.RoleArn(),
		GlueVersion: jsii.String(settings.GlueVersion),
		Command: awsglue.CfnJob_JobCommandProperty{
			Name:           jsii.String("glueetl"),
			PythonVersion:  jsii.String("3"),
			ScriptLocation: lake.Artifacts.S3UrlForObject(jsii.String(scriptKey)),
		},
		WorkerType:            jsii.String(settings.WorkerType),
		NumberOfWorkers:       jsii.Number(settings.Workers),
		Timeout:               jsii.Number(settings.TimeoutMinutes),
		MaxRetries:            jsii.Number(0), // the workflow retries: it empties staging before each attempt
		ExecutionProperty:     awsglue.CfnJob_ExecutionPropertyProperty{MaxConcurrentRuns: jsii.Number(1)},
		SecurityConfiguration: jsii.String(lake.Encryption),
		DefaultArguments:      jobArguments(environment, lake, of.dataset),
	}
	if props.Sources.loadsWarehouse(name) {
		properties.Connections = awsglue.CfnJob_ConnectionsListProperty{Connections: jsii.Strings(connectionName(environment))}
	}
	return properties
}

// jobArguments are the names a script reads, and Glue's own parameters: see
// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
func jobArguments(environment Environment, lake Lake, dataset datasets.Dataset) map[string]*string {
	artifacts := func(key string) *string { return lake.Artifacts.S3UrlForObject(jsii.String(key)) }
	arguments := map[string]*string{
		"--BatchDatabase":                jsii.String(lake.BatchDatabase),
		"--ProcessedDatabase":            jsii.String(lake.ProcessedDatabase),
		"--ProcessedBucket":              lake.Processed.BucketName(),
		"--ArtifactsBucket":              lake.Artifacts.BucketName(),
		"--TempDir":                      artifacts("temp/" + dataset.Name + "/"),
		"--custom-logGroup-prefix":       jsii.String(jobLogs(environment, dataset)),
		"--enable-auto-scaling":          jsii.String("true"),
		"--enable-metrics":               jsii.String("true"),
		"--enable-observability-metrics": jsii.String("true"),
		"--enable-spark-ui":              jsii.String("true"),
		"--spark-event-logs-path":        artifacts("spark-ui/" + dataset.Name + "/"),
		"--job-bookmark-option":          jsii.String("job-bookmark-disable"),
		"--job-language":                 jsii.String("python"),
	}
	if environment.Warehouse.GlueConnection {
		arguments["--"+visual.Connection] = jsii.String(connectionName(environment))
	}
	return arguments
}

// newRuleset has no target table: the batch table does not exist at deployment.
func newRuleset(stack awscdk.Stack, environment Environment, sources Sources, dataset datasets.Dataset, kind, description string) awsglue.CfnDataQualityRuleset {
	name := dataset.Name + "-" + kind
	return awsglue.NewCfnDataQualityRuleset(stack, jsii.String(pascal(dataset.Name)+pascal(kind)+"Rules"), &awsglue.CfnDataQualityRulesetProps{
		Name:        jsii.String(environment.Resource(name)),
		Description: jsii.String(description),
		Ruleset:     jsii.String(sources.Rulesets[name]),
	})
}

// newDeployment copies files into a folder of the artifacts bucket, and removes from it what is no
// longer among them.
func newDeployment(stack awscdk.Stack, id, folder string, lake Lake, environment Environment, files ...awss3deployment.ISource) {
	awss3deployment.NewBucketDeployment(stack, jsii.String(id), &awss3deployment.BucketDeploymentProps{
		Sources:              &files,
		DestinationBucket:    lake.Artifacts,
		DestinationKeyPrefix: jsii.String(folder),
		LogGroup:             newLogGroup(stack, id+"Logs", "/"+environment.Prefix()+"/deployments/"+*stack.Node().Id(), lake, environment),
	})
}
