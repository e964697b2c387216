package stacks

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsglue"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3deployment"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"

	"moviepipeline/internal/datasets"
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

// NewJobsStack adds the jobs and rulesets of an environment.
func NewJobsStack(scope constructs.Construct, id string, props *JobsProps) Jobs {
	environment, lake := props.Environment, props.Lake
	stack := newStack(scope, id, environment, "Movie pipeline: Glue jobs and Data Quality rulesets")
	for _, dataset := range props.Sources.Datasets {
		newLogGroup(stack, pascal(dataset.Name)+"Output", jobLogs(environment, dataset)+"/output", lake, environment)
		newLogGroup(stack, pascal(dataset.Name)+"Errors", jobLogs(environment, dataset)+"/error", lake, environment)
		role := newJobRole(stack, environment, lake, dataset, props.Sources.refersTo(dataset))
		newJob(stack, environment, lake, dataset, role)
		newRuleset(stack, environment, props.Sources, dataset, "gate", "A batch as a whole; a failure stops the dataset")
		newRuleset(stack, environment, props.Sources, dataset, "rows", "Single rows; a failure sends the row to quarantine")
	}
	// Not the path of a CDK asset: Glue Studio writes the script it generates to where the job's is.
	newDeployment(stack, "Scripts", "glue-scripts/", lake, environment,
		awss3deployment.Source_Asset(jsii.String(props.Sources.ScriptsFolder), &awss3assets.AssetOptions{
			Exclude:    jsii.Strings("*", "!*.py"),
			IgnoreMode: awscdk.IgnoreMode_GLOB,
		}))
	return Jobs{Stack: stack, GateRole: newGateRole(stack, environment, lake, props.Sources)}
}

func jobLogs(environment Environment, dataset datasets.Dataset) string {
	return "/" + environment.Prefix() + "/jobs/" + dataset.Name
}

func newJob(stack awscdk.Stack, environment Environment, lake Lake, dataset datasets.Dataset, role awsiam.Role) {
	settings := environment.Job
	awsglue.NewCfnJob(stack, jsii.String(pascal(dataset.Name)+"Job"), &awsglue.CfnJobProps{
		Name:        jsii.String(environment.Resource(dataset.Name)),
		Description: jsii.String("Types the rows of a batch of " + dataset.Name + " and parts good from bad"),
		Role:        role.RoleArn(),
		GlueVersion: jsii.String(settings.GlueVersion),
		Command: awsglue.CfnJob_JobCommandProperty{
			Name:           jsii.String("glueetl"),
			PythonVersion:  jsii.String("3"),
			ScriptLocation: lake.Artifacts.S3UrlForObject(jsii.String("glue-scripts/" + dataset.Name + ".py")),
		},
		WorkerType:            jsii.String(settings.WorkerType),
		NumberOfWorkers:       jsii.Number(settings.Workers),
		Timeout:               jsii.Number(settings.TimeoutMinutes),
		MaxRetries:            jsii.Number(0), // the workflow retries: it empties staging before each attempt
		ExecutionProperty:     awsglue.CfnJob_ExecutionPropertyProperty{MaxConcurrentRuns: jsii.Number(1)},
		SecurityConfiguration: jsii.String(lake.Encryption),
		DefaultArguments:      jobArguments(environment, lake, dataset),
	})
}

// jobArguments are the names a script reads, and Glue's own parameters: see
// https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-etl-glue-arguments.html
func jobArguments(environment Environment, lake Lake, dataset datasets.Dataset) *map[string]*string {
	artifacts := func(key string) *string { return lake.Artifacts.S3UrlForObject(jsii.String(key)) }
	return &map[string]*string{
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
}

// newJobRole lets the job of a dataset read its batch and the published tables that it refers to,
// and write its own part of staging.
func newJobRole(stack awscdk.Stack, environment Environment, lake Lake, dataset datasets.Dataset, referred []string) awsiam.Role {
	staging, temporary, sparkLogs := "staging/"+dataset.Name+"/", "temp/"+dataset.Name+"/", "spark-ui/"+dataset.Name+"/"
	statements := []awsiam.PolicyStatement{
		listObjects(lake.Raw, lake.Processed, lake.Artifacts),
		readObjects(lake.Raw, "raw/"+dataset.Name+"/"),
		readObjects(lake.Artifacts, "glue-scripts/", temporary, sparkLogs),
		// Spark looks at each folder above the one it writes to, without the slash at the end.
		readObjects(lake.Processed, append([]string{"staging"}, publishedPrefixes(referred)...)...),
		writeObjects(lake.Processed, staging),
		deleteObjects(lake.Processed, staging),
		writeObjects(lake.Artifacts, temporary, sparkLogs),
		deleteObjects(lake.Artifacts, temporary),
		readTables(stack, environment.Database("batch"), batchTable(dataset)),
		writeLogs(stack, jobLogs(environment, dataset)+"/*"),
		putMetrics("Glue", "Glue Data Quality"),
		allow([]string{"glue:GetSecurityConfiguration"}, jsii.String("*")),
		allow([]string{"glue:PublishDataQuality"}, glueArn(stack, "dataQualityRuleset", "*")),
		readQualityAssets(),
		useKey(lake.Key),
	}
	if len(referred) > 0 {
		statements = append(statements, readTables(stack, environment.Database("processed"), referred...))
	}
	return newRole(stack, pascal(dataset.Name)+"JobRole", "Glue job of "+dataset.Name, serviceOfThisAccount("glue.amazonaws.com"), statements...)
}

// newGateRole lets Data Quality runs read any batch and any published table that one refers to. See
// https://docs.aws.amazon.com/glue/latest/dg/data-quality-authorization.html
func newGateRole(stack awscdk.Stack, environment Environment, lake Lake, sources Sources) awsiam.Role {
	statements := []awsiam.PolicyStatement{
		listObjects(lake.Raw, lake.Processed, lake.Artifacts),
		readObjects(lake.Raw, "raw/"),
		readTables(stack, environment.Database("batch"), sources.batchTables()...),
		allow([]string{"glue:GetDataQualityRuleset", "glue:PublishDataQuality"}, gateArns(stack, environment, sources)...),
		writeObjects(lake.Artifacts, "dq-results/"),
		writeLogs(stack, "/aws-glue/*"),
		putMetrics("Glue", "Glue Data Quality"),
		readQualityAssets(),
		useKey(lake.Key),
	}
	if referred := sources.referred(); len(referred) > 0 {
		statements = append(statements,
			readObjects(lake.Processed, publishedPrefixes(referred)...),
			readTables(stack, environment.Database("processed"), referred...))
	}
	return newRole(stack, "GateRole", "Data Quality runs on whole batches", serviceOfThisAccount("glue.amazonaws.com"), statements...)
}

// gateArns are the rulesets of all gates.
func gateArns(stack awscdk.Stack, environment Environment, sources Sources) []*string {
	var arns []*string
	for _, dataset := range sources.Datasets {
		arns = append(arns, glueArn(stack, "dataQualityRuleset", environment.Resource(dataset.Name+"-gate")))
	}
	return arns
}

func publishedPrefixes(tables []string) []string {
	prefixes := make([]string, 0, len(tables))
	for _, table := range tables {
		prefixes = append(prefixes, "processed/"+table+"/")
	}
	return prefixes
}

// readTables grants reading the definitions of tables of a database.
func readTables(stack awscdk.Stack, database string, tables ...string) awsiam.PolicyStatement {
	return allow([]string{"glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable"}, tableArns(stack, database, tables...)...)
}

// putMetrics grants publishing metrics, which have no resource but a namespace.
func putMetrics(namespaces ...string) awsiam.PolicyStatement {
	condition := map[string]any{"StringEquals": map[string]any{"cloudwatch:namespace": namespaces}}
	return allowIf(condition, []string{"cloudwatch:PutMetricData"}, jsii.String("*"))
}

// readQualityAssets grants reading AWS's own bucket from which Data Quality loads itself.
func readQualityAssets() awsiam.PolicyStatement {
	return allow([]string{"s3:GetObject"}, jsii.String(fmt.Sprintf("arn:%s:s3:::aws-glue-ml-data-quality-assets-%s/*", *awscdk.Aws_PARTITION(), *awscdk.Aws_REGION())))
}

// newRuleset has no target table: the batch table does not exist at deployment.
func newRuleset(stack awscdk.Stack, environment Environment, sources Sources, dataset datasets.Dataset, kind, description string) {
	name := dataset.Name + "-" + kind
	awsglue.NewCfnDataQualityRuleset(stack, jsii.String(pascal(dataset.Name)+pascal(kind)+"Rules"), &awsglue.CfnDataQualityRulesetProps{
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
