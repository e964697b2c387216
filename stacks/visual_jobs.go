package stacks

import (
	"os"
	"path/filepath"
	"slices"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsglue"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

const (
	// visualFolder, in the artifacts bucket, holds the scripts that visual jobs run and a record of
	// what is registered of each.
	visualFolder = "visual-jobs/"
	// visualMinutes bounds the registration of one job.
	visualMinutes = 5
)

// visualJob is a job as its two custom resources need it.
type visualJob struct {
	job
	// values are those of the placeholders in the job's DAG.
	values map[string]*string
	// script is the tested one, nodes is the DAG.
	script, nodes awss3assets.Asset
}

// scriptKey is where the job's script lies in the artifacts bucket. Each version has a place of its
// own: a job that is rolled back finds its script again, whatever happened to the newer one.
func (j visualJob) scriptKey() string {
	return visualFolder + j.dataset.Name + "/" + *j.script.AssetHash() + ".py"
}

// addVisualJobs adds jobs that open on the canvas of Glue Studio. AWS::Glue::Job has no DAG
// (https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1922), so a function
// registers it: stacks/visual_job says how.
//
// An update of a job takes the DAG from it until it is registered again. So that nothing can fail in
// between, all else in the stack comes first, then the resources that may stop the deployment, then one
// job after the other.
func addVisualJobs(stack awscdk.Stack, props *JobsProps, jobs []job, first ...constructs.IDependable) {
	var all []visualJob
	for _, job := range jobs {
		all = append(all, newVisualJob(stack, props, job))
	}
	function := newVisualJobsFunction(stack, props, all)
	// CloudFormation calls it asynchronously. A second attempt would come after the first one's answer, and
	// register this version in the midst of a rollback.
	first = append(first, awslambda.NewEventInvokeConfig(stack, jsii.String("VisualJobsAttempts"), &awslambda.EventInvokeConfigProps{
		Function:      function,
		RetryAttempts: jsii.Number(0),
	}))
	var before []constructs.IDependable
	for _, job := range all {
		properties := customProperties(stack, props, job)
		if slices.Contains(props.Environment.DiscardCanvasEdits, job.dataset.Name) {
			properties["DiscardEdits"] = true
		}
		script := newCustomResource(stack, pascal(job.dataset.Name)+"Script", "Custom::VisualJobScript", function, properties)
		script.Node().AddDependency(first...)
		before = append(before, script)
	}
	for _, job := range all {
		resource := newJob(stack, props, job.job, job.scriptKey())
		resource.Node().AddDependency(before...)
		registration := newCustomResource(stack, pascal(job.dataset.Name)+"Visual", "Custom::VisualJob", function, customProperties(stack, props, job))
		registration.Node().AddDependency(resource)
		before = []constructs.IDependable{registration}
	}
}

func newVisualJob(stack awscdk.Stack, props *JobsProps, of job) visualJob {
	name := of.dataset.Name
	values := map[string]*string{}
	arguments := jobArguments(props.Environment, props.Lake, of.dataset)
	for _, placeholder := range props.Sources.DAGs[name].Placeholders() {
		values[placeholder] = arguments["--"+placeholder]
	}
	return visualJob{
		job:    of,
		values: values,
		script: awss3assets.NewAsset(stack, jsii.String(pascal(name)+"ScriptFile"), &awss3assets.AssetProps{
			Path: jsii.String(filepath.Join(props.Sources.ScriptsFolder, name+".py")),
		}),
		nodes: newTextAsset(stack, pascal(name)+"Nodes", name+".json", props.Sources.Nodes[name]),
	}
}

// newTextAsset is an asset of content that no file of the project has.
func newTextAsset(stack awscdk.Stack, id, name string, content []byte) awss3assets.Asset {
	folder, err := os.MkdirTemp("", "asset")
	if err == nil {
		defer os.RemoveAll(folder) // the CDK has copied the file by then
		err = os.WriteFile(filepath.Join(folder, name), content, 0o644)
	}
	if err != nil {
		panic(err) // as the CDK does when it cannot write the assembly
	}
	return awss3assets.NewAsset(stack, jsii.String(id), &awss3assets.AssetProps{Path: jsii.String(filepath.Join(folder, name))})
}

func newVisualJobsFunction(stack awscdk.Stack, props *JobsProps, jobs []visualJob) awslambda.Function {
	environment := props.Environment
	logs := newLogGroup(stack, "VisualJobsLogs", "/"+environment.Prefix()+"/visual-jobs", props.Lake, environment)
	return awslambda.NewFunction(stack, jsii.String("VisualJobs"), &awslambda.FunctionProps{
		Description: jsii.String("Registers the DAGs of Glue jobs, for the canvas of Glue Studio"),
		Runtime:     awslambda.Runtime_PYTHON_3_14(),
		Handler:     jsii.String("index.handler"),
		Code: awslambda.Code_FromAsset(jsii.String(props.Sources.VisualJobFolder), &awss3assets.AssetOptions{
			Exclude:    jsii.Strings("*", "!*.py"),
			IgnoreMode: awscdk.IgnoreMode_GLOB,
		}),
		Timeout:    awscdk.Duration_Minutes(jsii.Number(visualMinutes)),
		MemorySize: jsii.Number(256),
		LogGroup:   logs,
		Role:       newVisualJobsRole(stack, props, jobs, logs.LogGroupArn()),
	})
}

// newVisualJobsRole reads all assets of the bootstrap bucket: a rollback needs those of the version
// before, whose names are not known here.
func newVisualJobsRole(stack awscdk.Stack, props *JobsProps, jobs []visualJob, logs *string) awsiam.Role {
	lake := props.Lake
	var arns, passed []*string
	for _, job := range jobs {
		arns = append(arns, glueArn(stack, "job", props.Environment.Resource(job.dataset.Name)))
		passed = append(passed, job.role.RoleArn())
	}
	toGlue := map[string]any{"StringEquals": map[string]any{"iam:PassedToService": "glue.amazonaws.com"}}
	return newRole(stack, "VisualJobsRole", "Registers the DAGs of Glue jobs", awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		allow([]string{"glue:GetJob", "glue:UpdateJob"}, arns...),
		allowIf(toGlue, []string{"iam:PassRole"}, passed...),
		readObjects(jobs[0].script.Bucket(), ""),
		allow([]string{"s3:ListBucket"}, lake.Artifacts.BucketArn()), // without it, what is missing would be forbidden
		readObjects(lake.Artifacts, visualFolder),
		putObjects(lake.Artifacts, visualFolder),
		deleteObjects(lake.Artifacts, visualFolder),
		useKey(lake.Key),
		allow([]string{"cloudformation:DescribeStacks"}, awscdk.Aws_STACK_ID()),
		allow([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, logs),
	)
}

// customProperties are what a job is registered from. The job is one text, since CloudFormation makes
// texts of the numbers in a custom resource's properties.
func customProperties(stack awscdk.Stack, props *JobsProps, job visualJob) map[string]any {
	place := func(asset awss3assets.Asset) map[string]any {
		return map[string]any{"Bucket": asset.S3BucketName(), "Key": asset.S3ObjectKey()}
	}
	return map[string]any{
		"Job":           stack.ToJsonString(jobRequest(jobProps(props, job.job, job.scriptKey())), nil),
		"Nodes":         place(job.nodes),
		"Values":        job.values,
		"Script":        place(job.script),
		"PullCommand":   "pipeline visual pull " + job.dataset.Name + " --aws --environment " + props.Environment.Name,
		"DiscardOption": "-c " + discardContext + "=" + job.dataset.Name,
	}
}

// jobRequest is a job's definition as the Glue API has it: the members are CloudFormation's, which a
// test compares.
func jobRequest(job *awsglue.CfnJobProps) map[string]any {
	command := job.Command.(awsglue.CfnJob_JobCommandProperty)
	concurrency := job.ExecutionProperty.(awsglue.CfnJob_ExecutionPropertyProperty)
	request := map[string]any{
		"Name":        job.Name,
		"Description": job.Description,
		"Role":        job.Role,
		"GlueVersion": job.GlueVersion,
		"Command": map[string]any{
			"Name": command.Name, "PythonVersion": command.PythonVersion, "ScriptLocation": command.ScriptLocation,
		},
		"WorkerType":            job.WorkerType,
		"NumberOfWorkers":       job.NumberOfWorkers,
		"Timeout":               job.Timeout,
		"MaxRetries":            job.MaxRetries,
		"ExecutionProperty":     map[string]any{"MaxConcurrentRuns": concurrency.MaxConcurrentRuns},
		"SecurityConfiguration": job.SecurityConfiguration,
		"DefaultArguments":      job.DefaultArguments,
	}
	if connections, has := job.Connections.(awsglue.CfnJob_ConnectionsListProperty); has {
		request["Connections"] = map[string]any{"Connections": connections.Connections}
	}
	return request
}

func newCustomResource(stack awscdk.Stack, id, kind string, function awslambda.Function, properties map[string]any) awscdk.CustomResource {
	return awscdk.NewCustomResource(stack, jsii.String(id), &awscdk.CustomResourceProps{
		ServiceToken:   function.FunctionArn(),
		ServiceTimeout: awscdk.Duration_Minutes(jsii.Number(visualMinutes + 1)),
		ResourceType:   jsii.String(kind),
		Properties:     &properties,
	})
}
