package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/jsii-runtime-go"
)

// newWorkflowRole names each action that a state of workflow.asl.json takes, on its resource: a
// definition in a file grants nothing.
func newWorkflowRole(stack awscdk.Stack, props *WorkflowProps, lock awsdynamodb.CfnTable, alerts awssns.Topic) awsiam.Role {
	environment, lake, warehouse := props.Environment, props.Lake, props.Warehouse
	return newRole(stack, "PipelineRole", "State machine of the pipeline", serviceOfThisAccount("states.amazonaws.com"),
		allow([]string{"dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem"}, lock.AttrArn()),
		allow([]string{"states:DescribeExecution"}, executionsArn(stack, environment)),

		allow([]string{"s3:ListBucket"}, lake.Raw.BucketArn(), lake.Processed.BucketArn()),
		readObjects(lake.Artifacts, "workflow/"),
		readObjects(lake.Processed, "staging/"),
		putObjects(lake.Processed, "processed/", "quarantine/"),
		deleteObjects(lake.Processed, "staging/", "processed/", "quarantine/"),
		putObjects(lake.Artifacts, "reports/runs/", "reports/quality/"),

		allow([]string{"glue:GetCrawler", "glue:StartCrawler"},
			glueArn(stack, "crawler", lake.RawCrawler), glueArn(stack, "crawler", lake.ProcessedCrawler)),
		allow([]string{"glue:GetPartition"}, tableArns(stack, lake.RawDatabase, props.Sources.names()...)...),
		allow([]string{"glue:GetTables"}, tableArns(stack, lake.ProcessedDatabase, "*")...),
		allow([]string{"glue:CreatePartition", "glue:CreateTable", "glue:DeleteTable"}, tableArns(stack, lake.BatchDatabase, props.Sources.batchTables()...)...),
		allow([]string{"glue:BatchDeletePartition", "glue:CreatePartition", "glue:GetPartitions", "glue:GetTable", "glue:UpdateTable"},
			tableArns(stack, lake.ProcessedDatabase, props.Sources.quarantineTables()...)...),

		allow([]string{"glue:GetDataQualityRulesetEvaluationRun", "glue:StartDataQualityRulesetEvaluationRun"},
			gateArns(stack, environment, props.Sources)...),
		// A result is asked for by its id, and that of a job belongs to no ruleset with a name.
		allow([]string{"glue:GetDataQualityResult", "glue:ListDataQualityResults"}, glueArn(stack, "dataQualityRuleset", "*")),
		allowIf(map[string]any{"StringEquals": map[string]any{"iam:PassedToService": "glue.amazonaws.com"}},
			[]string{"iam:PassRole"}, props.Jobs.GateRole.RoleArn()),

		// What glue:startJobRun.sync does: https://docs.aws.amazon.com/step-functions/latest/dg/connect-glue.html
		allow([]string{"glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"}, jobArns(stack, props)...),

		allow([]string{"redshift-data:BatchExecuteStatement"}, warehouse.WorkgroupArn),
		// These take the id of a statement; a caller sees its own alone.
		allowIf(map[string]any{"StringEquals": map[string]any{"redshift-data:statement-owner-iam-userid": "${aws:userid}"}},
			[]string{"redshift-data:DescribeStatement", "redshift-data:GetStatementResult"}, jsii.String("*")),
		allow([]string{"secretsmanager:GetSecretValue"}, warehouse.AdminSecretArn),

		allow([]string{"sns:Publish"}, alerts.TopicArn()),
		putMetrics(environment.Prefix()),
		useKey(lake.Key),
	)
}

func executionsArn(stack awscdk.Stack, environment Environment) *string {
	return stack.FormatArn(&awscdk.ArnComponents{
		Service:      jsii.String("states"),
		Resource:     jsii.String("execution"),
		ResourceName: jsii.String(environment.Prefix() + ":*"),
		ArnFormat:    awscdk.ArnFormat_COLON_RESOURCE_NAME,
	})
}

func jobArns(stack awscdk.Stack, props *WorkflowProps) []*string {
	var arns []*string
	for _, name := range props.Sources.names() {
		arns = append(arns, glueArn(stack, "job", props.Environment.Resource(name)))
	}
	return arns
}
