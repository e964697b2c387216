package dqdl_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/dqdl"
	"moviepipeline/internal/project"
)

// checkoutOf is a checkout with rules of its own, and the tools and the code of this one.
func checkoutOf(t *testing.T, rules string) project.Project {
	t.Helper()
	real, err := project.Find(".")
	require.NoError(t, err)
	if real.CheckLocalCloud(t.Context()) != nil {
		t.Skip("Python packages, jars or Java are not there; `make setup` installs them")
	}
	root := t.TempDir()
	for _, name := range []string{".venv", ".jars", "local", "datasets.json"} {
		require.NoError(t, os.Symlink(filepath.Join(real.Root, name), filepath.Join(root, name)))
	}
	require.NoError(t, os.Mkdir(filepath.Join(root, "dqdl-rules"), 0o755))
	write(t, root, rules)
	return project.Project{Root: root}
}

func write(t *testing.T, root, rules string) {
	t.Helper()
	require.NoError(t, os.WriteFile(filepath.Join(root, "dqdl-rules", "films_rows.dqdl"), []byte(rules), 0o644))
}

func TestRulesAreParsedOnceAndAgainWhenTheyChange(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a JVM")
	}
	checkout := checkoutOf(t, "Rules = [ RowCount > 0 ]")
	require.NoError(t, dqdl.Check(t.Context(), checkout))

	// Without its tools the check can only remember.
	require.NoError(t, os.Remove(filepath.Join(checkout.Root, ".venv")))
	require.NoError(t, dqdl.Check(t.Context(), checkout))
	write(t, checkout.Root, "Rules = [ RowCount > 1 ]")
	assert.ErrorContains(t, dqdl.Check(t.Context(), checkout), "run `make setup` first")
}

func TestARuleThatIsNoDQDLStopsSynthesis(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a JVM")
	}
	checkout := checkoutOf(t, "Rules = [\n  RowCount > 0,\n  RowCount >> 1\n]\n")
	for range 2 {
		err := dqdl.Check(t.Context(), checkout)
		require.ErrorContains(t, err, "dqdl-rules/films_rows.dqdl: ")
		assert.ErrorContains(t, err, "line 3, column 13")
		assert.NotContains(t, err.Error(), "ANTLR")
	}
}
