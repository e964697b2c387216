package localcloud

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/project"
)

// checkout is a folder with links to this repository, so that its state is its own.
func checkout(t *testing.T, links ...string) project.Project {
	t.Helper()
	source, err := filepath.Abs(filepath.Join("..", ".."))
	require.NoError(t, err)
	root := t.TempDir()
	for _, name := range links {
		if _, err := os.Stat(filepath.Join(source, name)); err != nil {
			t.Skipf("%s is not set up; `make setup` does it", name)
		}
		require.NoError(t, os.Symlink(filepath.Join(source, name), filepath.Join(root, name)))
	}
	return project.Project{Root: root}
}

// TestStartAndStop runs the real local cloud through its life.
func TestStartAndStop(t *testing.T) {
	ctx := t.Context()
	here := checkout(t, ".venv", ".jars", "local", "datasets.json")
	stateDir := here.StateDir()
	assert.False(t, HasState(stateDir))
	stopped, err := Stop(ctx, stateDir)
	require.NoError(t, err)
	assert.False(t, stopped, "nothing runs yet")

	started, err := Start(ctx, here)
	require.NoError(t, err)
	t.Cleanup(func() {
		_, err := Stop(t.Context(), stateDir)
		assert.NoError(t, err)
	})
	again, err := Start(ctx, here)
	require.NoError(t, err)
	assert.Equal(t, started, again, "a second start finds the first")
	response, err := http.Get(started.URL)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())

	stopped, err = Stop(ctx, stateDir)
	require.NoError(t, err)
	assert.True(t, stopped)
	_, running := Running(ctx, stateDir)
	assert.False(t, running)
	assert.True(t, HasState(stateDir), "the state is kept")

	require.NoError(t, os.WriteFile(filepath.Join(stateDir, project.LockFile), nil, 0o644))
	require.NoError(t, Reset(stateDir))
	left, err := os.ReadDir(stateDir)
	require.NoError(t, err)
	require.Len(t, left, 1)
	assert.Equal(t, project.LockFile, left[0].Name())
}

func TestStartTellsWhyItEnded(t *testing.T) {
	here := checkout(t, ".venv", ".jars")
	_, err := Start(t.Context(), here)
	assert.ErrorContains(t, err, "the local cloud ended at its start")
	assert.ErrorContains(t, err, "No module named local")
}

// TestPortOfADeadCloudMayBeAnothers: something answers there, but it is not the local cloud.
func TestPortOfADeadCloudMayBeAnothers(t *testing.T) {
	another := httptest.NewServer(http.NotFoundHandler())
	defer another.Close()
	ended := exec.Command("true")
	require.NoError(t, ended.Run())
	stateDir := t.TempDir()
	left, err := json.Marshal(Endpoint{URL: another.URL, PID: ended.Process.Pid})
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(endpointFile(stateDir), left, 0o644))
	_, running := Running(t.Context(), stateDir)
	assert.False(t, running)
}

// TestStopLeavesOtherProcessesAlone: an endpoint left behind may name a number that is another's now.
func TestStopLeavesOtherProcessesAlone(t *testing.T) {
	stateDir := t.TempDir()
	left := []byte(`{"url": "http://127.0.0.1:1", "pid": 1}`)
	require.NoError(t, os.WriteFile(endpointFile(stateDir), left, 0o644))
	stopped, err := Stop(t.Context(), stateDir)
	require.NoError(t, err)
	assert.False(t, stopped)
	_, running := Running(t.Context(), stateDir)
	assert.False(t, running)
}
