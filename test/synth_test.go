// Package test checks what the stacks synthesize to. All tests share one synthesis of three forms:
// "dev", "prod", and "other" with the settings that neither of them has: jobs that are not visual,
// and a Glue connection to the warehouse.
package test

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"
	"github.com/stretchr/testify/require"

	"moviepipeline/stacks"
)

// assemblies is the folder of all cloud assemblies, which is removed in the end.
var assemblies string

func TestMain(m *testing.M) {
	assemblies = must(os.MkdirTemp("", "stacks"))
	code := m.Run()
	jsii.Close()
	check(os.RemoveAll(assemblies))
	os.Exit(code)
}

// resource is one resource of a template, with its place for messages.
type resource struct {
	Form, Stack, ID string
	Type            string
	Properties      map[string]any
	DeletionPolicy  string
	DependsOn       any
}

func (r resource) String() string { return r.Form + "/" + r.Stack + "/" + r.ID + " (" + r.Type + ")" }

// stackNames are the stacks of every form, without the environment's prefix.
var stackNames = []string{"jobs", "lake", "monitoring", "warehouse", "workflow"}

// synthesis is what one form of the app becomes.
type synthesis struct {
	environment stacks.Environment
	// folder is the cloud assembly, with the assets.
	folder    string
	templates map[string]map[string]any
	// findings are the messages of cdk-nag: by construct path, rule and text.
	findings []finding
}

type finding struct{ Form, Stack, Path, Text string }

// synthesized holds all forms. A Stage does not validate templates as an App does: that takes
// five of six seconds, and `cdk synth` does it.
var synthesized = sync.OnceValue(func() map[string]synthesis {
	app := awscdk.NewApp(&awscdk.AppProps{Context: cdkContext(), AnalyticsReporting: jsii.Bool(false), Outdir: jsii.String(assemblies)})
	forms := map[string]synthesis{}
	for _, form := range []string{"dev", "prod", "other"} {
		stage := awscdk.NewStage(app, jsii.String(strings.ToUpper(form)), nil)
		stage.Node().SetContext(jsii.String("environment"), form)
		forms[form] = synthesizeForm(form, stage)
	}
	return forms
})

// cdkContext is the context of cdk.json, which is not read outside of the CLI, with an e-mail address
// for prod that the repository does not ship, and a third environment.
func cdkContext() *map[string]any {
	var config struct {
		Context map[string]any `json:"context"`
	}
	check(json.Unmarshal(must(os.ReadFile("../cdk.json")), &config))
	prod := config.Context["environments"].(map[string]any)["prod"].(map[string]any)
	prod["alertEmail"] = "pipeline@example.com"
	config.Context["environments"].(map[string]any)["other"] = map[string]any{
		"job": map[string]any{"visual": false}, "warehouse": map[string]any{"glueConnection": true},
	}
	return &config.Context
}

func synthesizeForm(form string, stage awscdk.Stage) synthesis {
	environment := must(stacks.EnvironmentOf(stage))
	must(stacks.NewPipeline(stage, environment))
	awscdk.Aspects_Of(stage).Add(cdknag.NewAwsSolutionsChecks(nil), nil)
	assembly := stage.Synth(nil)
	result := synthesis{environment: environment, folder: *assembly.Directory(), templates: map[string]map[string]any{}}
	for _, artifact := range *assembly.Stacks() {
		name := strings.TrimPrefix(*artifact.StackName(), environment.Prefix()+"-")
		var template map[string]any
		check(json.Unmarshal(must(os.ReadFile(*artifact.TemplateFullPath())), &template))
		result.templates[name] = template
		result.findings = append(result.findings, annotations(form, name, strings.Replace(*artifact.TemplateFullPath(), ".template.json", ".metadata.json", 1))...)
	}
	return result
}

// annotations are the warnings and errors that the assembly has of a stack.
func annotations(form, stack, file string) []finding {
	var metadata map[string][]struct {
		Type string `json:"type"`
		Data any    `json:"data"`
	}
	check(json.Unmarshal(must(os.ReadFile(file)), &metadata))
	var found []finding
	for path, entries := range metadata {
		for _, entry := range entries {
			if entry.Type == "aws:cdk:error" || entry.Type == "aws:cdk:warning" {
				found = append(found, finding{form, stack, path, fmt.Sprint(entry.Data)})
			}
		}
	}
	return found
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// form is the synthesis of a form. It fails when a stack is not there: an assertion on a template
// that does not exist would find nothing wrong with it.
func form(t *testing.T, name string) synthesis {
	t.Helper()
	result, exists := synthesized()[name]
	require.True(t, exists, "no form %q", name)
	require.Equal(t, stackNames, slices.Sorted(maps.Keys(result.templates)))
	return result
}

// resources are those of a type in a form, of all types for an empty type.
func resources(t *testing.T, formName, resourceType string) []resource {
	t.Helper()
	var found []resource
	synthesis := form(t, formName)
	for _, stack := range stackNames {
		all := synthesis.templates[stack]["Resources"].(map[string]any)
		for _, id := range slices.Sorted(maps.Keys(all)) {
			raw := all[id].(map[string]any)
			if resourceType != "" && raw["Type"] != resourceType {
				continue
			}
			properties, _ := raw["Properties"].(map[string]any)
			deletion, _ := raw["DeletionPolicy"].(string)
			found = append(found, resource{formName, stack, id, raw["Type"].(string), properties, deletion, raw["DependsOn"]})
		}
	}
	return found
}

// some is resources, of which there must be some.
func some(t *testing.T, formName, resourceType string) []resource {
	t.Helper()
	found := resources(t, formName, resourceType)
	require.NotEmpty(t, found, "%s has no %s", formName, resourceType)
	return found
}

// at walks into nested maps and lists: at(properties, "Targets", "S3Targets", 0, "Path").
func at(value any, path ...any) any {
	for _, step := range path {
		switch key := step.(type) {
		case string:
			inner, isMap := value.(map[string]any)
			if !isMap {
				return nil
			}
			value = inner[key]
		case int:
			inner, isList := value.([]any)
			if !isList || key >= len(inner) {
				return nil
			}
			value = inner[key]
		}
	}
	return value
}

// text is a value of a template as JSON, for looking for a name in it.
func text(value any) string { return string(must(json.Marshal(value))) }

// inBothForms runs the test for dev and prod.
func inBothForms(t *testing.T, test func(t *testing.T, form string)) {
	t.Helper()
	for _, name := range []string{"dev", "prod"} {
		t.Run(name, func(t *testing.T) { test(t, name) })
	}
}

func projectFile(name string) string { return filepath.Join("..", name) }
