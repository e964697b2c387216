package test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/datasets"
)

func datasetList(t *testing.T) []datasets.Dataset {
	t.Helper()
	list, err := datasets.Load(projectFile("datasets.json"))
	require.NoError(t, err)
	return list
}

// The command line and people find things by these names.
func TestOutputs(t *testing.T) {
	expected := map[string][]string{
		"lake":       {"RawBucket", "ProcessedBucket", "ArtifactsBucket", "RawDatabase", "BatchDatabase", "ProcessedDatabase"},
		"warehouse":  {"Workgroup", "Database", "AnalystRoleArn", "AdminSecretArn"},
		"workflow":   {"StateMachineArn", "LockTable", "AlertsTopicArn"},
		"monitoring": {"DashboardUrl"},
	}
	inBothForms(t, func(t *testing.T, formName string) {
		for stack, names := range expected {
			outputs := form(t, formName).templates[stack]["Outputs"]
			for _, name := range names {
				assert.NotNil(t, at(outputs, name, "Value"), "%s has no output %s", stack, name)
				assert.NotEmpty(t, at(outputs, name, "Description"), "%s of %s", name, stack)
			}
		}
	})
}

// The names that scripts, workflow and command line compose.
func TestNames(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		prefix := "movie-pipeline-" + form
		named := map[string]string{
			"AWS::StepFunctions::StateMachine":   "StateMachineName",
			"AWS::RedshiftServerless::Namespace": "NamespaceName",
			"AWS::RedshiftServerless::Workgroup": "WorkgroupName",
		}
		for resourceType, property := range named {
			assert.Equal(t, prefix, some(t, form, resourceType)[0].Properties[property])
		}
		var crawlers, databases []any
		for _, crawler := range some(t, form, "AWS::Glue::Crawler") {
			crawlers = append(crawlers, crawler.Properties["Name"])
		}
		for _, database := range some(t, form, "AWS::Glue::Database") {
			databases = append(databases, at(database.Properties, "DatabaseInput", "Name"))
		}
		assert.ElementsMatch(t, []any{prefix + "-raw", prefix + "-processed"}, crawlers)
		zones := "movie_pipeline_" + form
		assert.ElementsMatch(t, []any{zones + "_raw", zones + "_batch", zones + "_processed"}, databases)
	})
}
