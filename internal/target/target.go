// Package target is about where the pipeline runs: the local cloud or an AWS account. All else
// speaks to it through the AWS APIs and does not know which it is.
package target

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"moviepipeline/internal/usage"
)

// Account, region and keys of the local cloud.
const (
	LocalAccount = "000000000000"
	LocalRegion  = "us-east-1"
	localKey     = "test"
)

// Target is one environment of the pipeline in one cloud.
type Target struct {
	// Config is for AWS service clients.
	Config aws.Config
	// Environment is the name of the settings deployed: dev, prod or another.
	Environment string
	// Local is true for the local cloud.
	Local bool
}

// Options say which AWS account, region and environment a command is for; empty means default.
type Options struct {
	Environment, Region, Profile string
}

var validEnvironment = regexp.MustCompile(`^[a-z][a-z0-9-]{0,20}$`)

// CheckEnvironment refuses what cannot be the name of an environment.
func CheckEnvironment(name string) error {
	if !validEnvironment.MatchString(name) {
		return usage.Errorf("--environment %q: want lower case letters, digits and -, a letter first, at most 21 characters", name)
	}
	return nil
}

// Local is the environment in the local cloud at url. The user's own AWS settings play no part.
func Local(url, environment string) Target {
	return Target{
		Config: aws.Config{
			Region:       LocalRegion,
			BaseEndpoint: aws.String(url),
			Credentials:  credentials.NewStaticCredentialsProvider(localKey, localKey, ""),
		},
		Environment: environment,
		Local:       true,
	}
}

// LocalEnvironment gives environ with the AWS settings of the local cloud at url in place of the
// user's own.
func LocalEnvironment(environ []string, url string) []string {
	var kept []string
	for _, variable := range environ {
		if !strings.HasPrefix(variable, "AWS_") {
			kept = append(kept, variable)
		}
	}
	return append(kept,
		"AWS_ENDPOINT_URL="+url,
		"AWS_ACCESS_KEY_ID="+localKey,
		"AWS_SECRET_ACCESS_KEY="+localKey,
		"AWS_REGION="+LocalRegion,
		"AWS_CONFIG_FILE="+os.DevNull,
		"AWS_SHARED_CREDENTIALS_FILE="+os.DevNull,
	)
}

// AWS is the environment in the account of the given or the default profile.
func AWS(ctx context.Context, options Options) (Target, error) {
	settings, err := config.LoadDefaultConfig(ctx,
		config.WithRegion(options.Region), config.WithSharedConfigProfile(options.Profile))
	if err != nil {
		return Target{}, usage.Errorf("AWS settings: %w", err)
	}
	if settings.Region == "" {
		return Target{}, usage.Errorf("no AWS region is set; give --region or set AWS_REGION")
	}
	if _, err := settings.Credentials.Retrieve(ctx); err != nil {
		return Target{}, usage.Errorf("no AWS credentials (%w); give --profile, set AWS_PROFILE or sign in with `aws sso login`", err)
	}
	return Target{Config: settings, Environment: options.Environment}, nil
}

// S3 makes a client that also works with an endpoint that is an address.
func (t Target) S3() *s3.Client {
	return s3.NewFromConfig(t.Config, func(options *s3.Options) {
		options.UsePathStyle = options.BaseEndpoint != nil
		// An object that was stored without a checksum is nothing to tell people of.
		options.DisableLogOutputChecksumValidationSkipped = true
	})
}

// Prefix starts the name of everything that is deployed.
func (t Target) Prefix() string { return "movie-pipeline-" + t.Environment }

// Outputs are the outputs of stacks, by output key.
type Outputs map[string]string

// Outputs reads the outputs of the named layers' stacks. A stack that is not there is an error
// that tells how to deploy it.
func (t Target) Outputs(ctx context.Context, layers ...string) (Outputs, error) {
	client := cloudformation.NewFromConfig(t.Config)
	outputs := Outputs{}
	for _, layer := range layers {
		if err := t.addOutputs(ctx, client, layer, outputs); err != nil {
			return nil, err
		}
	}
	return outputs, nil
}

func (t Target) addOutputs(ctx context.Context, client *cloudformation.Client, layer string, outputs Outputs) error {
	name := t.Prefix() + "-" + layer
	described, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if isMissingStack(err) {
		return &NotDeployedError{Stack: name, Target: t}
	}
	if err != nil {
		return fmt.Errorf("stack %s: %w", name, err)
	}
	if len(described.Stacks) == 0 {
		return &NotDeployedError{Stack: name, Target: t}
	}
	stack := described.Stacks[0]
	if len(stack.Outputs) == 0 {
		return fmt.Errorf("stack %s has no outputs; its state is %s: mend the deployment first", name, stack.StackStatus)
	}
	for _, output := range stack.Outputs {
		outputs[aws.ToString(output.OutputKey)] = aws.ToString(output.OutputValue)
	}
	return nil
}

// Stands tells whether a stack of that name is there and was deployed to its end.
func (t Target) Stands(ctx context.Context, name string) (bool, error) {
	described, err := cloudformation.NewFromConfig(t.Config).DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if isMissingStack(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("stack %s: %w", name, err)
	}
	return slices.ContainsFunc(described.Stacks, func(stack types.Stack) bool {
		return stack.StackStatus == types.StackStatusCreateComplete || stack.StackStatus == types.StackStatusUpdateComplete
	}), nil
}

// Get gives an output that must be there.
func (o Outputs) Get(key string) (string, error) {
	value, found := o[key]
	if !found || value == "" {
		return "", fmt.Errorf("the deployed stacks have no output %s; deploy the present version with `cdk deploy --all`", key)
	}
	return value, nil
}

// NotDeployedError is a stack that is not there.
type NotDeployedError struct {
	Stack  string
	Target Target
}

// Error says what to deploy, and how.
func (e *NotDeployedError) Error() string {
	if e.Target.Local {
		return fmt.Sprintf("stack %s is not deployed to the local cloud; run `pipeline up` (or `pipeline run`) first", e.Stack)
	}
	return fmt.Sprintf("stack %s is not deployed in region %s; run `npx cdk deploy --all -c environment=%s` first",
		e.Stack, e.Target.Config.Region, e.Target.Environment)
}

// isMissingStack knows DescribeStacks' answer for a stack that does not exist: a ValidationError
// told from others by its text alone.
func isMissingStack(err error) bool {
	var failure smithy.APIError
	return errors.As(err, &failure) && failure.ErrorCode() == "ValidationError" &&
		strings.Contains(failure.ErrorMessage(), "does not exist")
}
