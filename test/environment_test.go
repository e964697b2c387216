package test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/stacks"
)

// environmentOf reads an environment from a context as in cdk.json.
func environmentOf(t *testing.T, context string) (stacks.Environment, error) {
	t.Helper()
	var decoded map[string]any
	require.NoError(t, json.Unmarshal([]byte(context), &decoded))
	return stacks.EnvironmentOf(awscdk.NewApp(&awscdk.AppProps{Context: &decoded, Outdir: jsii.String(t.TempDir())}))
}

func TestDefaults(t *testing.T) {
	environment, err := environmentOf(t, `{"environments": {"dev": {}}}`)
	require.NoError(t, err)
	assert.Equal(t, "movie-pipeline-dev", environment.Prefix())
	assert.Equal(t, "movie_pipeline_dev_raw", environment.Database("raw"))
	assert.Equal(t, "5.1", environment.Job.GlueVersion)
	assert.False(t, environment.Schedule.Enabled)
	assert.False(t, environment.Retain)
}

func TestSettingsReplaceDefaultsOneByOne(t *testing.T) {
	environment, err := environmentOf(t, `{"environment": "trial", "environments": {"trial": {"job": {"workers": 7}}}}`)
	require.NoError(t, err)
	assert.Equal(t, "trial", environment.Name)
	assert.Equal(t, 7, environment.Job.Workers)
	assert.Equal(t, "G.1X", environment.Job.WorkerType)
}

func TestSettingsOfTheProject(t *testing.T) {
	dev, prod := form(t, "dev").environment, form(t, "prod").environment
	assert.False(t, dev.Retain)
	assert.False(t, dev.Schedule.Enabled)
	assert.True(t, prod.Retain)
	assert.True(t, prod.Schedule.Enabled)
}

// Each case is a setting that is refused, and the line that says so.
func TestSettingsRefused(t *testing.T) {
	cases := map[string]struct{ settings, message string }{
		"unknown":               {`{"retian": true}`, `unknown setting "retian"; there are alertEmail, gate, job, quarantineAlarmPercent, retain, retention, schedule, warehouse`},
		"unknown in a group":    {`{"job": {"worker": 2}}`, `unknown setting "job.worker"; there are attempts, glueVersion, timeoutMinutes, visual, workerType, workers`},
		"other letter case":     {`{"Retain": true}`, `unknown setting "Retain"; there are alertEmail, gate, job, quarantineAlarmPercent, retain, retention, schedule, warehouse`},
		"no map":                {`"small"`, `want a map of settings, got small`},
		"text for a number":     {`{"job": {"workers": "2"}}`, `setting "job.workers": want a whole number, got string`},
		"fraction":              {`{"job": {"workers": 2.5}}`, `setting "job.workers": want a whole number, got number 2.5`},
		"text for a flag":       {`{"retain": "yes"}`, `setting "retain": want true or false, got string`},
		"number for a text":     {`{"alertEmail": 5}`, `setting "alertEmail": want a text, got number`},
		"number for a group":    {`{"schedule": 5}`, `setting "schedule": want a map of settings, got number`},
		"e-mail":                {`{"alertEmail": "me at example"}`, `alertEmail: "me at example" is no e-mail address`},
		"schedule not daily":    {`{"schedule": {"expression": "cron(0 6 ? * MON *)"}}`, `schedule.expression: "cron(0 6 ? * MON *)" does not fire every day; want cron(MINUTES HOURS * * ? *)`},
		"rate":                  {`{"schedule": {"expression": "rate(1 day)"}}`, `schedule.expression: "rate(1 day)" does not fire every day; want cron(MINUTES HOURS * * ? *)`},
		"time zone":             {`{"schedule": {"timezone": "Mars/Olympus"}}`, `schedule.timezone: "Mars/Olympus" is no IANA time zone`},
		"days late":             {`{"schedule": {"lateDays": -1}}`, `schedule.lateDays: want 0 to 30`},
		"old Glue":              {`{"job": {"glueVersion": "4.0"}}`, `job.glueVersion: "4.0" is not 5.x, for which the scripts are written`},
		"worker type":           {`{"job": {"workerType": "G.025X"}}`, `job.workerType: "G.025X" is not one of G.1X, G.2X, G.4X, G.8X, G.12X, G.16X, R.1X, R.2X, R.4X, R.8X`},
		"one worker":            {`{"job": {"workers": 1}}`, `job.workers: want 2 to 299`},
		"no attempt":            {`{"job": {"attempts": 0}}`, `job.attempts: want 1 to 5`},
		"gate without workers":  {`{"gate": {"workers": 0}}`, `gate.workers: want 2 to 299`},
		"capacity not a step":   {`{"warehouse": {"baseCapacity": 12, "maxCapacity": 16}}`, `warehouse.baseCapacity: want 4, or 8 to 512 RPU in steps of 8`},
		"more than the maximum": {`{"warehouse": {"baseCapacity": 32, "maxCapacity": 16}}`, `warehouse.baseCapacity is above warehouse.maxCapacity`},
		"days of logs":          {`{"retention": {"logDays": 31}}`, `retention.logDays: want one of [1 3 5 7 14 30 60 90 180 365 731 1827 3653]`},
		"temporary for a day":   {`{"retention": {"temporaryDays": 1}}`, `retention.temporaryDays: want 2 to 365, so that no run loses a file it works on`},
		"share of all rows":     {`{"quarantineAlarmPercent": 100}`, `quarantineAlarmPercent: want more than 0 and less than 100`},
	}
	for name, refused := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := environmentOf(t, `{"environments": {"dev": `+refused.settings+`}}`)
			assert.EqualError(t, err, "environment dev: "+refused.message)
		})
	}
}

func TestEnvironmentsRefused(t *testing.T) {
	cases := map[string]struct{ context, message string }{
		"not there":              {`{"environment": "stage", "environments": {"prod": {}, "dev": {}}}`, `environment "stage" is not in cdk.json, which has dev, prod`},
		"no environments":        {`{}`, `cdk.json: the context has no map "environments"`},
		"no name":                {`{"environment": 5, "environments": {"dev": {}}}`, `environment: want a name, got 5`},
		"name for no bucket":     {`{"environment": "My_Env", "environments": {"My_Env": {}}}`, `environment My_Env: its name goes into resource names: want at most 16 lower case letters and digits, a letter first`},
		"prod that loses data":   {`{"environment": "prod", "environments": {"prod": {"retain": false}}}`, `environment prod: "retain" must be true in prod: deleting a stack would delete the data`},
		"prod without a setting": {`{"environment": "prod", "environments": {"prod": {}}}`, `environment prod: "retain" must be true in prod: deleting a stack would delete the data`},
	}
	for name, refused := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := environmentOf(t, refused.context)
			assert.EqualError(t, err, refused.message)
		})
	}
}

// Jobs that may run longer than the state machine contradict it; nothing is synthesized.
func TestPipelineRefusesJobsLongerThanTheWorkflow(t *testing.T) {
	environment, err := environmentOf(t, `{"environments": {"dev": {"job": {"timeoutMinutes": 1440}}}}`)
	require.NoError(t, err)
	stage := awscdk.NewStage(awscdk.NewApp(&awscdk.AppProps{Outdir: jsii.String(t.TempDir())}), jsii.String("Stage"), nil)
	_, err = stacks.NewPipeline(stage, environment)
	assert.ErrorContains(t, err, "environment dev: 2 waves of datasets may take 349200 s by gate.timeoutMinutes, job.timeoutMinutes and job.attempts, but the workflow's TimeoutSeconds is ")
	assert.Empty(t, *stage.Node().Children())
}

// The app itself: the real CLI synthesizes, and says in one line what is wrong with a setting.
func TestRealSynth(t *testing.T) {
	if testing.Short() {
		t.Skip("two runs of the CDK command line")
	}
	cdk, err := filepath.Abs(projectFile("node_modules/.bin/cdk"))
	require.NoError(t, err)
	if _, err := os.Stat(cdk); err != nil {
		t.Skip("the CDK command line is not installed: make setup")
	}
	synth := func(arguments ...string) (string, error) {
		command := exec.Command(cdk, append([]string{"synth", "--quiet", "--output", t.TempDir()}, arguments...)...)
		command.Dir = projectFile(".")
		command.Env = append(os.Environ(), "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION=20")
		output, err := command.CombinedOutput()
		return string(output), err
	}
	output, err := synth()
	require.NoError(t, err, output)
	assert.NotContains(t, output, "WARNING", "%s", output)

	output, err = synth("-c", "environment=stage")
	require.Error(t, err)
	assert.Contains(t, output, "environment \"stage\" is not in cdk.json, which has dev, prod\n")
	assert.NotContains(t, output, "panic")
}
