package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/datasets"
	"moviepipeline/internal/warehouse"
)

// deployed reads what a form's stack copies into a folder of the artifacts bucket: content by key. The
// snapshots mask the hashes of these files.
func deployed(t *testing.T, formName, stack, folder string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for _, deployment := range some(t, formName, "Custom::CDKBucketDeployment") {
		if deployment.Stack != stack {
			continue
		}
		require.Equal(t, folder, deployment.Properties["DestinationBucketKeyPrefix"])
		require.Equal(t, true, deployment.Properties["Prune"], "files that are gone from the project stay in the bucket")
		for _, key := range deployment.Properties["SourceObjectKeys"].([]any) {
			asset := assetHash.FindString(key.(string))
			paths, err := filepath.Glob(filepath.Join(assetPath(t, formName, asset), "*"))
			require.NoError(t, err)
			require.NotEmpty(t, paths)
			for _, path := range paths {
				content, err := os.ReadFile(path)
				require.NoError(t, err)
				files[folder+filepath.Base(path)] = string(content)
			}
		}
	}
	require.NotEmpty(t, files)
	return files
}

// assetPath is where a form's assembly, which is within that of the app, has an asset.
func assetPath(t *testing.T, formName, asset string) string {
	t.Helper()
	for _, folder := range []string{form(t, formName).folder, filepath.Dir(form(t, formName).folder)} {
		found, err := filepath.Glob(filepath.Join(folder, "asset."+asset+"*")) // a file has its ending
		require.NoError(t, err)
		if len(found) == 1 {
			return found[0]
		}
	}
	require.Fail(t, "no asset "+asset)
	return ""
}

func TestScriptsOfJobsThatAreNotVisualAreDeployed(t *testing.T) {
	files := deployed(t, "other", "jobs", "glue-scripts/")
	var expected []string
	for _, dataset := range datasetList(t) {
		key := "glue-scripts/" + dataset.Name + ".py"
		expected = append(expected, key)
		script, err := os.ReadFile(projectFile(key))
		require.NoError(t, err)
		assert.Equal(t, string(script), files[key])
	}
	for key := range files {
		assert.Contains(t, expected, key)
	}
	locations := text(some(t, "other", "AWS::Glue::Job"))
	for _, key := range expected {
		assert.Regexp(t, regexp.QuoteMeta("/"+key), locations)
	}
}

func TestPlansAreDeployed(t *testing.T) {
	list := datasetList(t)
	statements, err := warehouse.Plan(projectFile("sql"), list)
	require.NoError(t, err)
	sql, err := json.Marshal(statements)
	require.NoError(t, err)
	plan, err := json.Marshal(map[string]any{"datasets": list, "waves": datasets.Waves(list)})
	require.NoError(t, err)
	inBothForms(t, func(t *testing.T, form string) {
		files := deployed(t, form, "workflow", "workflow/")
		assert.Len(t, files, 2)
		assert.JSONEq(t, string(plan), files["workflow/datasets.json"])
		assert.JSONEq(t, string(sql), files["workflow/warehouse.json"])
	})
}

// The definition that is deployed is the file that the other tests read.
func TestWorkflowIsDeployed(t *testing.T) {
	_, content := readWorkflow(t)
	inBothForms(t, func(t *testing.T, formName string) {
		machine := some(t, formName, "AWS::StepFunctions::StateMachine")[0]
		key := at(machine.Properties, "DefinitionS3Location", "Key").(string)
		asset, err := os.ReadFile(assetPath(t, formName, key))
		require.NoError(t, err)
		assert.Equal(t, content, string(asset))
	})
}
