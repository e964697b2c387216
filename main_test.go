package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/project"
)

// TestNothingIsSynthesizedFromRulesThatAreNoDQDL: what runs first in every `cdk` command refuses them.
func TestNothingIsSynthesizedFromRulesThatAreNoDQDL(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a JVM")
	}
	checkout, err := project.Find(".")
	require.NoError(t, err)
	if err := checkout.CheckLocalCloud(t.Context()); err != nil {
		t.Skipf("no Java or packages on this machine: %v", err)
	}
	root := t.TempDir()
	for _, name := range []string{".venv", ".jars", "local", "datasets.json", "go.mod"} {
		require.NoError(t, os.Symlink(filepath.Join(checkout.Root, name), filepath.Join(root, name)))
	}
	require.NoError(t, os.Mkdir(filepath.Join(root, "dqdl-rules"), 0o755))
	rules := filepath.Join(root, "dqdl-rules", "films_gate.dqdl")
	require.NoError(t, os.WriteFile(rules, []byte("Rules = [ RowCount > ]\n"), 0o644))
	t.Chdir(root)
	assert.ErrorContains(t, synthesize(), "dqdl-rules/films_gate.dqdl: ")
}
