package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/project"
)

// needsSpark skips a test that starts a JVM where the tools for it are not there.
func needsSpark(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("starts a JVM")
	}
	checkout, err := project.Find(".")
	require.NoError(t, err)
	if err := checkout.CheckLocalCloud(t.Context()); err != nil {
		t.Skipf("no Spark on this machine: %v", err)
	}
}

func TestWrongUsageOfTheReviewAndTheRecommendation(t *testing.T) {
	for line, want := range map[string]string{
		"dq check gone.dqdl":                            "gone.dqdl: no such file; name rule files (*.dqdl)",
		"dq check --output xml":                         `--output "xml": want text, json`,
		"dq check --aws":                                "leave out --aws",
		"dq recommend":                                  "give the data; for instance: pipeline dq recommend --data films.csv",
		"dq recommend --data gone.csv":                  "--data gone.csv: no such file or folder",
		"dq recommend --data main.go --part x":          `--part "x": want all, batch, rows`,
		"dq recommend --data main.go --output x":        `--output "x": want dqdl, json`,
		"dq recommend --data main.go --aws":             "leave out --aws",
		"dq recommend --data main.go --out main.go":     "the file is there already",
		"dq recommend --data main.go --out gone/x.dqdl": "the folder gone does not exist",
	} {
		code, out, err := pipeline(t.Context(), line)
		assert.Equal(t, exitUsage, code, line)
		assert.Contains(t, err, want, line)
		assert.Empty(t, out, line)
	}
}

func TestAReviewTellsFindingsByTheirLines(t *testing.T) {
	needsSpark(t)
	file := filepath.Join(t.TempDir(), "draft.dqdl")
	require.NoError(t, os.WriteFile(file, []byte("Rules = [\n    RowCount >= 0,\n    IsComplete \"a\"\n]\n"), 0o644))
	code, out, _ := pipeline(t.Context(), "dq check --no-sample "+file)
	assert.Equal(t, exitFailed, code)
	assert.Contains(t, out, file+":2: never-fails: RowCount >= 0\n")
	assert.Contains(t, out, "1 finding on 2 rules in 1 file\n")
}

func TestARecommendationIsAFileThatTheDataPass(t *testing.T) {
	needsSpark(t)
	data, out := filepath.Join(t.TempDir(), "tags.csv"), filepath.Join(t.TempDir(), "tags.dqdl")
	require.NoError(t, os.WriteFile(data, []byte("id,tag\n1,drama\n2,comedy\n3,drama\n"), 0o644))
	code, printed, said := pipeline(t.Context(), "dq recommend --data "+data+" --out "+out)
	require.Equal(t, exitOK, code, said)
	assert.Contains(t, printed, "each of which the data pass: 3 rows were evaluated")
	assert.Contains(t, printed, "Faults that any data can have")
	ruleset, err := os.ReadFile(out)
	require.NoError(t, err)
	assert.Contains(t, string(ruleset), "    # All 3 values differ: it may be a key.\n    IsUnique \"id\"")

	code, printed, said = pipeline(t.Context(), "dq --rules "+out+" --data "+data+" --output json")
	require.Equal(t, exitOK, code, said)
	var evaluated struct{ Passed, Failed int }
	require.NoError(t, json.Unmarshal([]byte(printed), &evaluated))
	assert.Zero(t, evaluated.Failed)
}
