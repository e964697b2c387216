package stacks

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/jsii-runtime-go"

	"moviepipeline/internal/datasets"
)

// newJobRole lets the job of a dataset read its batch and the published tables that it refers to,
// and write its own part of staging.
func newJobRole(stack awscdk.Stack, environment Environment, lake Lake, dataset datasets.Dataset, sources Sources) awsiam.Role {
	referred := sources.refersTo(dataset)
	staging, temporary, sparkLogs := "staging/"+dataset.Name+"/", "temp/"+dataset.Name+"/", "spark-ui/"+dataset.Name+"/"
	statements := []awsiam.PolicyStatement{
		listObjects(lake.Raw, lake.Processed, lake.Artifacts),
		readObjects(lake.Raw, "raw/"+dataset.Name+"/"),
		readObjects(lake.Artifacts, scriptFolder(environment, dataset), temporary, sparkLogs),
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
	if sources.loadsWarehouse(dataset.Name) {
		statements = append(statements, useConnection(stack, environment)...)
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
