package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/execution"
	"moviepipeline/internal/usage"
)

// emptyCheckout is the working folder of a test: a checkout in which nothing was set up.
func emptyCheckout(t *testing.T) {
	t.Helper()
	list, err := os.ReadFile(filepath.Join("..", "..", "datasets.json"))
	require.NoError(t, err)
	t.Chdir(t.TempDir())
	require.NoError(t, os.WriteFile("datasets.json", list, 0o644))
	require.NoError(t, os.WriteFile("go.mod", nil, 0o644))
}

func pipeline(ctx context.Context, line string) (code int, out, err string) {
	var stdout, stderr bytes.Buffer
	code = execute(ctx, strings.Fields(line), &stdout, &stderr)
	return code, stdout.String(), stderr.String()
}

// TestWrongUsage: each is one line that says what to do, and exit 2, with nothing started.
func TestWrongUsage(t *testing.T) {
	emptyCheckout(t)
	require.NoError(t, os.MkdirAll("data/unheard_of", 0o755))
	for line, want := range map[string]string{
		"frob":                        "unknown command \"frob\"; see `pipeline --help`",
		"run now":                     "pipeline run takes no argument \"now\"",
		"run --colour":                "unknown flag: --colour; see `pipeline run --help`",
		"run --ingest-date 31.1.2026": `--ingest-date "31.1.2026" is no date; give it as YYYY-MM-DD`,
		"run --datasets unheard_of":   `unknown dataset "unheard_of"; known are`,
		"run --raw gone":              "--raw gone: no such file or directory",
		"run --raw data":              "data/unheard_of is the folder of no known dataset",
		"run --output xml":            `--output "xml": want table, json`,
		"run --environment Prod!":     `--environment "Prod!": want lower case letters`,
		"run --profile x":             "--region and --profile are for --aws",
		"run":                         "run `make setup` first",
		"up":                          "run `make setup` first",
		"up --aws":                    "pipeline up is for the local cloud",
		"reset":                       "nothing was deleted; confirm with `yes` or give --yes",
		"status":                      "run `pipeline run` first",
		"status one two":              "takes at most 1 argument",
		"status --output json":        "--output json is for one run",
		"logs":                        "takes the name of one step",
		"logs gate --lines -1":        "--lines -1: want 0 (all) to 10000",
		"query":                       "no SQL statement is given",
		"query x --file y":            "not both",
		"query --file gone.sql":       "--file: open gone.sql: no such file or directory",
		"query --file gone":           `there is no file "gone", and sql/queries has no query of that name`,
		"query --output parquet x":    `--output "parquet": want table, json, csv`,
		"quarantine mend":             `unknown command "mend"`,
		"quarantine show x":           `takes no argument "x"`,
		"quarantine show --limit -1":  "--limit -1: want a number of rows",
		"quarantine show --output x":  `--output "x": want table, json, csv`,
		"quarantine replay":           "give --dataset and --ingest-date",
		"dq history --limit 0":        "--limit 0: want 1 to 1000 runs",
		"dq history --output csv":     `--output "csv": want table, json`,
		"dq":                          "give the rules and the data",
		"dq --rules go.mod":           "give the rules and the data",
		"dq --rules gone --data data": "--rules gone: no such file or folder",
		"dq --rules data --data data": "--rules data: this is a folder",
		"dq --rules go.mod --data go.mod --source movies":                     `--source "movies": want ALIAS=FILE`,
		"dq --rules go.mod --data go.mod --source a=go.mod --source a=go.mod": `the alias "a" is taken`,
		"dq --rules go.mod --data go.mod --source primary=go.mod":             `the alias "primary" is taken`,
		"dq --rules go.mod --data go.mod --rows gone/out.jsonl":               "does not exist",
		"dq --rules go.mod --data go.mod --output xml":                        `--output "xml": want table, json`,
		"dq --rules go.mod --data go.mod --composite both":                    `--composite "both": want column, row`,
		"dq --rules go.mod --data go.mod":                                     "run `make setup` first",
		"dq --rules go.mod --data go.mod --aws":                               "pipeline dq works on files of this machine",
	} {
		code, out, err := pipeline(t.Context(), line)
		assert.Equal(t, exitUsage, code, line)
		assert.Contains(t, err, want, line)
		assert.Len(t, strings.Split(strings.TrimSpace(err), "\n"), lines(line), line)
		assert.Empty(t, out, line)
	}
}

// lines of the error output: what was begun is shown before the error.
func lines(line string) int {
	if line == "up" {
		return 2
	}
	return 1
}

func TestSavedQueries(t *testing.T) {
	emptyCheckout(t)
	require.NoError(t, os.MkdirAll(savedQueries, 0o755))
	for name, sql := range map[string]string{"first": "select 1", "second": "select 2"} {
		require.NoError(t, os.WriteFile(filepath.Join(savedQueries, name+".sql"), []byte(sql), 0o644))
	}

	sql, err := statement(nil, nil, "second")
	require.NoError(t, err)
	assert.Equal(t, "select 2", sql)
	_, err = statement(nil, nil, "third")
	assert.ErrorContains(t, err, "it has first, second")

	require.NoError(t, os.WriteFile("second", []byte("select 'a file'"), 0o644))
	sql, err = statement(nil, nil, "second")
	require.NoError(t, err)
	assert.Equal(t, "select 'a file'", sql, "a file of that name comes first")
}

func TestOutsideOfACheckout(t *testing.T) {
	t.Chdir(t.TempDir())
	code, _, err := pipeline(t.Context(), "run")
	assert.Equal(t, exitUsage, code)
	assert.Contains(t, err, "is not inside a checkout of the pipeline")
}

func TestNothingToStopOrDelete(t *testing.T) {
	emptyCheckout(t)
	code, out, _ := pipeline(t.Context(), "down")
	assert.Equal(t, exitOK, code)
	assert.Equal(t, "No local cloud runs.\n", out)
	code, _, _ = pipeline(t.Context(), "reset --yes")
	assert.Equal(t, exitOK, code)
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	root := (&app{out: &bytes.Buffer{}, err: &bytes.Buffer{}}).root()
	for _, command := range append(root.Commands(), root) {
		assert.NotEmpty(t, command.Short, command.Name())
		assert.Contains(t, command.Example, "pipeline "+strings.TrimPrefix(command.Name(), "pipeline"), command.Name())
		code, out, _ := pipeline(t.Context(), strings.TrimPrefix(command.CommandPath(), "pipeline")+" --help")
		assert.Equal(t, exitOK, code)
		assert.Contains(t, out, "Usage:")
	}
}

func TestExitCodes(t *testing.T) {
	interrupted, cancel := context.WithCancel(t.Context())
	cancel()
	assert.Equal(t, 0, exitCode(t.Context(), nil))
	assert.Equal(t, 1, exitCode(t.Context(), errors.New("the run failed")))
	assert.Equal(t, 2, exitCode(t.Context(), usage.Errorf("wrong")))
	assert.Equal(t, 130, exitCode(interrupted, interrupted.Err()))
	assert.Equal(t, 130, exitCode(t.Context(), told{130}))
}

func TestFailureNamesStepDatasetCauseAndTheNextCommand(t *testing.T) {
	step, dataset := "Gate", "films"
	result := execution.Result{Summary: execution.Summary{
		Execution: "x", Status: execution.Failed,
		Error: &execution.Failure{Step: &step, Dataset: &dataset, Error: "GateFailed", Cause: "RowCount > 0 failed"},
	}}
	local := &app{}
	local.options.Environment = "dev"
	assert.Equal(t, "the run failed at step Gate of dataset films (GateFailed): RowCount > 0 failed\n"+
		"See more: pipeline logs gate --dataset films --execution x", local.failureText(result))
	onAWS := &app{onAWS: true}
	onAWS.options.Environment, onAWS.options.Region = "prod", "eu-west-1"
	result.Error = &execution.Failure{Error: "Aborted", Cause: "The run was stopped."}
	assert.Equal(t, "the run failed (Aborted): The run was stopped.\n"+
		"See more: pipeline status x --aws --region eu-west-1 --environment prod", onAWS.failureText(result))
}

func TestDeathOfTheLocalCloudIsToldWhateverCallItBroke(t *testing.T) {
	broken := errors.New("operation error SFN: GetExecutionHistory, request send failed")
	died := &app{stateDir: t.TempDir()}
	assert.ErrorContains(t, died.explain(broken), "the local cloud no longer answers")
	assert.ErrorContains(t, died.explain(broken), "`pipeline up` starts it again")
	assert.NoError(t, died.explain(nil))
	assert.Equal(t, broken, (&app{}).explain(broken), "it had no part in this")
}

func TestRunNamesSortByTimeAndDiffer(t *testing.T) {
	at := time.Date(2026, 2, 1, 4, 0, 0, 0, time.UTC)
	assert.Regexp(t, `^2026-01-31-run-20260201T040000-[a-z2-7]{4}$`, runName("2026-01-31", at))
	assert.Regexp(t, `^scheduled-run-20260201T040000-`, runName("", at))
	assert.NotEqual(t, runName("", at), runName("", at))
}

func TestSampleIsMadeAgainWhenItsMakerChanged(t *testing.T) {
	source, sample := t.TempDir(), filepath.Join(t.TempDir(), "sample")
	maker := filepath.Join(source, "make_sample.py")
	require.NoError(t, os.WriteFile(maker, nil, 0o644))
	fresh := func() bool {
		t.Helper()
		fresh, err := newer(sample, source)
		require.NoError(t, err)
		return fresh
	}
	assert.False(t, fresh(), "it is not there")
	require.NoError(t, os.Mkdir(sample, 0o755))
	assert.True(t, fresh())
	later := time.Now().Add(time.Minute)
	require.NoError(t, os.Chtimes(maker, later, later))
	assert.False(t, fresh())
}

func TestStatementComesFromOnePlace(t *testing.T) {
	path := filepath.Join(t.TempDir(), "question.sql")
	require.NoError(t, os.WriteFile(path, []byte("select 1\n"), 0o644))
	for name, given := range map[string]struct {
		arguments []string
		file      string
	}{"argument": {[]string{"select 1\n"}, ""}, "file": {nil, path}, "input": {nil, "-"}} {
		sql, err := statement(strings.NewReader("select 1\n"), given.arguments, given.file)
		require.NoError(t, err, name)
		assert.Equal(t, "select 1\n", sql, name)
	}
	_, err := statement(strings.NewReader(" \n"), nil, "-")
	assert.True(t, usage.Is(err))
}

// TestNoCDKInTheCommandLine: the CDK's packages take a minute to compile; the CLI of the CDK is run instead.
func TestNoCDKInTheCommandLine(t *testing.T) {
	packages, err := exec.Command("go", "list", "-deps", ".").Output()
	require.NoError(t, err)
	assert.Contains(t, string(packages), "moviepipeline/internal/deploy")
	assert.NotContains(t, string(packages), "aws-cdk-go")
	assert.NotContains(t, string(packages), "jsii-runtime-go")
}
