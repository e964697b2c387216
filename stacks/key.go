package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/jsii-runtime-go"
)

// newKey is the one key of the environment. Roles of this account get its use by their own policies;
// the services that act by themselves are let in here, each for resources of this account.
func newKey(stack awscdk.Stack, environment Environment) awskms.Key {
	key := awskms.NewKey(stack, jsii.String("Key"), &awskms.KeyProps{
		Alias:             jsii.String(environment.Prefix()),
		Description:       jsii.String("Data, logs and messages of " + environment.Prefix()),
		EnableKeyRotation: jsii.Bool(true),
		RemovalPolicy:     environment.removal(),
	})
	// S3 puts its events into the crawlers' queues, alarms and Redshift's logs go to topic and log
	// groups: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-key-management.html
	ofThisAccount := map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": awscdk.Aws_ACCOUNT_ID()}}
	key.AddToResourcePolicy(letUse("Events", ofThisAccount, "s3.amazonaws.com"), nil)
	key.AddToResourcePolicy(letUse("Alarms", ofThisAccount, "cloudwatch.amazonaws.com"), nil)
	// The state machine's log is encrypted on its way too:
	// https://docs.aws.amazon.com/step-functions/latest/dg/encryption-at-rest.html
	ofOurLogs := map[string]any{"StringEquals": map[string]any{"kms:EncryptionContext:SourceArn": logsArn(stack, "*")}}
	key.AddToResourcePolicy(letUse("DeliveredLogs", ofOurLogs, "delivery.logs.amazonaws.com"), nil)
	// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html
	ofOurLogGroups := map[string]any{"ArnLike": map[string]any{"kms:EncryptionContext:aws:logs:arn": logsArn(stack, "log-group:*")}}
	key.AddToResourcePolicy(letUse("LogGroups", ofOurLogGroups, "logs."+*awscdk.Aws_REGION()+".amazonaws.com"), nil)
	return key
}

// logsArn is the ARN of something of CloudWatch Logs in the stack's account and region.
func logsArn(stack awscdk.Stack, resource string) *string {
	return stack.FormatArn(&awscdk.ArnComponents{
		Service:   jsii.String("logs"),
		Resource:  jsii.String(resource),
		ArnFormat: awscdk.ArnFormat_NO_RESOURCE_NAME,
	})
}

// letUse is a statement of a key's policy, where "*" means the key itself.
func letUse(sid string, condition map[string]any, service string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Sid:        jsii.String(sid),
		Actions:    jsii.Strings("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
		Principals: &[]awsiam.IPrincipal{awsiam.NewServicePrincipal(jsii.String(service), nil)},
		Resources:  jsii.Strings("*"),
		Conditions: &condition,
	})
}
