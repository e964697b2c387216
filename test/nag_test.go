package test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

// accepted is a finding of cdk-nag that stays, where, and why. They stand here, not in the stacks, so
// that the app does without cdk-nag.
type accepted struct{ rule, path, reason string }

var acceptedFindings = []accepted{
	{`AwsSolutions-DDB3`, `workflow/Lock$`, "one item, of the run under way: there is nothing to recover"},
	{`AwsSolutions-SQS3`, `workflow/Missed/`, "it is a dead-letter queue, of the schedule"},
	{`AwsSolutions-IAM4\[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole\]`, `Custom::(CDKBucketDeployment|S3AutoDelete)`, "made by CDK"},
	{`AwsSolutions-IAM5\[`, `Custom::CDKBucketDeployment`, "made by CDK: it copies from the bootstrap bucket to the artifacts bucket"},
	{`AwsSolutions-L1`, `Custom::(CDKBucketDeployment|S3AutoDelete)`, "made by CDK, which chooses the runtime"},

	{`AwsSolutions-GL[13]`, `jobs/[A-Za-z]+Job$`, "its security configuration is in another stack, where cdk-nag does not look: see TestEverythingHasTheKey"},

	// Wildcards at the end of a resource that is named. Those on "*" are listed, action by action, in
	// TestNoWildcardResource.
	{`AwsSolutions-IAM5\[Resource::\*\]`, `(AnalystRole|CrawlerRole|JobRole|GateRole|PipelineRole|PipelineRole/DefaultPolicy)/Resource$`, "see TestNoWildcardResource"},
	{`AwsSolutions-IAM5\[Resource::<[A-Za-z0-9]+\.Arn>/[a-z/-]+\*\]`, `Role/Resource$`, "the keys under a prefix of one bucket"},
	{`AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:s3:::aws-glue-ml-data-quality-assets-<AWS::Region>/\*\]`, `(JobRole|GateRole)/Resource$`, "AWS's own bucket, from which Data Quality loads itself"},
	{`AwsSolutions-IAM5\[Resource::arn:<AWS::Partition>:s3:::cdk-hnb659fds-assets-<AWS::AccountId>-<AWS::Region>/\*\]`, `VisualJobsRole/Resource$`, "the files of the version before, whose names are not known"},
	{`AwsSolutions-IAM5\[Resource::.*:table/movie_pipeline_(dev|prod|other)_(raw|processed)/\*\]`, `CrawlerRole/Resource$`, "a crawler makes tables of the folders it finds"},
	{`AwsSolutions-IAM5\[Resource::.*:table/movie_pipeline_(dev|prod|other)_processed/\*\]`, `PipelineRole/Resource$`, "glue:GetTables is about all tables of the database"},
	{`AwsSolutions-IAM5\[Resource::.*:log-group:/aws-glue/crawlers\*\]`, `CrawlerRole/Resource$`, "Glue names the log group after role and security configuration"},
	{`AwsSolutions-IAM5\[Resource::.*:log-group:/aws-glue/\*\]`, `GateRole/Resource$`, "Glue names the log groups of Data Quality runs"},
	{`AwsSolutions-IAM5\[Resource::.*:log-group:/movie-pipeline-(dev|prod|other)/jobs/[a-z_]+/\*\]`, `JobRole/Resource$`, "the two log groups of one job"},
	{`AwsSolutions-IAM5\[Resource::.*:dataQualityRuleset/\*\]`, `(JobRole|PipelineRole)/Resource$`, "the result of a job belongs to no ruleset that has a name"},
	{`AwsSolutions-IAM5\[Resource::.*:execution:movie-pipeline-(dev|prod|other):\*\]`, `PipelineRole/Resource$`, "the executions of this state machine"},
}

func TestNag(t *testing.T) {
	used := map[accepted]bool{}
	for _, form := range []string{"dev", "prod", "other"} {
		for _, finding := range synthesized()[form].findings {
			if !strings.HasPrefix(finding.Text, "AwsSolutions-") {
				assert.Fail(t, "another message", "%s: %s", finding.Path, finding.Text)
				continue
			}
			entry, isAccepted := acceptedFor(finding)
			assert.True(t, isAccepted, "%s: %s", finding.Path, finding.Text)
			used[entry] = true
		}
	}
	for _, entry := range acceptedFindings {
		assert.True(t, used[entry], "nothing is found like %v: take it off the list", entry)
	}
}

func acceptedFor(found finding) (accepted, bool) {
	for _, entry := range acceptedFindings {
		if regexp.MustCompile(`^`+entry.rule).MatchString(found.Text) && regexp.MustCompile(entry.path).MatchString(found.Path) {
			return entry, true
		}
	}
	return accepted{}, false
}
