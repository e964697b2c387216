package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsglue"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"
)

// crawlerMaker adds crawlers that read a zone's S3 events, so that a crawl looks at the folders that
// changed and does not grow with history: see
// https://docs.aws.amazon.com/glue/latest/dg/crawler-s3-event-notifications.html
type crawlerMaker struct {
	stack       awscdk.Stack
	environment Environment
	key         awskms.Key
	encryption  awsglue.CfnSecurityConfiguration
}

// add makes the crawler of the zone, which is a prefix of the bucket, and returns its name and the
// queue of the events it could not read.
func (m crawlerMaker) add(id, zone string, bucket awss3.Bucket, database awsglue.CfnDatabase, classifier awsglue.CfnClassifier) (string, awssqs.Queue) {
	lost := m.newQueue(id+"LostEvents", nil)
	events := m.newQueue(id+"Events", lost)
	notify(bucket, zone+"/", events)

	classifiers := []*string{}
	if classifier != nil {
		classifiers = append(classifiers, classifier.Ref())
	}
	name := m.environment.Resource(zone)
	crawler := awsglue.NewCfnCrawler(m.stack, jsii.String(id), &awsglue.CfnCrawlerProps{
		Name:         jsii.String(name),
		Description:  jsii.String("Keeps the catalog of " + zone + "/ current"),
		Role:         m.newRole(id+"Role", zone, bucket, events, lost).RoleArn(),
		DatabaseName: database.Ref(),
		Targets: &awsglue.CfnCrawler_TargetsProperty{S3Targets: &[]any{awsglue.CfnCrawler_S3TargetProperty{
			Path:             bucket.S3UrlForObject(jsii.String(zone + "/")),
			EventQueueArn:    events.QueueArn(),
			DlqEventQueueArn: lost.QueueArn(),
		}}},
		RecrawlPolicy:                &awsglue.CfnCrawler_RecrawlPolicyProperty{RecrawlBehavior: jsii.String("CRAWL_EVENT_MODE")},
		SchemaChangePolicy:           &awsglue.CfnCrawler_SchemaChangePolicyProperty{UpdateBehavior: jsii.String("UPDATE_IN_DATABASE"), DeleteBehavior: jsii.String("LOG")},
		Classifiers:                  &classifiers,
		CrawlerSecurityConfiguration: m.encryption.Name(),
		Configuration:                m.stack.ToJsonString(oneTableForFolder(3), nil),
	})
	crawler.AddResourceDependency(m.encryption, nil)
	return name, lost
}

// oneTableForFolder makes each folder at the level, of which the bucket is the first, one table,
// however odd one of its files looks: s3://bucket/raw/<dataset>/ is at level 3. See
// https://docs.aws.amazon.com/glue/latest/dg/crawler-table-level.html
func oneTableForFolder(level int) map[string]any {
	return map[string]any{
		"Version": 1.0,
		"Grouping": map[string]any{
			"TableGroupingPolicy":     "CombineCompatibleSchemas",
			"TableLevelConfiguration": level,
		},
	}
}

// newQueue is an encrypted queue; messages that are received five times in vain go to lost.
func (m crawlerMaker) newQueue(id string, lost awssqs.Queue) awssqs.Queue {
	props := &awssqs.QueueProps{
		Encryption:          awssqs.QueueEncryption_KMS,
		EncryptionMasterKey: m.key,
		EnforceSSL:          jsii.Bool(true),
		RetentionPeriod:     days(14),
	}
	if lost != nil {
		props.DeadLetterQueue = &awssqs.DeadLetterQueue{Queue: lost, MaxReceiveCount: jsii.Number(5)}
	}
	return awssqs.NewQueue(m.stack, jsii.String(id), props)
}

// notify sends the events of the bucket's keys under prefix to the queue. It is set on the bucket
// itself: the bucket construct would have a Lambda function do it.
func notify(bucket awss3.Bucket, prefix string, queue awssqs.Queue) {
	queue.AddToResourcePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String("Events"),
		Actions:    jsii.Strings("sqs:SendMessage"),
		Principals: &[]awsiam.IPrincipal{serviceOfThisAccount("s3.amazonaws.com")},
		Resources:  &[]*string{queue.QueueArn()},
	}))
	filter := awss3.CfnBucket_NotificationFilterProperty{S3Key: awss3.CfnBucket_S3KeyFilterProperty{
		Rules: &[]any{awss3.CfnBucket_FilterRuleProperty{Name: jsii.String("prefix"), Value: jsii.String(prefix)}},
	}}
	configurations := []any{}
	for _, event := range []string{"s3:ObjectCreated:*", "s3:ObjectRemoved:*"} {
		configurations = append(configurations, awss3.CfnBucket_QueueConfigurationProperty{
			Event: jsii.String(event), Queue: queue.QueueArn(), Filter: filter,
		})
	}
	resource := bucket.Node().DefaultChild().(awss3.CfnBucket)
	resource.SetNotificationConfiguration(awss3.CfnBucket_NotificationConfigurationProperty{QueueConfigurations: &configurations})
	// S3 tries the queue when it takes the configuration.
	resource.Node().AddDependency(queue.Node().FindChild(jsii.String("Policy")))
}

// newRole lets the crawler read the zone and write its database's tables. It may not delete: what
// disappears from S3 is logged, never applied.
func (m crawlerMaker) newRole(id, zone string, bucket awss3.Bucket, events, lost awssqs.Queue) awsiam.Role {
	return newRole(m.stack, id, "Crawler of "+zone+"/", serviceOfThisAccount("glue.amazonaws.com"),
		listObjects(bucket),
		readObjects(bucket, zone+"/"),
		allow(
			[]string{
				"glue:BatchCreatePartition", "glue:BatchGetPartition", "glue:BatchUpdatePartition", "glue:CreatePartition",
				"glue:CreateTable", "glue:GetDatabase", "glue:GetPartition", "glue:GetPartitions", "glue:GetTable",
				"glue:GetTables", "glue:UpdatePartition", "glue:UpdateTable",
			},
			tableArns(m.stack, m.environment.Database(zone), "*")...),
		allow(
			[]string{
				"sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:ListDeadLetterSourceQueues",
				"sqs:ListQueueTags", "sqs:PurgeQueue", "sqs:ReceiveMessage", "sqs:SetQueueAttributes",
			},
			events.QueueArn()),
		allow([]string{"sqs:GetQueueAttributes", "sqs:GetQueueUrl", "sqs:SendMessage"}, lost.QueueArn()),
		writeLogs(m.stack, "/aws-glue/crawlers*"),
		allow([]string{"glue:GetSecurityConfiguration"}, jsii.String("*")),
		useKey(m.key),
	)
}

// newCsvClassifier says that the first line of a CSV file is its header, which the built-in
// classifier only guesses, and misses when all columns are text.
func newCsvClassifier(stack awscdk.Stack, environment Environment) awsglue.CfnClassifier {
	return awsglue.NewCfnClassifier(stack, jsii.String("CsvWithHeader"), &awsglue.CfnClassifierProps{
		CsvClassifier: awsglue.CfnClassifier_CsvClassifierProperty{
			Name:                 jsii.String(environment.Resource("csv")),
			ContainsHeader:       jsii.String("PRESENT"),
			Delimiter:            jsii.String(","),
			QuoteSymbol:          jsii.String(`"`),
			AllowSingleColumn:    jsii.Bool(false),
			DisableValueTrimming: jsii.Bool(true),
		},
	})
}

// newSecurityConfiguration encrypts what Glue writes for jobs and crawlers: S3, logs, bookmarks.
func newSecurityConfiguration(stack awscdk.Stack, environment Environment, key awskms.Key) awsglue.CfnSecurityConfiguration {
	return awsglue.NewCfnSecurityConfiguration(stack, jsii.String("Encryption"), &awsglue.CfnSecurityConfigurationProps{
		Name: jsii.String(environment.Prefix()),
		EncryptionConfiguration: &awsglue.CfnSecurityConfiguration_EncryptionConfigurationProperty{
			S3Encryptions:          &[]any{awsglue.CfnSecurityConfiguration_S3EncryptionProperty{S3EncryptionMode: jsii.String("SSE-KMS"), KmsKeyArn: key.KeyArn()}},
			CloudWatchEncryption:   awsglue.CfnSecurityConfiguration_CloudWatchEncryptionProperty{CloudWatchEncryptionMode: jsii.String("SSE-KMS"), KmsKeyArn: key.KeyArn()},
			JobBookmarksEncryption: awsglue.CfnSecurityConfiguration_JobBookmarksEncryptionProperty{JobBookmarksEncryptionMode: jsii.String("CSE-KMS"), KmsKeyArn: key.KeyArn()},
		},
	})
}

// writeLogs grants writing to log groups by name. AssociateKmsKey is for groups that Glue creates
// under a security configuration: see https://docs.aws.amazon.com/glue/latest/dg/encryption-security-configuration.html
func writeLogs(stack awscdk.Stack, names ...string) awsiam.PolicyStatement {
	arns := make([]*string, 0, len(names))
	for _, name := range names {
		arns = append(arns, logsArn(stack, "log-group:"+name))
	}
	return allow([]string{"logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}, arns...)
}
