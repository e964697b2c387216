// Package validate checks DAGs with the validators that the Glue client runs before it sends a
// request. It stands beside package visual because the client takes long to compile.
package validate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/glue"
	"github.com/aws/aws-sdk-go-v2/service/glue/types"
	"github.com/aws/smithy-go"
	"github.com/aws/smithy-go/middleware"

	"moviepipeline/internal/visual"
)

// DAG gives an error, a line for each member that the service requires and that the DAG lacks.
func DAG(dag *visual.DAG) error {
	var found visual.Findings
	for _, node := range dag.Nodes {
		for _, path := range lacking(node.ID, dag.Config[node.ID]) {
			found = append(found, fmt.Sprintf("%s: node %s %q: %s: missing; the Glue API requires it of a node of type %s",
				dag.File, node.ID, node.Name, path, node.Type))
		}
	}
	if found == nil {
		return nil
	}
	return found
}

// errChecked ends a call once it is validated, before anything is sent.
var errChecked = errors.New("checked")

// lacking lists the paths, within the node, of required members that are missing.
func lacking(id string, node types.CodeGenConfigurationNode) []string {
	client := glue.New(glue.Options{Region: "none", Credentials: aws.AnonymousCredentials{}})
	_, err := client.UpdateJob(context.Background(), &glue.UpdateJobInput{
		JobName:   aws.String("checked"),
		JobUpdate: &types.JobUpdate{CodeGenConfigurationNodes: map[string]types.CodeGenConfigurationNode{id: node}},
	}, func(options *glue.Options) {
		options.APIOptions = append(options.APIOptions, func(stack *middleware.Stack) error {
			return stack.Serialize.Add(middleware.SerializeMiddlewareFunc("Checked",
				func(context.Context, middleware.SerializeInput, middleware.SerializeHandler) (
					middleware.SerializeOutput, middleware.Metadata, error,
				) {
					return middleware.SerializeOutput{}, middleware.Metadata{}, errChecked
				}), middleware.Before)
		})
	})
	var invalid smithy.InvalidParamsError
	if !errors.As(err, &invalid) {
		return nil
	}
	var paths []string
	for _, one := range invalid.Errs() {
		missing, ok := one.(smithy.InvalidParamError)
		if !ok {
			paths = append(paths, one.Error())
			continue
		}
		path := missing.Field()
		if at := strings.Index(path, "]."); at >= 0 { // UpdateJobInput.JobUpdate.CodeGenConfigurationNodes[id].
			path = path[at+len("]."):]
		}
		if _, inside, ok := strings.Cut(path, "."); ok {
			path = inside
		}
		paths = append(paths, path)
	}
	return paths
}
