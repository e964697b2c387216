// Package visual is about visual ETL jobs as code: a job's DAG in the visual model of AWS Glue, the
// script that Glue Studio would generate from it, and its picture.
//
// A DAG's file is the model's CodeGenConfigurationNodes
// (https://docs.aws.amazon.com/glue/latest/dg/aws-glue-api-visual-job-api.html): a JSON object of node
// id to an object of one member, the node's type. Two forms of text are the project's own:
// "${Name}" inside a text is a name known at deployment, "${file:path}" as a whole text is the text
// of a file.
package visual

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// DAG is a visual job: its nodes, checked, with the texts of the files they include.
type DAG struct {
	// File is the path of the file, relative to the checkout where it lies inside.
	File string
	// Config holds the nodes as they are written, placeholders and includes unresolved.
	Config map[string]types.CodeGenConfigurationNode
	// Nodes are the same in the order of the script: inputs first, else in the natural order of ids.
	Nodes []*Node

	included map[string]string
}

// Node is one node of a DAG.
type Node struct {
	ID string
	// Type is the node's type by its name in the model, like "ApplyMapping".
	Type string
	// Name is what the canvas shows.
	Name string
	// Inputs are the ids of the nodes that this one reads, in order.
	Inputs []string
	// Body points to the node's structure of the model, like *types.ApplyMapping.
	Body any

	kind kind
}

// Suffix is how the name of a DAG's file ends; before it stands the name of the job.
const Suffix = ".dag.json"

// Folder is where the jobs' DAGs and scripts are, relative to the checkout.
const Folder = "glue-scripts"

// Load reads and checks a DAG. Paths in the DAG are relative to the checkout; file is relative to it,
// or absolute. The error is Findings: a line for each thing that is wrong.
func Load(checkout, file string) (*DAG, error) {
	path := file
	if !filepath.IsAbs(file) {
		path = filepath.Join(checkout, file)
	}
	shown := file
	if relative, err := filepath.Rel(checkout, path); err == nil && filepath.IsLocal(relative) {
		shown = filepath.ToSlash(relative)
	}
	content, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: there is no such file", shown)
	}
	if err != nil {
		return nil, err
	}
	return Parse(shown, content, func(name string) (string, error) { return readInclude(checkout, name) })
}

// Parse reads and checks the content of a DAG's file. The function read gives the text of an included
// file by its path relative to the checkout.
func Parse(file string, content []byte, read func(name string) (string, error)) (*DAG, error) {
	value, err := parseJSON(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	entries, ok := value.(object)
	if !ok {
		return nil, fmt.Errorf("%s: want an object of node ids, as CodeGenConfigurationNodes of the Glue API", file)
	}
	dag := &DAG{File: file, Config: map[string]types.CodeGenConfigurationNode{}, included: map[string]string{}}
	var found Findings
	for _, entry := range entries {
		node, config, err := parseNode(entry)
		if err != nil {
			found.add(dag.place(entry.name, ""), "%w", err)
			continue
		}
		dag.Nodes = append(dag.Nodes, node)
		dag.Config[entry.name] = config
		dag.readTexts(&found, node, read)
	}
	if found == nil {
		dag.check(&found)
	}
	return dag, found.err()
}

func parseNode(entry member) (*Node, types.CodeGenConfigurationNode, error) {
	var config types.CodeGenConfigurationNode
	if !validID.MatchString(entry.name) {
		return nil, config, errors.New("a node's id has letters, digits, _ and - only")
	}
	members, ok := entry.value.(object)
	if !ok || len(members) != 1 {
		var names []string
		for _, member := range members {
			names = append(names, member.name)
		}
		return nil, config, fmt.Errorf("want exactly one type of node, not %d: %s", len(members), strings.Join(names, ", "))
	}
	name := members[0].name
	if err := checkType(name); err != nil {
		return nil, config, err
	}
	if err := decode(reflect.ValueOf(&config).Elem(), members, ""); err != nil {
		return nil, config, err
	}
	body := reflect.ValueOf(config).FieldByName(name)
	node := &Node{ID: entry.name, Type: name, Body: body.Interface(), kind: kinds[name]}
	if name := body.Elem().FieldByName("Name"); !name.IsNil() {
		node.Name = name.Elem().String()
	}
	if inputs := body.Elem().FieldByName("Inputs"); inputs.IsValid() {
		node.Inputs = inputs.Interface().([]string)
	}
	return node, config, nil
}

// checkType refuses what the model does not have, and what scripts are not generated for.
func checkType(name string) error {
	if _, known := kinds[name]; known {
		return nil
	}
	inModel := fieldNames(reflect.TypeFor[types.CodeGenConfigurationNode]())
	known := strings.Join(Types(), ", ")
	if slices.Contains(inModel, name) {
		return fmt.Errorf("no script can be generated for a node of type %s; known are %s", name, known)
	}
	return fmt.Errorf("the Glue API has no node of type %q; known here are %s", name, known)
}

// readTexts checks a node's texts and reads the files that they include.
func (d *DAG) readTexts(found *Findings, node *Node, read func(string) (string, error)) {
	eachText(reflect.ValueOf(node.Body), "", func(path string, text reflect.Value) {
		if err := checkText(text.String()); err != nil {
			found.add(d.nodePlace(node, path), "%w", err)
			return
		}
		name, ok := includedFile(text.String())
		if !ok {
			return
		}
		content, err := read(name)
		if err != nil {
			found.add(d.nodePlace(node, path), "%w", err)
			return
		}
		d.included[name] = content
	})
}

// node gives the node of an id, or nil.
func (d *DAG) node(id string) *Node {
	for _, node := range d.Nodes {
		if node.ID == id {
			return node
		}
	}
	return nil
}

// Job is the name of the job: the file's, without its suffix.
func (d *DAG) Job() string { return strings.TrimSuffix(filepath.Base(d.File), Suffix) }

// Placeholders lists the names of all placeholders, each once, in the order of the script.
func (d *DAG) Placeholders() []string {
	var names []string
	for _, node := range d.Nodes {
		eachText(deepCopy(reflect.ValueOf(node.Body)), "", func(_ string, text reflect.Value) {
			for _, name := range PlaceholdersIn(text.String()) {
				if !slices.Contains(names, name) {
					names = append(names, name)
				}
			}
		})
	}
	return names
}

// CheckNames refuses placeholders that are none of the known names.
func (d *DAG) CheckNames(known []string) error {
	var found Findings
	for _, node := range d.Nodes {
		eachText(deepCopy(reflect.ValueOf(node.Body)), "", func(path string, text reflect.Value) {
			for _, name := range PlaceholdersIn(text.String()) {
				if !slices.Contains(known, name) {
					found.add(d.nodePlace(node, path), "${%s} is no name that the settings know; known are %s", name, strings.Join(known, ", "))
				}
			}
		})
	}
	return found.err()
}
