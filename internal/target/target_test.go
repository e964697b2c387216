package target

import (
	"errors"
	"testing"

	"github.com/aws/smithy-go"
	"github.com/stretchr/testify/assert"

	"moviepipeline/internal/usage"
)

// TestLocalEnvironmentHidesTheUsersAWS: nothing of the user's own account may reach the CDK.
func TestLocalEnvironmentHidesTheUsersAWS(t *testing.T) {
	environ := LocalEnvironment([]string{"HOME=/home/a", "AWS_PROFILE=work", "AWS_SESSION_TOKEN=secret", "AWS_ENDPOINT_URL_S3=https://x"}, "http://127.0.0.1:1")
	assert.Equal(t, []string{
		"HOME=/home/a", "AWS_ENDPOINT_URL=http://127.0.0.1:1", "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test",
		"AWS_REGION=us-east-1", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}, environ)
}

func TestMissingStackIsToldFromOtherErrors(t *testing.T) {
	assert.True(t, isMissingStack(&smithy.GenericAPIError{Code: "ValidationError", Message: "Stack with id x does not exist"}))
	assert.False(t, isMissingStack(&smithy.GenericAPIError{Code: "ValidationError", Message: "1 validation error detected"}))
	assert.False(t, isMissingStack(errors.New("does not exist")))
	assert.False(t, isMissingStack(nil))
}

func TestMissingStackTellsHowToDeploy(t *testing.T) {
	local := Local("http://127.0.0.1:1", "dev")
	assert.ErrorContains(t, &NotDeployedError{Stack: "movie-pipeline-dev-lake", Target: local}, "run `pipeline up`")
	account := Target{Environment: "prod"}
	account.Config.Region = "eu-west-1"
	assert.EqualError(t, &NotDeployedError{Stack: "movie-pipeline-prod-lake", Target: account},
		"stack movie-pipeline-prod-lake is not deployed in region eu-west-1; run `npx cdk deploy --all -c environment=prod` first")
}

func TestOutputThatIsNotThere(t *testing.T) {
	outputs := Outputs{"RawBucket": "raw", "Empty": ""}
	value, err := outputs.Get("RawBucket")
	assert.NoError(t, err)
	assert.Equal(t, "raw", value)
	for _, key := range []string{"Empty", "Gone"} {
		_, err := outputs.Get(key)
		assert.ErrorContains(t, err, "no output "+key)
	}
}

func TestCheckEnvironment(t *testing.T) {
	for _, name := range []string{"dev", "prod", "feature-7"} {
		assert.NoError(t, CheckEnvironment(name))
	}
	for _, name := range []string{"", "Dev", "7up", "a b", "dev/../prod", "a-name-that-is-far-too-long"} {
		assert.True(t, usage.Is(CheckEnvironment(name)), name)
	}
}
