package test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestNoBucketIsPublic(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, bucket := range some(t, form, "AWS::S3::Bucket") {
			for _, setting := range []string{"BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"} {
				assert.Equal(t, true, at(bucket.Properties, "PublicAccessBlockConfiguration", setting), "%s: %s", bucket, setting)
			}
			assert.Nil(t, bucket.Properties["AccessControl"], "%s has an ACL", bucket)
			assert.Nil(t, bucket.Properties["WebsiteConfiguration"], "%s is a web site", bucket)
		}
	})
}

func TestBucketsKeepVersionsAndTidyUp(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, bucket := range some(t, form, "AWS::S3::Bucket") {
			assert.Equal(t, "Enabled", at(bucket.Properties, "VersioningConfiguration", "Status"), "%s", bucket)
			rules := text(bucket.Properties["LifecycleConfiguration"])
			assert.Contains(t, rules, "AbortIncompleteMultipartUpload", "%s", bucket)
			assert.Contains(t, rules, "NoncurrentVersionExpiration", "%s", bucket)
		}
	})
}

func TestWorkgroupIsPrivate(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, workgroup := range some(t, form, "AWS::RedshiftServerless::Workgroup") {
			assert.Equal(t, false, workgroup.Properties["PubliclyAccessible"])
			assert.Equal(t, true, workgroup.Properties["EnhancedVpcRouting"])
			assert.Len(t, workgroup.Properties["SubnetIds"], 3)
			assert.Contains(t, text(workgroup.Properties["ConfigParameters"]), `{"ParameterKey":"require_ssl","ParameterValue":"true"}`)
		}
	})
}

// Nothing in the network leads to the internet, or in from anywhere.
func TestNetworkIsPrivate(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, forbidden := range []string{"AWS::EC2::InternetGateway", "AWS::EC2::NatGateway", "AWS::EC2::Route", "AWS::EC2::EIP", "AWS::EC2::SecurityGroupIngress"} {
			assert.Empty(t, resources(t, form, forbidden))
		}
		zones := map[string]bool{}
		for _, subnet := range some(t, form, "AWS::EC2::Subnet") {
			assert.Equal(t, false, subnet.Properties["MapPublicIpOnLaunch"], "%s", subnet)
			zones[text(subnet.Properties["AvailabilityZone"])] = true
		}
		assert.Len(t, zones, 3, "enhanced routing wants three zones")
		for _, group := range some(t, form, "AWS::EC2::SecurityGroup") {
			assert.Nil(t, group.Properties["SecurityGroupIngress"], "%s", group)
		}
		for _, endpoint := range some(t, form, "AWS::EC2::VPCEndpoint") {
			assert.Equal(t, "Gateway", endpoint.Properties["VpcEndpointType"], "an interface endpoint costs by the hour")
		}
	})
}

// Each bucket, queue and topic refuses requests that are not encrypted.
func TestOnlyEncryptedTransport(t *testing.T) {
	policies := map[string]string{"AWS::S3::Bucket": "AWS::S3::BucketPolicy", "AWS::SQS::Queue": "AWS::SQS::QueuePolicy", "AWS::SNS::Topic": "AWS::SNS::TopicPolicy"}
	inBothForms(t, func(t *testing.T, form string) {
		for owner, policyType := range policies {
			for _, owned := range some(t, form, owner) {
				refuses := slices.ContainsFunc(resources(t, form, policyType), func(policy resource) bool {
					return policy.Stack == owned.Stack && strings.Contains(text(policy.Properties), fmt.Sprintf(`{"Ref":"%s"}`, owned.ID)) &&
						strings.Contains(text(policy.Properties["PolicyDocument"]), `"Condition":{"Bool":{"aws:SecureTransport":"false"}},"Effect":"Deny"`)
				})
				assert.True(t, refuses, "%s takes unencrypted requests", owned)
			}
		}
	})
}

// keyed says where a type of resource names its key. A type that can have one and is not here fails
// the test, see unkeyed.
var keyed = map[string][]any{
	"AWS::S3::Bucket":                    {"BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault", "KMSMasterKeyID"},
	"AWS::SQS::Queue":                    {"KmsMasterKeyId"},
	"AWS::SNS::Topic":                    {"KmsMasterKeyId"},
	"AWS::Logs::LogGroup":                {"KmsKeyId"},
	"AWS::DynamoDB::Table":               {"SSESpecification", "KMSMasterKeyId"},
	"AWS::Scheduler::Schedule":           {"KmsKeyArn"},
	"AWS::StepFunctions::StateMachine":   {"EncryptionConfiguration", "KmsKeyId"},
	"AWS::RedshiftServerless::Namespace": {"KmsKeyId"},
	"AWS::Glue::SecurityConfiguration":   {"EncryptionConfiguration", "S3Encryptions", 0, "KmsKeyArn"},
	"AWS::Glue::Job":                     {"SecurityConfiguration"},
	"AWS::Glue::Crawler":                 {"CrawlerSecurityConfiguration"},
}

// unkeyed are the types of resources that hold nothing to encrypt, or have no key of ours.
var unkeyed = []string{
	"AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard",
	"AWS::EC2::FlowLog", "AWS::EC2::RouteTable", "AWS::EC2::SecurityGroup", "AWS::EC2::Subnet", "AWS::EC2::SubnetRouteTableAssociation", "AWS::EC2::VPC", "AWS::EC2::VPCEndpoint",
	"AWS::Glue::Classifier", "AWS::Glue::DataQualityRuleset", "AWS::Glue::Database", "AWS::Glue::Table",
	"AWS::IAM::Policy", "AWS::IAM::Role", "AWS::KMS::Alias", "AWS::KMS::Key",
	"AWS::Lambda::EventInvokeConfig",
	"AWS::Lambda::Function",              // without environment variables
	"AWS::Lambda::LayerVersion",          // CDK's own: the AWS CLI
	"AWS::RedshiftServerless::Workgroup", // the namespace has the data
	"AWS::S3::BucketPolicy", "AWS::SNS::Subscription", "AWS::SNS::TopicPolicy", "AWS::SQS::QueuePolicy",
	"Custom::CDKBucketDeployment", "Custom::S3AutoDeleteObjects", "Custom::VisualJob", "Custom::VisualJobScript",
}

func TestEverythingHasTheKey(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, resource := range resources(t, form, "") {
			path, hasKey := keyed[resource.Type]
			if !hasKey {
				assert.Contains(t, unkeyed, resource.Type, "%s: say whether it can have a key", resource)
				continue
			}
			key := text(at(resource.Properties, path...))
			switch {
			case resource.Stack == "lake" && strings.HasPrefix(resource.ID, "AccessLogs"):
				// S3 does not deliver access logs to a bucket with a KMS key.
				assert.Equal(t, "AES256", at(resource.Properties, "BucketEncryption", "ServerSideEncryptionConfiguration", 0, "ServerSideEncryptionByDefault", "SSEAlgorithm"))
			case strings.HasPrefix(resource.Type, "AWS::Glue::") && resource.Type != "AWS::Glue::SecurityConfiguration":
				assert.Equal(t, `"movie-pipeline-`+form+`"`, key, "%s: the security configuration has the key", resource)
			default:
				assert.Regexp(t, `Key[0-9A-F]{8}`, key, "%s has no key, or another", resource)
			}
		}
		for _, key := range some(t, form, "AWS::KMS::Key") {
			assert.Equal(t, true, key.Properties["EnableKeyRotation"])
		}
	})
}

// What holds data outlives its stack in prod, and goes with it in dev.
func TestRetention(t *testing.T) {
	holdsData := []string{"AWS::S3::Bucket", "AWS::KMS::Key", "AWS::Logs::LogGroup"}
	for form, policy := range map[string]string{"dev": "Delete", "prod": "Retain"} {
		for _, resourceType := range holdsData {
			for _, resource := range some(t, form, resourceType) {
				assert.Equal(t, policy, resource.DeletionPolicy, "%s", resource)
			}
		}
	}
	buckets := some(t, "dev", "AWS::S3::Bucket")
	assert.Len(t, resources(t, "dev", "Custom::S3AutoDeleteObjects"), len(buckets), "each bucket of dev is emptied")
	assert.Empty(t, resources(t, "prod", "Custom::S3AutoDeleteObjects"), "no bucket of prod is ever emptied")

	assert.Nil(t, some(t, "dev", "AWS::RedshiftServerless::Namespace")[0].Properties["FinalSnapshotName"])
	assert.Equal(t, "movie-pipeline-prod-final", some(t, "prod", "AWS::RedshiftServerless::Namespace")[0].Properties["FinalSnapshotName"])
	for _, group := range slices.Concat(some(t, "dev", "AWS::Logs::LogGroup"), some(t, "prod", "AWS::Logs::LogGroup")) {
		assert.NotNil(t, group.Properties["RetentionInDays"], "%s keeps logs for ever", group)
	}
}

// A crawler neither deletes tables nor reads what it has read.
func TestCrawlers(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		crawlers := some(t, form, "AWS::Glue::Crawler")
		require.Len(t, crawlers, 2)
		for _, crawler := range crawlers {
			assert.Equal(t, "CRAWL_EVENT_MODE", at(crawler.Properties, "RecrawlPolicy", "RecrawlBehavior"), "%s", crawler)
			assert.Equal(t, map[string]any{"UpdateBehavior": "UPDATE_IN_DATABASE", "DeleteBehavior": "LOG"}, crawler.Properties["SchemaChangePolicy"])
			assert.JSONEq(t, `{"Version": 1, "Grouping": {"TableGroupingPolicy": "CombineCompatibleSchemas", "TableLevelConfiguration": 3}}`, crawler.Properties["Configuration"].(string))
			assert.NotNil(t, at(crawler.Properties, "Targets", "S3Targets", 0, "EventQueueArn"), "%s", crawler)
		}
		for _, zone := range []string{"raw/", "processed/"} {
			assert.True(t, slices.ContainsFunc(some(t, form, "AWS::S3::Bucket"), func(bucket resource) bool {
				events := text(bucket.Properties["NotificationConfiguration"])
				return strings.Contains(events, `"Value":"`+zone+`"`) && strings.Contains(events, "s3:ObjectCreated:*") && strings.Contains(events, "s3:ObjectRemoved:*")
			}), "no bucket sends events of %s", zone)
		}
	})
}

func TestJobs(t *testing.T) {
	inBothForms(t, func(t *testing.T, formName string) {
		settings := form(t, formName).environment.Job
		for _, job := range some(t, formName, "AWS::Glue::Job") {
			assert.Equal(t, "5.1", job.Properties["GlueVersion"], "%s", job)
			assert.EqualValues(t, 0, job.Properties["MaxRetries"], "%s: the workflow retries, after it has emptied staging", job)
			assert.EqualValues(t, settings.TimeoutMinutes, job.Properties["Timeout"], "%s", job)
			assert.EqualValues(t, settings.Workers, job.Properties["NumberOfWorkers"], "%s", job)
			for _, argument := range []string{"--BatchDatabase", "--ProcessedDatabase", "--ProcessedBucket", "--ArtifactsBucket", "--TempDir"} {
				assert.NotEmpty(t, at(job.Properties, "DefaultArguments", argument), "%s: %s", job, argument)
			}
			assert.NotContains(t, text(at(job.Properties, "Command", "ScriptLocation")), "cdk-hnb659fds-assets", "%s", job)
		}
	})
}

// Each dataset has a job, and a ruleset of each kind with the text of its file.
func TestOneJobAndTwoRulesetsADataset(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		var names []string
		for _, found := range slices.Concat(some(t, form, "AWS::Glue::Job"), some(t, form, "AWS::Glue::DataQualityRuleset")) {
			names = append(names, strings.TrimPrefix(found.Properties["Name"].(string), "movie-pipeline-"+form+"-"))
			assert.Nil(t, found.Properties["TargetTable"], "%s: the batch table does not exist at deployment", found)
		}
		var expected []string
		for _, dataset := range datasetList(t) {
			expected = append(expected, dataset.Name, dataset.Name+"-gate", dataset.Name+"-rows")
		}
		assert.ElementsMatch(t, expected, names)
		for _, ruleset := range some(t, form, "AWS::Glue::DataQualityRuleset") {
			name := strings.TrimPrefix(ruleset.Properties["Name"].(string), "movie-pipeline-"+form+"-")
			rules, err := os.ReadFile(projectFile("dqdl-rules/" + strings.ReplaceAll(name, "-", "_") + ".dqdl"))
			require.NoError(t, err)
			assert.Equal(t, string(rules), ruleset.Properties["Ruleset"])
		}
	})
}
