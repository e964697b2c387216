package test

import (
	"maps"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/visual"
)

// customOf is a custom resource of a dataset's job.
func customOf(t *testing.T, form, kind, dataset string) resource {
	t.Helper()
	for _, found := range some(t, form, kind) {
		if strings.HasPrefix(found.ID, strings.ToUpper(dataset[:1])+dataset[1:]) {
			return found
		}
	}
	require.Fail(t, "no "+kind+" of "+dataset)
	return resource{}
}

// assetText is the content of the asset that a property names.
func assetText(t *testing.T, form string, place any) string {
	t.Helper()
	content, err := os.ReadFile(assetPath(t, form, assetHash.FindString(at(place, "Key").(string))))
	require.NoError(t, err)
	return string(content)
}

// jobOf is the job of a dataset.
func jobOf(t *testing.T, form, dataset string) resource {
	t.Helper()
	for _, job := range some(t, form, "AWS::Glue::Job") {
		if job.Properties["Name"] == "movie-pipeline-"+form+"-"+dataset {
			return job
		}
	}
	require.Fail(t, "no job of "+dataset)
	return resource{}
}

// The script that the tests run is the one that is uploaded, to where the job looks for it: a place
// of its own for each version.
func TestTestedScriptsAreDeployed(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, dataset := range datasetList(t) {
			script, err := os.ReadFile(projectFile("glue-scripts/" + dataset.Name + ".py"))
			require.NoError(t, err)
			for _, kind := range []string{"Custom::VisualJobScript", "Custom::VisualJob"} {
				custom := customOf(t, form, kind, dataset.Name)
				assert.Equal(t, string(script), assetText(t, form, custom.Properties["Script"]))
				hash := assetHash.FindString(at(custom.Properties, "Script", "Key").(string))
				location := text(at(jobOf(t, form, dataset.Name).Properties, "Command", "ScriptLocation"))
				assert.Contains(t, location, "/visual-jobs/"+dataset.Name+"/"+hash+".py")
			}
		}
	})
}

// What is registered is the DAG's file, with a value for each placeholder.
func TestDAGsAreDeployed(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, dataset := range datasetList(t) {
			dag, err := visual.LoadJob(projectFile("."), dataset.Name)
			require.NoError(t, err)
			custom := customOf(t, form, "Custom::VisualJob", dataset.Name)
			given := custom.Properties["Values"].(map[string]any)
			values, nodes := map[string]string{}, assetText(t, form, custom.Properties["Nodes"])
			for name := range given {
				values[name] = "the value of " + name
				assert.Contains(t, nodes, "<<value:"+name+">>")
				nodes = strings.ReplaceAll(nodes, "<<value:"+name+">>", values[name])
				argument := at(jobOf(t, form, dataset.Name).Properties, "DefaultArguments", "--"+name)
				assert.Equal(t, argument, given[name], "the script gets another value of %s than the canvas", name)
			}
			resolved, err := dag.Resolve(values)
			require.NoError(t, err)
			expected, err := visual.Marshal(resolved)
			require.NoError(t, err)
			assert.Equal(t, string(expected), nodes)
		}
	})
}

// UpdateJob resets what it is not told: the registration tells all that the job's own resource has.
func TestRegistrationHasTheWholeJob(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		for _, dataset := range datasetList(t) {
			job := maps.Clone(jobOf(t, form, dataset.Name).Properties)
			delete(job, "Tags") // which UpdateJob does not touch
			for _, kind := range []string{"Custom::VisualJobScript", "Custom::VisualJob"} {
				told := customOf(t, form, kind, dataset.Name).Properties["Job"]
				assert.JSONEq(t, joined(t, job), joinedText(t, told))
			}
		}
	})
}

// joined is a value as JSON, each Fn::Join and reference in it as one text.
func joined(t *testing.T, value any) string {
	t.Helper()
	var flatten func(any) any
	flatten = func(value any) any {
		object, isObject := value.(map[string]any)
		if !isObject {
			return value
		}
		if len(object) == 1 && (object["Fn::Join"] != nil || object["Fn::ImportValue"] != nil || object["Fn::GetAtt"] != nil || object["Ref"] != nil) {
			return joinedText(t, object)
		}
		flat := map[string]any{}
		for name, item := range object {
			flat[name] = flatten(item)
		}
		return flat
	}
	return text(flatten(value))
}

// joinedText is what Fn::Join puts together, with each reference by its JSON, without quotes.
func joinedText(t *testing.T, value any) string {
	t.Helper()
	parts, isJoin := at(value, "Fn::Join", 1).([]any)
	if !isJoin {
		return strings.ReplaceAll(text(value), `"`, "'")
	}
	var whole strings.Builder
	for _, part := range parts {
		if plain, isText := part.(string); isText {
			whole.WriteString(plain)
		} else {
			whole.WriteString(strings.ReplaceAll(text(part), `"`, "'"))
		}
	}
	return whole.String()
}

// All checks come before the first job, all else in the stack before them, and a job after the
// registration of the one before: nothing can fail between a job's update and its registration.
func TestJobsAreUpdatedOneByOneAfterAllChecks(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		var before []string
		list := datasetList(t)
		for _, dataset := range list {
			script := customOf(t, form, "Custom::VisualJobScript", dataset.Name)
			before = append(before, script.ID)
			for _, ruleset := range some(t, form, "AWS::Glue::DataQualityRuleset") {
				assert.Contains(t, script.DependsOn, ruleset.ID)
			}
		}
		for _, dataset := range list {
			job := jobOf(t, form, dataset.Name)
			for _, id := range before {
				assert.Contains(t, job.DependsOn, id)
			}
			registration := customOf(t, form, "Custom::VisualJob", dataset.Name)
			assert.Contains(t, registration.DependsOn, job.ID)
			before = []string{registration.ID}
		}
	})
}

// Lambda calls a function that did not end well once more, by default twice: after the stack was told so.
func TestRegistrationsAreTriedOnce(t *testing.T) {
	inBothForms(t, func(t *testing.T, form string) {
		config := some(t, form, "AWS::Lambda::EventInvokeConfig")[0]
		assert.Contains(t, text(config.Properties["FunctionName"]), "VisualJobs")
		assert.EqualValues(t, 0, config.Properties["MaximumRetryAttempts"])
		for _, script := range some(t, form, "Custom::VisualJobScript") {
			assert.Contains(t, script.DependsOn, config.ID)
		}
	})
}

func TestNothingVisualWhenItIsTurnedOff(t *testing.T) {
	for _, resource := range resources(t, "other", "") {
		assert.NotContains(t, resource.Type, "Visual")
		assert.NotContains(t, resource.ID, "VisualJob")
		assert.NotContains(t, text(resource.Properties), "visual-jobs/")
	}
	for _, job := range some(t, "other", "AWS::Glue::Job") {
		assert.Contains(t, text(at(job.Properties, "Command", "ScriptLocation")), "/glue-scripts/")
	}
}

func TestDiscardedEditsAreNamed(t *testing.T) {
	environment, err := environmentOf(t, `{"environments": {"dev": {}}, "discardCanvasEdits": "one,two"}`)
	require.NoError(t, err)
	assert.Equal(t, []string{"one", "two"}, environment.DiscardCanvasEdits)
	_, err = environmentOf(t, `{"environments": {"dev": {}}, "discardCanvasEdits": 5}`)
	assert.EqualError(t, err, "discardCanvasEdits: want names of jobs, got 5")
}
