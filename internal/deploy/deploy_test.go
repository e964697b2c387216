package deploy

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/project"
	"moviepipeline/internal/target"
)

func write(t *testing.T, root, name, content string) {
	t.Helper()
	path := filepath.Join(root, name)
	require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

func hashOf(t *testing.T, root, environment string) string {
	t.Helper()
	hash, err := Hash(root, environment)
	require.NoError(t, err)
	return hash
}

func TestHashChangesWithWhatIsSynthesized(t *testing.T) {
	root := t.TempDir()
	write(t, root, "cdk.json", "{}")
	write(t, root, "sql/marts/a.sql", "select 1")
	before := hashOf(t, root, "dev")
	assert.Equal(t, before, hashOf(t, root, "dev"))
	assert.NotEqual(t, before, hashOf(t, root, "prod"), "environment")

	for name, content := range map[string]string{
		"README.md": "words", "stacks/lake_test.go": "package stacks", "local/redshift.py": "pass", "internal/render/rows.go": "package render",
	} {
		write(t, root, name, content)
		assert.Equal(t, before, hashOf(t, root, "dev"), "%s is no part of a deployment", name)
	}
	write(t, root, "sql/marts/a.sql", "select 2")
	changed := hashOf(t, root, "dev")
	assert.NotEqual(t, before, changed, "content")
	write(t, root, "sql/marts/b.sql", "select 2")
	added := hashOf(t, root, "dev")
	assert.NotEqual(t, changed, added, "new file")
	require.NoError(t, os.Rename(filepath.Join(root, "sql/marts/b.sql"), filepath.Join(root, "sql/marts/c.sql")))
	assert.NotEqual(t, added, hashOf(t, root, "dev"), "name")
}

// TestHashCoversTheApp: every folder and file that the list names stands in the project.
func TestHashCoversTheApp(t *testing.T) {
	for _, source := range sources {
		_, err := os.Stat(filepath.Join("..", "..", source))
		assert.NoError(t, err, source)
	}
}

func TestNoteIsKeptByEnvironmentAndForgottenBeforeADeployment(t *testing.T) {
	checkout := project.Project{Root: t.TempDir()}
	require.NoError(t, os.Mkdir(checkout.StateDir(), 0o755))
	dev := Deployment{Checkout: checkout, Target: target.Local("", "dev")}
	prod := Deployment{Checkout: checkout, Target: target.Local("", "prod")}
	require.NoError(t, dev.note("one"))
	require.NoError(t, prod.note("two"))
	assert.Equal(t, map[string]string{"dev": "one", "prod": "two"}, dev.deployed())
	require.NoError(t, dev.note(""))
	assert.Equal(t, map[string]string{"prod": "two"}, dev.deployed())
	write(t, checkout.StateDir(), "deployed.json", "{half")
	assert.Empty(t, dev.deployed(), "a broken note means: deploy")
}

func TestFollowTellsOfProgressAndOfWhatFailed(t *testing.T) {
	output := `movie-pipeline-dev-lake: deploying... [1/5]
movie-pipeline-dev-lake |  0/31 | 9:00:01 AM | CREATE_IN_PROGRESS   | AWS::S3::Bucket | Raw
movie-pipeline-dev-lake |  1/31 | 9:00:02 AM | CREATE_FAILED        | AWS::KMS::Key   | Key (Key4F) no such principal

 ❌  movie-pipeline-dev-lake failed: ToolkitError: the stack failed to deploy
`
	deployment := Deployment{Target: target.Local("", "dev")}
	var progress []string
	lines := deployment.follow(strings.NewReader(output), func(words string) { progress = append(progress, words) })
	assert.Equal(t, []string{"lake 0/31", "lake 1/31"}, progress)
	assert.Equal(t, []string{
		"  movie-pipeline-dev-lake |  1/31 | 9:00:02 AM | CREATE_FAILED        | AWS::KMS::Key   | Key (Key4F) no such principal",
		"  movie-pipeline-dev-lake: deploying... [1/5]",
		"   ❌  movie-pipeline-dev-lake failed: ToolkitError: the stack failed to deploy",
	}, lines)
}
