// Package pull takes home what was edited on the canvas of Glue Studio: it reads the DAG of a deployed
// job and puts it into the project's files so that nothing differs but what was edited.
package pull

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"moviepipeline/internal/visual"
)

// Deployed is a job as it is on AWS.
type Deployed struct {
	Nodes map[string]types.CodeGenConfigurationNode
	// Values are the job's arguments, without the leading dashes: what the placeholders stand for.
	Values map[string]string
}

// ErrNoJob and ErrNoDAG say why there is nothing to take home.
var (
	ErrNoJob = errors.New("there is no such job")
	ErrNoDAG = errors.New("the job has no DAG: it is its script alone, by the setting job.visual or because it was turned into a script in Glue Studio")
)

// Job reads the DAG of a deployed job. What the service tells of it and this program does not know is
// an error: it would be lost.
func Job(ctx context.Context, client *glue.Client, name string) (Deployed, error) {
	var body []byte
	answer, err := client.GetJob(ctx, &glue.GetJobInput{JobName: &name}, func(options *glue.Options) {
		options.APIOptions = append(options.APIOptions, keepBody(&body))
	})
	var missing *types.EntityNotFoundException
	if errors.As(err, &missing) {
		return Deployed{}, ErrNoJob
	}
	if err != nil {
		return Deployed{}, err
	}
	if len(answer.Job.CodeGenConfigurationNodes) == 0 {
		return Deployed{}, ErrNoDAG
	}
	if err := checkKnown(body, answer.Job.CodeGenConfigurationNodes); err != nil {
		return Deployed{}, err
	}
	values := map[string]string{}
	for name, value := range answer.Job.DefaultArguments {
		values[strings.TrimPrefix(name, "--")] = value
	}
	return Deployed{answer.Job.CodeGenConfigurationNodes, values}, nil
}

// keepBody keeps the text of the answer, from which the SDK reads only the fields it knows.
func keepBody(body *[]byte) func(*middleware.Stack) error {
	keep := middleware.DeserializeMiddlewareFunc("KeepBody", func(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleDeserialize(ctx, in)
		response, isHTTP := out.RawResponse.(*smithyhttp.Response)
		if err != nil || !isHTTP {
			return out, metadata, err
		}
		defer response.Body.Close()
		if *body, err = io.ReadAll(response.Body); err != nil {
			return out, metadata, err
		}
		response.Body = io.NopCloser(bytes.NewReader(*body))
		return out, metadata, nil
	})
	return func(stack *middleware.Stack) error { return stack.Deserialize.Add(keep, middleware.After) }
}

func checkKnown(body []byte, nodes map[string]types.CodeGenConfigurationNode) error {
	var answer struct {
		Job struct{ CodeGenConfigurationNodes any }
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return fmt.Errorf("the answer of Glue: %w", err)
	}
	known, err := asTree(nodes)
	if err != nil {
		return err
	}
	if unknown := unknownFields(answer.Job.CodeGenConfigurationNodes, known, ""); len(unknown) > 0 {
		return fmt.Errorf("the DAG on AWS has what this version does not know: %s; a newer version of the Glue SDK in go.mod may", strings.Join(unknown, ", "))
	}
	return nil
}

// unknownFields are the paths of what full has and known lacks, save what is empty.
func unknownFields(full, known any, path string) []string {
	var found []string
	switch full := full.(type) {
	case map[string]any:
		members, _ := known.(map[string]any)
		for _, name := range slices.Sorted(maps.Keys(full)) {
			at := strings.TrimPrefix(path+"."+name, ".")
			inner, has := members[name]
			if !has && !isEmpty(full[name]) && full[name] != false {
				found = append(found, at)
				continue
			}
			found = append(found, unknownFields(full[name], inner, at)...)
		}
	case []any:
		items, _ := known.([]any)
		for i := range min(len(full), len(items)) {
			found = append(found, unknownFields(full[i], items[i], fmt.Sprintf("%s[%d]", path, i))...)
		}
	}
	return found
}

// Changes are what taking a DAG home does to the project.
type Changes struct {
	// Files are those to be written: the DAG, its script, the files that it includes.
	Files []visual.File
	// Nodes say what was done to which node, a line each.
	Nodes []string
	// Literals are texts that were typed on the canvas and look like a deploy-time name.
	Literals []string
	// Broken says why no script can be generated, nil if it can.
	Broken error
}

// Merge puts the deployed DAG into the project. The function read gives the text of an included file.
func Merge(dag *visual.DAG, deployed Deployed, read func(name string) (string, error)) (Changes, error) {
	values, err := valuesOf(dag, deployed)
	if err != nil {
		return Changes{}, err
	}
	resolved, err := dag.Resolve(values)
	if err != nil {
		return Changes{}, err
	}
	merging := merge{values: values, read: read, included: map[string]string{}, includes: map[string]int{}}
	if err := merging.all(dag.Config, resolved, deployed.Nodes); err != nil {
		return Changes{}, err
	}
	changes := Changes{Nodes: merging.nodes, Literals: merging.literals}
	for _, name := range slices.Sorted(maps.Keys(merging.included)) {
		changes.Files = append(changes.Files, visual.File{Path: name, Content: []byte(merging.included[name])})
	}
	return changes, changes.addDAG(dag.File, merging)
}

// addDAG adds the DAG and, if it is one that a script can be generated from, the script.
func (c *Changes) addDAG(file string, merging merge) error {
	content, err := json.MarshalIndent(merging.result, "", "  ")
	if err != nil {
		return err
	}
	merged, err := visual.Parse(file, content, merging.text)
	if err == nil {
		err = merged.CheckNames(visual.Names)
	}
	if err != nil {
		c.Broken = err
		c.Files = append(c.Files, visual.File{Path: file, Content: append(content, '\n')})
		return nil
	}
	files, err := merged.Files()
	c.Files = append(c.Files, files...)
	return err
}

// valuesOf are the values of the placeholders in the DAG. One that contains another could not be told
// from it.
func valuesOf(dag *visual.DAG, deployed Deployed) (map[string]string, error) {
	values := map[string]string{}
	for _, name := range dag.Placeholders() {
		value := deployed.Values[name]
		if value == "" {
			return nil, fmt.Errorf("the deployed job has no argument --%s, which ${%s} in %s stands for; deploy the present version first", name, name, dag.File)
		}
		values[name] = value
	}
	return values, visual.CheckValues(values)
}

// asTree gives nodes as plain JSON values.
func asTree(nodes map[string]types.CodeGenConfigurationNode) (map[string]any, error) {
	content, err := visual.Marshal(nodes)
	if err != nil {
		return nil, err
	}
	var tree map[string]any
	return tree, json.Unmarshal(content, &tree)
}
