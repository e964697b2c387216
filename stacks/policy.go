package stacks

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// newRole is a role that one service assumes on behalf of this account, with an inline policy: it
// exists as soon as the role does, so that nothing starts with half of its permissions.
func newRole(scope constructs.Construct, id, description string, trusted awsiam.IPrincipal, statements ...awsiam.PolicyStatement) awsiam.Role {
	return awsiam.NewRole(scope, jsii.String(id), &awsiam.RoleProps{
		AssumedBy:   trusted,
		Description: jsii.String(description),
		InlinePolicies: &map[string]awsiam.PolicyDocument{
			"pipeline": awsiam.NewPolicyDocument(&awsiam.PolicyDocumentProps{Statements: &statements}),
		},
	})
}

// serviceOfThisAccount is a service acting for a resource of this account, not of another: see
// https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
func serviceOfThisAccount(service string) awsiam.IPrincipal {
	return awsiam.NewServicePrincipal(jsii.String(service), &awsiam.ServicePrincipalOpts{
		Conditions: &map[string]any{"StringEquals": map[string]any{"aws:SourceAccount": awscdk.Aws_ACCOUNT_ID()}},
	})
}

// allow is a statement that grants the actions on the resources, to a role of this account.
func allow(actions []string, resources ...*string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions:   jsii.Strings(actions...),
		Resources: &resources,
	})
}

// allowIf is allow under a condition.
func allowIf(condition map[string]any, actions []string, resources ...*string) awsiam.PolicyStatement {
	statement := allow(actions, resources...)
	statement.AddConditions(&condition)
	return statement
}

// readObjects grants reading the keys of a bucket under prefixes.
func readObjects(bucket awss3.IBucket, prefixes ...string) awsiam.PolicyStatement {
	return allow([]string{"s3:GetObject"}, objects(bucket, prefixes)...)
}

// putObjects grants writing objects under prefixes, each in one request.
func putObjects(bucket awss3.IBucket, prefixes ...string) awsiam.PolicyStatement {
	return allow([]string{"s3:PutObject"}, objects(bucket, prefixes)...)
}

// writeObjects grants writing objects under prefixes, large ones in parts, as Spark and UNLOAD do.
func writeObjects(bucket awss3.IBucket, prefixes ...string) awsiam.PolicyStatement {
	return allow([]string{"s3:AbortMultipartUpload", "s3:PutObject"}, objects(bucket, prefixes)...)
}

// deleteObjects grants deleting objects under prefixes; versions stay.
func deleteObjects(bucket awss3.IBucket, prefixes ...string) awsiam.PolicyStatement {
	return allow([]string{"s3:DeleteObject"}, objects(bucket, prefixes)...)
}

// listObjects grants the listing of whole buckets. A condition on s3:prefix would turn the answer
// to a HEAD of a missing key from 404 into 403, at which Spark's S3A gives up: see
// https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
func listObjects(buckets ...awss3.IBucket) awsiam.PolicyStatement {
	arns := make([]*string, 0, len(buckets))
	for _, bucket := range buckets {
		arns = append(arns, bucket.BucketArn())
	}
	return allow([]string{"s3:GetBucketLocation", "s3:ListBucket"}, arns...)
}

func objects(bucket awss3.IBucket, prefixes []string) []*string {
	arns := make([]*string, 0, len(prefixes))
	for _, prefix := range prefixes {
		arns = append(arns, bucket.ArnForObjects(jsii.String(prefix+"*")))
	}
	return arns
}

// useKey grants reading and writing of what the key encrypts.
func useKey(key awskms.IKey) awsiam.PolicyStatement {
	return allow([]string{"kms:Decrypt", "kms:GenerateDataKey"}, key.KeyArn())
}

// glueArn is the ARN of a resource of Glue in the stack's account and region, such as job/NAME.
func glueArn(stack awscdk.Stack, kind, name string) *string {
	return stack.FormatArn(&awscdk.ArnComponents{
		Service:      jsii.String("glue"),
		Resource:     jsii.String(kind),
		ResourceName: jsii.String(name),
	})
}

// tableArns are what a call on tables of a database is authorized against: the catalog, the database
// and each table. See https://docs.aws.amazon.com/glue/latest/dg/glue-specifying-resource-arns.html
func tableArns(stack awscdk.Stack, database string, tables ...string) []*string {
	catalog := stack.FormatArn(&awscdk.ArnComponents{Service: jsii.String("glue"), Resource: jsii.String("catalog")})
	arns := []*string{catalog, glueArn(stack, "database", database)}
	for _, table := range tables {
		arns = append(arns, glueArn(stack, "table", database+"/"+table))
	}
	return arns
}
