package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const draft = `{
  "node-1": {"S3JsonSource": {"Name": "In", "Paths": ["s3://${Anywhere}/"]}},
  "node-2": {"S3DirectTarget": {"Name": "Out", "Inputs": ["node-1"], "Path": "s3://x/", "Format": "json"}}
}`

// jobsCheckout is a checkout with the jobs of this project, which tests may change.
func jobsCheckout(t *testing.T) {
	t.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	emptyCheckout(t)
	for _, folder := range []string{"glue-scripts", "dqdl-rules"} {
		require.NoError(t, os.CopyFS(folder, os.DirFS(filepath.Join(root, folder))))
	}
	require.NoError(t, os.WriteFile("draft.dag.json", []byte(draft), 0o644))
}

func TestGenerateSaysWhatIsStaleAndWritesIt(t *testing.T) {
	jobsCheckout(t)
	rules := filepath.Join("dqdl-rules", "movies_rows.dqdl")
	text, err := os.ReadFile(rules)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(rules, append(text, "# A remark.\n"...), 0o644))

	code, out, problem := pipeline(t.Context(), "visual generate --check")
	assert.Equal(t, []any{exitFailed, "", "pipeline: glue-scripts/movies.py is stale: run `pipeline visual generate movies`\n"}, []any{code, out, problem})

	code, out, problem = pipeline(t.Context(), "visual generate movies")
	assert.Equal(t, []any{exitOK, "wrote glue-scripts/movies.py\n", ""}, []any{code, out, problem})

	code, out, problem = pipeline(t.Context(), "visual generate --check")
	assert.Equal(t, []any{exitOK, "", ""}, []any{code, out, problem})
}

func TestAScriptThatIsGoneIsMadeAgain(t *testing.T) {
	jobsCheckout(t)
	require.NoError(t, os.Remove(filepath.Join("glue-scripts", "ratings.py")))
	_, _, problem := pipeline(t.Context(), "visual generate --check")
	assert.Equal(t, "pipeline: glue-scripts/ratings.py is missing: run `pipeline visual generate ratings`\n", problem)
	_, out, _ := pipeline(t.Context(), "visual generate")
	assert.Equal(t, "wrote glue-scripts/ratings.py\n", out)
}

func TestADraftFromAnywhere(t *testing.T) {
	jobsCheckout(t)
	code, script, problem := pipeline(t.Context(), "visual generate --file draft.dag.json")
	assert.Equal(t, exitOK, code, problem)
	assert.Contains(t, script, `connection_options={"paths": [f"s3://{args['Anywhere']}/"]},`)

	code, _, problem = pipeline(t.Context(), "visual generate --file draft.dag.json --out draft.py --check")
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, problem, "draft.py is stale: run `pipeline visual generate --file draft.dag.json --out draft.py`")
	code, _, problem = pipeline(t.Context(), "visual generate --file draft.dag.json --out draft.py")
	assert.Equal(t, exitOK, code, problem)
	code, _, problem = pipeline(t.Context(), "visual generate --file draft.dag.json --out draft.py --check")
	assert.Equal(t, exitOK, code, problem)

	code, picture, _ := pipeline(t.Context(), "visual draw --file draft.dag.json")
	assert.Equal(t, exitOK, code)
	assert.Contains(t, picture, "  node1 --> node2\n")
}

func TestWhatIsWrongWithADAGIsOneLine(t *testing.T) {
	jobsCheckout(t)
	for _, c := range []struct{ before, after, want string }{
		{`"Paths"`, `"Path"`, `draft.dag.json: node node-1: S3JsonSource: unknown field "Path"`},
		{`["node-1"]`, `["node-3"]`, `draft.dag.json: node node-2 "Out": Inputs[0]: there is no node "node-3"`},
		{
			`"Paths": ["s3://${Anywhere}/"]`, `"Paths": ["s3://x/"], "OutputSchemas": [{"Columns": [{"Type": "int"}]}]`,
			`draft.dag.json: node node-1 "In": OutputSchemas[0].Columns[0].Name: missing; the Glue API requires it`,
		},
	} {
		require.NoError(t, os.WriteFile("draft.dag.json", []byte(strings.Replace(draft, c.before, c.after, 1)), 0o644))
		code, out, problem := pipeline(t.Context(), "visual generate --file draft.dag.json")
		assert.Equal(t, exitFailed, code)
		assert.Empty(t, out)
		assert.Contains(t, problem, c.want)
		assert.Equal(t, 1, strings.Count(problem, "\n"), problem)
	}
}

func TestWrongUsageOfVisual(t *testing.T) {
	jobsCheckout(t)
	for line, want := range map[string]string{
		"visual generate films":                        `there is no job "films"; the jobs are movies, ratings`,
		"visual draw films":                            `there is no job "films"; the jobs are movies, ratings`,
		"visual draw":                                  "want the name of a job, or --file; see `pipeline visual draw --help`",
		"visual generate --out x.py":                   "--out is for --file: the scripts of jobs stand beside their DAGs",
		"visual generate movies --file draft.dag.json": `--file takes the place of a job; leave out "movies" or the flag`,
		"visual frob":                                  "unknown command \"frob\"; see `pipeline visual --help`",
	} {
		code, _, problem := pipeline(t.Context(), line)
		assert.Equal(t, exitUsage, code, line)
		assert.Contains(t, problem, want, line)
	}
}
