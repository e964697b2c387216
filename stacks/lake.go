package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsglue"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// LakeProps is what the lake depends on.
type LakeProps struct {
	Environment Environment
}

// Lake is the stack that keeps the data: buckets, their key, and the catalog that crawlers maintain.
type Lake struct {
	Stack awscdk.Stack
	Key   awskms.Key
	// Raw holds what producers deliver, under raw/<dataset>/ingest_date=YYYY-MM-DD/.
	Raw awss3.Bucket
	// Processed holds staging/, processed/ and quarantine/.
	Processed awss3.Bucket
	// Artifacts holds scripts, the workflow's files, reports and temporary files.
	Artifacts awss3.Bucket
	// RawDatabase and ProcessedDatabase are filled by the crawlers; BatchDatabase by the workflow.
	RawDatabase, BatchDatabase, ProcessedDatabase string
	RawCrawler, ProcessedCrawler                  string
	// LostEvents are the dead-letter queues of the crawlers' events.
	LostEvents []awssqs.Queue
	// Encryption is the security configuration of Glue jobs and crawlers: all they write is
	// encrypted with Key.
	Encryption string
}

// NewLakeStack adds the lake of an environment.
func NewLakeStack(scope constructs.Construct, id string, props *LakeProps) Lake {
	environment := props.Environment
	stack := newStack(scope, id, environment, "Movie pipeline: buckets, key and Glue catalog")
	key := newKey(stack, environment)

	accessLogs := newAccessLogBucket(stack, environment)
	buckets := bucketMaker{stack, environment, key, accessLogs}
	raw := buckets.add("Raw")
	processed := buckets.add("Processed", expire(environment, "staging/")...)
	artifacts := buckets.add("Artifacts", expire(environment, "temp/", "spark-ui/")...)

	rawDatabase := newDatabase(stack, environment, "RawTables", "raw", "Batches as delivered, crawled")
	batchDatabase := newDatabase(stack, environment, "BatchTables", "batch", "The batch of the current run, one table a dataset")
	processedDatabase := newDatabase(stack, environment, "ProcessedTables", "processed", "Published tables, crawled")

	encryption := newSecurityConfiguration(stack, environment, key)
	crawlers := crawlerMaker{stack, environment, key, encryption}
	rawCrawler, rawLost := crawlers.add("RawCrawler", "raw", raw, rawDatabase, newCsvClassifier(stack, environment))
	processedCrawler, processedLost := crawlers.add("ProcessedCrawler", "processed", processed, processedDatabase, nil)

	output(stack, "RawBucket", raw.BucketName(), "Drop batches under raw/<dataset>/ingest_date=YYYY-MM-DD/")
	output(stack, "ProcessedBucket", processed.BucketName(), "Published tables under processed/, bad rows under quarantine/")
	output(stack, "ArtifactsBucket", artifacts.BucketName(), "Run summaries and marts under reports/")
	output(stack, "RawDatabase", rawDatabase.Ref(), "Glue database of the batches as delivered")
	output(stack, "BatchDatabase", batchDatabase.Ref(), "Glue database of the current batch")
	output(stack, "ProcessedDatabase", processedDatabase.Ref(), "Glue database of the published tables")

	return Lake{
		Stack: stack, Key: key,
		Raw: raw, Processed: processed, Artifacts: artifacts,
		RawDatabase: environment.Database("raw"), BatchDatabase: environment.Database("batch"), ProcessedDatabase: environment.Database("processed"),
		RawCrawler: rawCrawler, ProcessedCrawler: processedCrawler,
		LostEvents: []awssqs.Queue{rawLost, processedLost},
		Encryption: *encryption.Name(),
	}
}

// newDatabase leaves the access to its tables to IAM alone. Without the default permission an account
// that works with Lake Formation would ask for grants there that nobody gave to our roles: see
// https://docs.aws.amazon.com/lake-formation/latest/dg/change-settings.html
func newDatabase(stack awscdk.Stack, environment Environment, id, zone, description string) awsglue.CfnDatabase {
	return awsglue.NewCfnDatabase(stack, jsii.String(id), &awsglue.CfnDatabaseProps{
		CatalogId: awscdk.Aws_ACCOUNT_ID(),
		DatabaseInput: &awsglue.CfnDatabase_DatabaseInputProperty{
			Name:        jsii.String(environment.Database(zone)),
			Description: jsii.String(description),
			CreateTableDefaultPermissions: &[]any{awsglue.CfnDatabase_PrincipalPrivilegesProperty{
				Principal:   &awsglue.CfnDatabase_DataLakePrincipalProperty{DataLakePrincipalIdentifier: jsii.String("IAM_ALLOWED_PRINCIPALS")},
				Permissions: jsii.Strings("ALL"),
			}},
		},
	})
}
