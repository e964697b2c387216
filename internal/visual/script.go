package visual

import (
	"embed"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// helpers are the functions that a script defines for the types of node that need one.
//
//go:embed helpers/*.py
var helpers embed.FS

// script is a script as it grows, node by node.
type script struct {
	dag *DAG
	// imports and helpers that some node needs.
	imports map[string]bool
	helpers map[string]bool
	// functions of CustomCode stand before everything else, checks that end the job after it.
	functions, body, last strings.Builder
}

// Imports beyond those that every script has, in the order of the script.
var optionalImports = []string{
	"from awsgluedq.transforms import EvaluateDataQuality",
	importCollection,
	importFrame,
	"from pyspark.sql import functions as SqlFuncs",
	"import concurrent.futures",
	importRE,
}

const (
	importFrame      = "from awsglue.dynamicframe import DynamicFrame"
	importCollection = "from awsglue.dynamicframe import DynamicFrameCollection"
	importRE         = "import re"
)

// What a helper needs imported.
var helperImports = map[string][]string{
	"sparkSqlQuery":  {importFrame},
	"sparkUnion":     {importFrame},
	"sparkAggregate": {importFrame, "from pyspark.sql import functions as SqlFuncs"},
	"threadedRoute":  {importCollection, "import concurrent.futures"},
	"drop_nulls":     {importFrame, "from pyspark.sql import functions as SqlFuncs"},
}

// ScriptFile is the path of the script that belongs to a DAG's file.
func ScriptFile(dagFile string) string { return strings.TrimSuffix(dagFile, Suffix) + ".py" }

// Script writes the script of a DAG, in the shape of those that Glue Studio generates: a statement a
// node, under a comment with its name. Equal DAGs give equal bytes.
func Script(d *DAG) ([]byte, error) {
	s := &script{dag: d, imports: map[string]bool{}, helpers: map[string]bool{}}
	for _, node := range d.Nodes {
		node.kind.emit(s, node)
	}
	return s.text()
}

func (s *script) text() ([]byte, error) {
	for helper := range s.helpers {
		for _, line := range helperImports[helper] {
			s.imports[line] = true
		}
	}
	parts := []string{s.importLines()}
	for _, helper := range sortedKeys(helperImports) {
		if s.helpers[helper] {
			parts = append(parts, helperText(helper))
		}
	}
	if s.functions.Len() > 0 {
		parts = append(parts, strings.TrimRight(s.functions.String(), "\n")+"\n")
	}
	separator := "\n\n"
	head := strings.Join(parts, separator)
	if len(parts) == 1 {
		separator = "\n"
	}
	names := append([]string{"JOB_NAME"}, s.dag.Placeholders()...)
	arguments := list()
	for _, name := range names {
		arguments.items = append(arguments.items, item{value: raw(quote(name))})
	}
	resolved := call("getResolvedOptions", item{value: raw("sys.argv")}, item{value: arguments})
	resolved.exploded = false
	start := "args = " + layOut(resolved, 0, len("args = ")) + "\n" + helperText("start")
	return []byte(head + separator + start + s.body.String() + s.last.String() + "\njob.commit()\n"), nil
}

func (s *script) importLines() string {
	lines := helperText("header")
	for _, line := range optionalImports {
		if s.imports[line] {
			lines += line + "\n"
		}
	}
	return lines
}

// helperText is a file of the folder helpers; that it is there is known when this is built.
func helperText(name string) string {
	text, err := helpers.ReadFile(filepath.Join("helpers", name+".py"))
	if err != nil {
		panic(err)
	}
	return string(text)
}

// variable is the Python name of a node's output, made as Glue Studio makes it.
func (n *Node) variable() string { return identifier(n.Name) + "_" + n.suffix() }

func (n *Node) suffix() string { return strings.ReplaceAll(n.ID, "-", "") }

// input is the variable of one of a node's inputs.
func (s *script) input(node *Node, i int) raw { return raw(s.dag.node(node.Inputs[i]).variable()) }

func (s *script) comment(node *Node) {
	fmt.Fprintf(&s.body, "\n# Script generated for node %s\n", oneLine(node.Name))
}

// oneLine is a name that cannot end the comment that it stands in.
func oneLine(name string) string { return strings.Join(strings.Fields(name), " ") }

// assign writes a node's statement under its comment.
func (s *script) assign(node *Node, value expression) {
	s.comment(node)
	s.statement(node.variable()+" = ", value)
}

func (s *script) statement(before string, value expression) {
	s.body.WriteString(before + layOut(value, 0, len(before)) + "\n")
}

func context(node *Node) item { return argument("transformation_ctx", raw(quote(node.variable()))) }

// value writes a text of the DAG: placeholders are arguments of the job, an include is its file's text.
func (s *script) value(text string) raw {
	if name, ok := includedFile(text); ok {
		return raw(quote(s.dag.included[name]))
	}
	if match := placeholder.FindString(text); match == text && match != "" {
		return raw(`args["` + PlaceholdersIn(text)[0] + `"]`)
	}
	if !placeholder.MatchString(text) {
		return raw(quote(text))
	}
	return raw(`f"` + formatted(text, func(plain string) string { return escape(plain, '"') }) + `"`)
}

// block writes a text of the DAG on lines of its own.
func (s *script) block(text string) string {
	if name, ok := includedFile(text); ok {
		return block(s.dag.included[name])
	}
	if !placeholder.MatchString(text) {
		return block(text)
	}
	plain := func(part string) string {
		return strings.TrimSuffix(strings.TrimPrefix(block(part+"|"), "\"\"\"\n"), "|\n\"\"\"")
	}
	return `f"""` + "\n" + formatted(strings.TrimRight(text, "\n"), plain) + "\n" + `"""`
}

// formatted is the inside of an f-string.
func formatted(text string, plain func(string) string) string {
	var out strings.Builder
	braces := strings.NewReplacer("{", "{{", "}", "}}")
	at := 0
	for _, match := range placeholder.FindAllStringSubmatchIndex(text, -1) {
		out.WriteString(braces.Replace(plain(text[at:match[0]])))
		out.WriteString("{args['" + text[match[2]:match[3]] + "']}")
		at = match[1]
	}
	out.WriteString(braces.Replace(plain(text[at:])))
	return out.String()
}

// optional gives the value of a text that may be missing, and whether it is there.
func (s *script) optional(text *string) (raw, bool) {
	if text == nil || *text == "" {
		return "", false
	}
	return s.value(*text), true
}

func (s *script) need(imports ...string) {
	for _, line := range imports {
		s.imports[line] = true
	}
}

// texts writes a list of texts.
func (s *script) texts(values []string) bracketed {
	var items []expression
	for _, value := range values {
		items = append(items, s.value(value))
	}
	return list(items...)
}

// paths writes columns, which the model has as lists of the names on the way to a nested one.
func (s *script) paths(paths [][]string) bracketed {
	var items []expression
	for _, path := range paths {
		items = append(items, raw(quote(column(path))))
	}
	return list(items...)
}

// names writes a list of top-level columns by their bare names, as Spark takes them where a column cannot
// be nested: keys of partitions and of duplicates.
func (s *script) names(paths [][]string) bracketed {
	var items []expression
	for _, path := range paths {
		items = append(items, raw(quote(strings.Join(path, "."))))
	}
	return list(items...)
}

// column names a column in the API of DynamicFrames: a name with a dot, a space or a bracket of its own
// stands in backquotes, so that it is not taken for a path.
func column(path []string) string {
	names := slices.Clone(path)
	for i, name := range names {
		if strings.ContainsAny(name, ". ()`") && !strings.HasPrefix(name, "`") {
			names[i] = "`" + name + "`"
		}
	}
	return strings.Join(names, ".")
}
