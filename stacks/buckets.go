package stacks

import (
	"strings"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awskms"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
)

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

func days(count int) awscdk.Duration { return awscdk.Duration_Days(jsii.Number(count)) }
