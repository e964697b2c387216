package stacks

import (
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3deployment"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsstepfunctions"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// WorkflowProps is what the workflow depends on.
type WorkflowProps struct {
	Environment Environment
	Sources     Sources
	Lake        Lake
	Warehouse   Warehouse
	Jobs        Jobs
}

// Workflow is the stack of the state machine that runs the pipeline, and of what starts it.
type Workflow struct {
	Stack   awscdk.Stack
	Machine awsstepfunctions.StateMachine
	// Alerts is the topic that runs report to, and alarms.
	Alerts awssns.Topic
	// Missed is the dead-letter queue of the schedule.
	Missed awssqs.Queue
}

// NewWorkflowStack adds the workflow of an environment.
func NewWorkflowStack(scope constructs.Construct, id string, props *WorkflowProps) Workflow {
	environment, lake := props.Environment, props.Lake
	stack := newStack(scope, id, environment, "Movie pipeline: state machine, schedule, lock and alerts")
	lock := newLockTable(stack, lake)
	alerts := newAlerts(stack, environment, lake)
	newDeployment(stack, "Plans", "workflow/", lake, environment,
		awss3deployment.Source_JsonData(jsii.String("datasets.json"), props.Sources.Plan, nil),
		awss3deployment.Source_JsonData(jsii.String("warehouse.json"), props.Sources.Warehouse, nil))
	newQuarantineTables(stack, props)
	machine := newStateMachine(stack, props, lock, alerts)
	missed := newSchedule(stack, environment, lake, machine)

	output(stack, "StateMachineArn", machine.StateMachineArn(), "Start an execution to run the pipeline")
	output(stack, "LockTable", lock.Ref(), "Holds the item of the run that is under way")
	output(stack, "AlertsTopicArn", alerts.TopicArn(), "Subscribe to hear of runs and alarms")
	return Workflow{Stack: stack, Machine: machine, Alerts: alerts, Missed: missed}
}

// newStateMachine makes the workflow of the file, in which ${Name} stands for what is known at
// deployment only. The substitution is of raw text: what is longer than a name, such as SQL, the
// workflow reads from workflow/ in the artifacts bucket.
func newStateMachine(stack awscdk.Stack, props *WorkflowProps, lock awsdynamodb.CfnTable, alerts awssns.Topic) awsstepfunctions.StateMachine {
	environment, lake := props.Environment, props.Lake
	// By its ARN the key cannot be changed from here: its policy, in the lake, lets log delivery in.
	key := awskms.Key_FromKeyArn(stack, jsii.String("Key"), lake.Key.KeyArn())
	return awsstepfunctions.NewStateMachine(stack, jsii.String("Pipeline"), &awsstepfunctions.StateMachineProps{
		StateMachineName:        jsii.String(environment.Prefix()),
		DefinitionBody:          awsstepfunctions.DefinitionBody_FromFile(jsii.String(props.Sources.WorkflowFile), &awss3assets.AssetOptions{}),
		DefinitionSubstitutions: substitutions(props, lock, alerts),
		Role:                    newWorkflowRole(stack, props, lock, alerts),
		TracingEnabled:          jsii.Bool(true),
		EncryptionConfiguration: awsstepfunctions.NewCustomerManagedEncryptionConfiguration(key, nil),
		Logs: &awsstepfunctions.LogOptions{
			// Groups under /aws/vendedlogs/ need no resource policy of their own, of which there are ten.
			Destination:          newLogGroup(stack, "Logs", "/aws/vendedlogs/states/"+environment.Prefix(), lake, environment),
			Level:                awsstepfunctions.LogLevel_ALL,
			IncludeExecutionData: jsii.Bool(true),
		},
	})
}

func substitutions(props *WorkflowProps, lock awsdynamodb.CfnTable, alerts awssns.Topic) *map[string]*string {
	environment, lake, warehouse := props.Environment, props.Lake, props.Warehouse
	number := func(value int) *string { return jsii.String(strconv.Itoa(value)) }
	return &map[string]*string{
		"RawBucket":          lake.Raw.BucketName(),
		"ProcessedBucket":    lake.Processed.BucketName(),
		"ArtifactsBucket":    lake.Artifacts.BucketName(),
		"RawDatabase":        jsii.String(lake.RawDatabase),
		"BatchDatabase":      jsii.String(lake.BatchDatabase),
		"ProcessedDatabase":  jsii.String(lake.ProcessedDatabase),
		"RawCrawler":         jsii.String(lake.RawCrawler),
		"ProcessedCrawler":   jsii.String(lake.ProcessedCrawler),
		"JobPrefix":          jsii.String(environment.Resource("")),
		"RulesetPrefix":      jsii.String(environment.Resource("")),
		"GateRoleArn":        props.Jobs.GateRole.RoleArn(),
		"GateWorkers":        number(environment.Gate.Workers),
		"GateTimeoutMinutes": number(environment.Gate.TimeoutMinutes),
		"TransformAttempts":  number(environment.Job.Attempts),
		"LateDays":           number(environment.Schedule.LateDays),
		"LockTable":          lock.Ref(),
		"LockSeconds":        number(props.Sources.WorkflowSeconds + lockMarginSeconds),
		"Workgroup":          warehouse.Workgroup,
		"Database":           jsii.String(warehouse.Database),
		"AdminSecretArn":     jsii.String(warehouse.AdminSecret),
		"CopyRoleArn":        warehouse.CopyRole.RoleArn(),
		"TopicArn":           alerts.TopicArn(),
		"MetricNamespace":    jsii.String(environment.Prefix()),
	}
}

// lockMarginSeconds is how long the lock outlives the longest run, so that it never expires under one.
const lockMarginSeconds = 300

// newLockTable holds one item, of the run under way. It is no record of anything: it goes with the
// stack in every environment.
func newLockTable(stack awscdk.Stack, lake Lake) awsdynamodb.CfnTable {
	table := awsdynamodb.NewCfnTable(stack, jsii.String("Lock"), &awsdynamodb.CfnTableProps{
		AttributeDefinitions: &[]any{awsdynamodb.CfnTable_AttributeDefinitionProperty{AttributeName: jsii.String("id"), AttributeType: jsii.String("S")}},
		KeySchema:            &[]any{awsdynamodb.CfnTable_KeySchemaProperty{AttributeName: jsii.String("id"), KeyType: jsii.String("HASH")}},
		BillingMode:          jsii.String("PAY_PER_REQUEST"),
		SseSpecification:     awsdynamodb.CfnTable_SSESpecificationProperty{SseEnabled: jsii.Bool(true), SseType: jsii.String("KMS"), KmsMasterKeyId: lake.Key.KeyArn()},
	})
	table.ApplyRemovalPolicy(awscdk.RemovalPolicy_DESTROY, nil)
	return table
}

// newAlerts is the topic that runs and alarms tell. Its policy, which replaces the default, has to let
// alarms in: see https://docs.aws.amazon.com/sns/latest/dg/sns-access-policy-use-cases.html
func newAlerts(stack awscdk.Stack, environment Environment, lake Lake) awssns.Topic {
	topic := awssns.NewTopic(stack, jsii.String("Alerts"), &awssns.TopicProps{
		DisplayName: jsii.String(environment.Prefix()),
		MasterKey:   lake.Key,
		EnforceSSL:  jsii.Bool(true),
	})
	topic.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("Alarms"),
		Actions:    jsii.Strings("sns:Publish"),
		Principals: &[]awsiam.IPrincipal{serviceOfThisAccount("cloudwatch.amazonaws.com")},
		Resources:  &[]*string{topic.TopicArn()},
	}))
	return topic
}
