package stacks

import (
	"strings"

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

// bucketMaker adds the buckets that hold data.
type bucketMaker struct {
	stack       awscdk.Stack
	environment Environment
	key         awskms.Key
	accessLogs  awss3.Bucket
}

func (m bucketMaker) add(id string, rules ...*awss3.LifecycleRule) awss3.Bucket {
	rules = append(rules, commonLifecycle(m.environment))
	return awss3.NewBucket(m.stack, jsii.String(id), &awss3.BucketProps{
		Encryption:             awss3.BucketEncryption_KMS,
		EncryptionKey:          m.key,
		BucketKeyEnabled:       jsii.Bool(true),
		Versioned:              jsii.Bool(true),
		EnforceSSL:             jsii.Bool(true),
		MinimumTLSVersion:      jsii.Number(1.2),
		BlockPublicAccess:      awss3.BlockPublicAccess_BLOCK_ALL(),
		ObjectOwnership:        awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		ServerAccessLogsBucket: m.accessLogs,
		ServerAccessLogsPrefix: jsii.String(strings.ToLower(id) + "/"),
		LifecycleRules:         &rules,
		RemovalPolicy:          m.environment.removal(),
		AutoDeleteObjects:      jsii.Bool(!m.environment.Retain),
	})
}

// newAccessLogBucket encrypts with keys of S3: S3 delivers no access logs to a bucket whose default
// is a KMS key. See https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
func newAccessLogBucket(stack awscdk.Stack, environment Environment) awss3.Bucket {
	return awss3.NewBucket(stack, jsii.String("AccessLogs"), &awss3.BucketProps{
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		Versioned:         jsii.Bool(true),
		EnforceSSL:        jsii.Bool(true),
		MinimumTLSVersion: jsii.Number(1.2),
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		LifecycleRules: &[]*awss3.LifecycleRule{
			commonLifecycle(environment),
			{Id: jsii.String("expire-logs"), Expiration: days(environment.Retention.LogDays)},
		},
		RemovalPolicy:     environment.removal(),
		AutoDeleteObjects: jsii.Bool(!environment.Retain),
	})
}

func commonLifecycle(environment Environment) *awss3.LifecycleRule {
	return &awss3.LifecycleRule{
		Id:                                  jsii.String("tidy"),
		AbortIncompleteMultipartUploadAfter: days(1),
		NoncurrentVersionExpiration:         days(environment.Retention.NoncurrentDays),
		ExpiredObjectDeleteMarker:           jsii.Bool(true),
	}
}

// expire lets files under the prefixes live as long as temporary files do.
func expire(environment Environment, prefixes ...string) []*awss3.LifecycleRule {
	rules := make([]*awss3.LifecycleRule, 0, len(prefixes))
	for _, prefix := range prefixes {
		rules = append(rules, &awss3.LifecycleRule{
			Id:         jsii.String("expire-" + prefix[:len(prefix)-1]),
			Prefix:     jsii.String(prefix),
			Expiration: days(environment.Retention.TemporaryDays),
		})
	}
	return rules
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

func days(count int) awscdk.Duration { return awscdk.Duration_Days(jsii.Number(count)) }
