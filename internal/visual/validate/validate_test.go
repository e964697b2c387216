package validate

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/visual"
)

func parse(t *testing.T, content string) *visual.DAG {
	t.Helper()
	dag, err := visual.Parse("job.dag.json", []byte(content), nil)
	require.NoError(t, err)
	return dag
}

func TestJobsOfThisProjectHaveAllThatTheServiceRequires(t *testing.T) {
	for _, job := range []string{"movies", "ratings"} {
		dag, err := visual.LoadJob("../../..", job)
		require.NoError(t, err)
		assert.NoError(t, DAG(dag))
	}
}

func TestAMissingMemberIsNamed(t *testing.T) {
	dag := parse(t, `{
		"node-1": {"S3CatalogSource": {"Name": "Batch", "Database": "d", "Table": "t"}},
		"node-2": {"DropFields": {"Name": "Drop", "Inputs": ["node-1"]}},
		"node-3": {"S3DirectTarget": {"Name": "Out", "Inputs": ["node-2"], "Path": "s3://x/", "Format": "json"}}
	}`)

	assert.EqualError(t, DAG(dag), `job.dag.json: node node-2 "Drop": Paths: missing; the Glue API requires it of a node of type DropFields`)
}

func TestAMissingMemberOfAMemberIsNamed(t *testing.T) {
	dag := parse(t, `{
		"node-1": {"S3CsvSource": {"Name": "In", "Paths": ["s3://x/"], "Separator": "comma", "QuoteChar": "quote",
			"OutputSchemas": [{"Columns": [{"Type": "string"}]}]}},
		"node-2": {"S3DirectTarget": {"Name": "Out", "Inputs": ["node-1"], "Path": "s3://x/", "Format": "json"}}
	}`)

	assert.EqualError(t, DAG(dag), `job.dag.json: node node-1 "In": OutputSchemas[0].Columns[0].Name: missing; the Glue API requires it of a node of type S3CsvSource`)
}
