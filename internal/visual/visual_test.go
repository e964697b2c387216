package visual

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const checkout = "../.."

// parse reads a DAG that is given as the members of nodes, with the file rules.dqdl to include.
func parse(t *testing.T, content string) (*DAG, error) {
	t.Helper()
	return Parse("job.dag.json", []byte(content), func(name string) (string, error) {
		if name == "rules.dqdl" {
			return "Rules = [ RowCount > 0 ]", nil
		}
		return readInclude(t.TempDir(), name)
	})
}

// jobs are those whose DAG the project has.
func jobs(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(checkout, Folder, "*"+Suffix))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), Suffix))
	}
	return names
}

func TestScriptsAndPicturesOfThisProjectAreFresh(t *testing.T) {
	for _, job := range jobs(t) {
		dag, err := LoadJob(checkout, job)
		require.NoError(t, err)
		assert.NoError(t, dag.Fresh(checkout))
		_, shown, err := dag.Picture(checkout)
		require.NoError(t, err)
		assert.True(t, shown, "README.md has no picture of "+job)
		assert.NoError(t, dag.FreshPicture(checkout))
	}
}

func TestAScriptWithoutADAGIsNoJob(t *testing.T) {
	scripts, err := filepath.Glob(filepath.Join(checkout, Folder, "*.py"))
	require.NoError(t, err)
	for _, script := range scripts {
		assert.Contains(t, jobs(t), strings.TrimSuffix(filepath.Base(script), ".py"))
	}
}

func TestMarshalIsStable(t *testing.T) {
	for _, job := range jobs(t) {
		content, err := os.ReadFile(filepath.Join(checkout, JobFile(job)))
		require.NoError(t, err)
		// As the service answers: members in any order, on one line.
		var nodes map[string]any
		require.NoError(t, json.Unmarshal(content, &nodes))
		shuffled, err := json.Marshal(nodes)
		require.NoError(t, err)
		dag, err := Parse(JobFile(job), shuffled, func(name string) (string, error) { return readInclude(checkout, name) })
		require.NoError(t, err)
		again, err := dag.Marshal()
		require.NoError(t, err)
		assert.Equal(t, string(content), string(again))
	}
}

func TestResolvePutsValuesAndFilesIn(t *testing.T) {
	dag, err := parse(t, `{
		"node-1": {"S3CatalogSource": {"Name": "Batch", "Database": "${BatchDatabase}", "Table": "t"}},
		"node-2": {"EvaluateDataQualityMultiFrame": {"Name": "Rules", "Inputs": ["node-1"], "Ruleset": "${file:rules.dqdl}"}},
		"node-3": {"SelectFromCollection": {"Name": "rowLevelOutcomes", "Inputs": ["node-2"], "Index": 1}},
		"node-4": {"S3DirectTarget": {"Name": "Out", "Inputs": ["node-3"], "Path": "s3://${ProcessedBucket}/x/${ProcessedBucket}/", "Format": "json"}}
	}`)
	require.NoError(t, err)
	assert.Equal(t, []string{"BatchDatabase", "ProcessedBucket"}, dag.Placeholders())

	nodes, err := dag.Resolve(map[string]string{"BatchDatabase": "dev_batch", "ProcessedBucket": "out"})

	require.NoError(t, err)
	assert.Equal(t, "dev_batch", *nodes["node-1"].S3CatalogSource.Database)
	assert.Equal(t, "s3://out/x/out/", *nodes["node-4"].S3DirectTarget.Path)
	assert.Equal(t, "Rules = [ RowCount > 0 ]", *nodes["node-2"].EvaluateDataQualityMultiFrame.Ruleset)
	assert.Equal(t, "${BatchDatabase}", *dag.Config["node-1"].S3CatalogSource.Database, "the DAG itself stays as it was written")
}

func TestResolveWantsAllValues(t *testing.T) {
	dag, err := parse(t, `{
		"node-1": {"S3CatalogSource": {"Name": "Batch", "Database": "${BatchDatabase}", "Table": "t"}},
		"node-2": {"S3DirectTarget": {"Name": "Out", "Inputs": ["node-1"], "Path": "s3://x/", "Format": "json"}}
	}`)
	require.NoError(t, err)

	_, err = dag.Resolve(map[string]string{"ProcessedBucket": "out"})

	assert.EqualError(t, err, `job.dag.json: node node-1 "Batch": Database: ${BatchDatabase} has no value; known are ProcessedBucket`)
}

func TestNodesStandAfterTheirInputsElseInNaturalOrder(t *testing.T) {
	dag, err := parse(t, `{
		"node-10": {"S3CatalogSource": {"Name": "j", "Database": "d", "Table": "t"}},
		"node-2": {"S3DirectTarget": {"Name": "b", "Inputs": ["node-10"], "Path": "s3://x/", "Format": "json"}},
		"node-3": {"S3CatalogSource": {"Name": "c", "Database": "d", "Table": "t"}},
		"node-1": {"S3DirectTarget": {"Name": "a", "Inputs": ["node-3"], "Path": "s3://x/", "Format": "json"}}
	}`)
	require.NoError(t, err)
	assert.Equal(t, []string{"node-3", "node-1", "node-10", "node-2"}, ids(dag.Nodes))
}

func TestAStalePictureIsTold(t *testing.T) {
	folder := t.TempDir()
	dag, err := parse(t, around(`{"DropDuplicates": {"Name": "<b> & \"quotes\" #1", "Inputs": ["node-1"]}}`))
	require.NoError(t, err)
	shown := filepath.Join(folder, PictureFile)
	require.NoError(t, os.WriteFile(shown, []byte("a\n<!-- dag: job -->\nold\n<!-- /dag -->\nb\n"), 0o600))
	require.EqualError(t, dag.FreshPicture(folder), "README.md is stale: run `pipeline visual generate job`")

	file, _, err := dag.Picture(folder)

	require.NoError(t, err)
	assert.Equal(t, "a\n<!-- dag: job -->\n\n```mermaid\n"+`flowchart LR
  node1[("In<br/><small>Amazon S3, CSV</small>")]
  node2["#lt;b#gt; #amp; #quot;quotes#quot; #35;1<br/><small>Drop Duplicates</small>"]
  node9[/"Out<br/><small>Amazon S3</small>"/]
  node1 --> node2
  node2 --> node9
`+"```\n\n<!-- /dag -->\nb\n", string(file.Content))
	require.NoError(t, os.WriteFile(shown, file.Content, 0o600))
	assert.NoError(t, dag.FreshPicture(folder))
}

func TestANodeNamedEndDoesNotEndThePicture(t *testing.T) {
	dag, err := parse(t, `{
		"start": {"S3CatalogSource": {"Name": "In", "Database": "d", "Table": "t"}},
		"end": {"S3DirectTarget": {"Name": "Out", "Inputs": ["start"], "Path": "s3://x/", "Format": "json"}}
	}`)
	require.NoError(t, err)
	assert.Contains(t, Draw(dag), "  start --> end_\n")
	assert.NotRegexp(t, `\bend\b`, Draw(dag))
}

func TestTheDocumentNamesAllNodesAndPlaceholders(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(checkout, "docs", "visual-jobs.md"))
	require.NoError(t, err)
	for _, name := range append(Types(), Names...) {
		assert.Contains(t, string(content), "`"+name+"`")
	}
}
