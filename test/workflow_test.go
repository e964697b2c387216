package test

import (
	"encoding/json"
	"maps"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// machine is a state machine, or the part of one that a Map or Parallel state runs.
type machine struct {
	StartAt        string
	TimeoutSeconds int
	States         map[string]state
}

type state struct {
	Type, Resource, Next, Default string
	TimeoutSeconds                any
	Assign                        map[string]any
	Choices, Catch, Retry         []branch
	Branches                      []machine
	ItemProcessor                 *machine
}

type branch struct {
	Condition, Next string
	Assign          map[string]any
	ErrorEquals     []string
}

func readWorkflow(t *testing.T) (machine, string) {
	t.Helper()
	content, err := os.ReadFile(projectFile("stacks/workflow.asl.json"))
	require.NoError(t, err)
	var whole machine
	require.NoError(t, json.Unmarshal(content, &whole))
	require.NotEmpty(t, whole.States)
	return whole, string(content)
}

// machines are the machine and all within it.
func machines(whole machine) []machine {
	all := []machine{whole}
	for _, state := range whole.States {
		for _, inner := range state.Branches {
			all = append(all, machines(inner)...)
		}
		if state.ItemProcessor != nil {
			all = append(all, machines(*state.ItemProcessor)...)
		}
	}
	return all
}

// boundElsewhere are the calls without a timeout in the workflow, and what ends them.
var boundElsewhere = map[string]string{"arn:aws:states:::glue:startJobRun.sync": "the job's own timeout"}

// Each call has a timeout, retries and, on it or around it, a catch.
func TestEveryCallHasTimeoutRetryAndCatch(t *testing.T) {
	whole, _ := readWorkflow(t)
	assert.Positive(t, whole.TimeoutSeconds)
	calls := 0
	var visit func(part machine, caught bool)
	visit = func(part machine, caught bool) {
		for name, state := range part.States {
			within := caught || len(state.Catch) > 0
			for _, inner := range state.Branches {
				visit(inner, within)
			}
			if state.ItemProcessor != nil {
				visit(*state.ItemProcessor, within)
			}
			if state.Type != "Task" {
				continue
			}
			calls++
			assert.True(t, within, "%s has no catch", name)
			assert.NotEmpty(t, state.Retry, "%s has no retry", name)
			if boundElsewhere[state.Resource] == "" {
				assert.NotNil(t, state.TimeoutSeconds, "%s has no timeout", name)
			}
		}
	}
	visit(whole, false)
	assert.Positive(t, calls)
}

// iamActions are the actions behind the calls that are not named like one.
var iamActions = map[string][]string{
	"s3:CopyObject":         {"s3:GetObject", "s3:PutObject"},
	"s3:DeleteObjects":      {"s3:DeleteObject"},
	"s3:ListObjectsV2":      {"s3:ListBucket"},
	"glue:StartJobRun.sync": {"glue:BatchStopJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"},
}

var iamPrefixes = map[string]string{"redshiftdata": "redshift-data", "sfn": "states"}

// actionsOf are the IAM actions of a call such as arn:aws:states:::aws-sdk:glue:getCrawler.
func actionsOf(call string) []string {
	parts := strings.Split(strings.TrimPrefix(strings.TrimPrefix(call, "arn:aws:states:::"), "aws-sdk:"), ":")
	service, operation := parts[0], strings.ToUpper(parts[1][:1])+parts[1][1:]
	if actions, special := iamActions[service+":"+operation]; special {
		return actions
	}
	if prefix, other := iamPrefixes[service]; other {
		service = prefix
	}
	return []string{service + ":" + operation}
}

// unseen are actions of the role that no state names, and why.
var unseen = map[string]string{
	"iam:PassRole":                  "the gate's role goes with startDataQualityRulesetEvaluationRun",
	"secretsmanager:GetSecretValue": "the Data API reads the secret as its caller",
	"kms:Decrypt":                   "what is read is encrypted",
	"kms:GenerateDataKey":           "what is written is encrypted",
}

// The role has each action that the workflow needs, and no other.
func TestRoleFitsTheWorkflow(t *testing.T) {
	whole, _ := readWorkflow(t)
	needed := map[string]bool{}
	for action := range unseen {
		needed[action] = true
	}
	for _, machine := range machines(whole) {
		for _, state := range machine.States {
			if state.Resource != "" {
				for _, action := range actionsOf(state.Resource) {
					needed[action] = true
				}
			}
		}
	}
	inBothForms(t, func(t *testing.T, form string) {
		granted := map[string]bool{}
		for _, s := range statements(t, form) {
			if s.ofIdentity && s.owner.Type == "AWS::IAM::Role" && strings.HasPrefix(s.owner.ID, "PipelineRole") {
				for _, action := range s.actions {
					granted[action] = true
				}
			}
		}
		assert.Equal(t, slices.Sorted(maps.Keys(needed)), slices.Sorted(maps.Keys(granted)))
	})
}

var placeholder = regexp.MustCompile(`\$\{([^}]*)\}`)

func TestSubstitutionsAreThoseOfTheWorkflow(t *testing.T) {
	_, content := readWorkflow(t)
	named := map[string]bool{}
	for _, match := range placeholder.FindAllStringSubmatch(content, -1) {
		named[match[1]] = true
	}
	inBothForms(t, func(t *testing.T, form string) {
		given := some(t, form, "AWS::StepFunctions::StateMachine")[0].Properties["DefinitionSubstitutions"].(map[string]any)
		assert.Equal(t, slices.Sorted(maps.Keys(named)), slices.Sorted(maps.Keys(given)))
	})
}

func TestLockOutlivesTheLongestRun(t *testing.T) {
	whole, _ := readWorkflow(t)
	inBothForms(t, func(t *testing.T, form string) {
		given := some(t, form, "AWS::StepFunctions::StateMachine")[0].Properties["DefinitionSubstitutions"]
		seconds, err := strconv.Atoi(at(given, "LockSeconds").(string))
		require.NoError(t, err)
		assert.Greater(t, seconds, whole.TimeoutSeconds)
	})
}

func TestStateMachineIsLoggedAndTraced(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, machine := range some(t, form, "AWS::StepFunctions::StateMachine") {
			assert.Equal(t, "ALL", at(machine.Properties, "LoggingConfiguration", "Level"))
			assert.Equal(t, true, at(machine.Properties, "TracingConfiguration", "Enabled"))
		}
	})
}
