package project

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/usage"
)

// checkout is a folder that counts as a checkout of this repository.
func checkout(t *testing.T) Project {
	t.Helper()
	root, err := filepath.EvalSymlinks(t.TempDir())
	require.NoError(t, err)
	for _, name := range []string{"datasets.json", "go.mod"} {
		require.NoError(t, os.WriteFile(filepath.Join(root, name), nil, 0o644))
	}
	return Project{Root: root}
}

func TestFindLooksUpwards(t *testing.T) {
	want := checkout(t)
	inside := filepath.Join(want.Root, "sql", "marts")
	require.NoError(t, os.MkdirAll(inside, 0o755))
	found, err := Find(inside)
	require.NoError(t, err)
	assert.Equal(t, want, found)

	_, err = Find(t.TempDir())
	assert.ErrorContains(t, err, "is not inside a checkout of the pipeline")
	assert.True(t, usage.Is(err))
}

func TestMissingToolsAreOneLine(t *testing.T) {
	bare := checkout(t)
	assert.EqualError(t, bare.CheckLocalCloud(t.Context()), ".venv/bin/python is missing in "+bare.Root+"; run `make setup` first")
	assert.EqualError(t, bare.CheckDeploy(t.Context()), "node_modules/.bin/cdk is missing in "+bare.Root+"; run `make setup` first")
}

func TestVersionsAreCompared(t *testing.T) {
	// Each "tool" is the shell, printing what such tools print.
	says := func(text string) []string { return []string{"sh", "-c", "echo '" + text + "'"} }
	assert.NoError(t, checkVersion(t.Context(), "Java", 17, says(`openjdk version "17.0.15" 2025-04-15`)...))
	assert.NoError(t, checkVersion(t.Context(), "Node.js", 20, says("v22.1.0")...))
	assert.EqualError(t, checkVersion(t.Context(), "Java", 17, says(`java version "1.8.0_402"`)...), `Java 17 or newer is needed; "sh" is version 1`)
	assert.ErrorContains(t, checkVersion(t.Context(), "Node.js", 20, says("nonsense")...), "gave no version")
	assert.ErrorContains(t, checkVersion(t.Context(), "Node.js", 20, "no-such-tool"), `"no-such-tool" does not run`)
}

func TestLockIsHeldByOneAtATime(t *testing.T) {
	shared := checkout(t)
	release, err := shared.Lock(t.Context(), func() { t.Error("nobody else held it") })
	require.NoError(t, err)

	waiting := make(chan struct{})
	taken := make(chan func())
	go func() {
		second, err := shared.Lock(t.Context(), func() { close(waiting) })
		assert.NoError(t, err)
		taken <- second
	}()
	<-waiting
	select {
	case <-taken:
		t.Fatal("two hold the lock")
	default:
	}
	release()
	second := <-taken
	defer second()

	short, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	_, err = shared.Lock(short, func() {})
	assert.ErrorIs(t, err, context.DeadlineExceeded)
}
