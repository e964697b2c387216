package pull

import (
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"

	"moviepipeline/internal/visual"
)

// merge puts the project's own forms of text back into a DAG that has none: placeholders and includes,
// in the fields that had them.
type merge struct {
	values map[string]string
	read   func(name string) (string, error)

	result map[string]any
	// included holds the new texts of files; includes counts the fields that include one.
	included map[string]string
	includes map[string]int
	nodes    []string
	literals []string
	// field is the path of the one that is looked at.
	field string
}

var include = regexp.MustCompile(`^\$\{file:([^{}]*)\}$`)

// all merges the nodes: as they are written in the project, the same resolved, and as they are on AWS.
func (m *merge) all(written, resolved, deployed map[string]types.CodeGenConfigurationNode) error {
	trees := make([]map[string]any, 3)
	for i, nodes := range []map[string]types.CodeGenConfigurationNode{written, resolved, deployed} {
		var err error
		if trees[i], err = asTree(nodes); err != nil {
			return err
		}
	}
	m.result = map[string]any{}
	m.countIncludes(trees[0])
	for _, id := range slices.Sorted(maps.Keys(trees[2])) {
		m.field = id
		m.result[id] = m.value(trees[0][id], trees[1][id], trees[2][id])
		switch {
		case trees[0][id] == nil:
			m.nodes = append(m.nodes, "new: "+describe(id, trees[2][id]))
		case !same(trees[1][id], trees[2][id]):
			m.nodes = append(m.nodes, "changed: "+describe(id, trees[2][id]))
		}
	}
	for _, id := range slices.Sorted(maps.Keys(trees[0])) {
		if trees[2][id] == nil {
			m.nodes = append(m.nodes, "gone: "+describe(id, trees[0][id]))
		}
	}
	return nil
}

// describe names a node by id, type and name.
func describe(id string, node any) string {
	kinds, _ := node.(map[string]any)
	for kind, body := range kinds {
		members, _ := body.(map[string]any)
		return fmt.Sprintf("%s, %s %q", id, kind, members["Name"])
	}
	return id
}

// value gives the deployed value in the project's form. What is as it was is written as it was.
func (m *merge) value(written, resolved, deployed any) any {
	if written != nil && same(resolved, deployed) {
		return written
	}
	switch deployed := deployed.(type) {
	case map[string]any:
		return m.object(written, resolved, deployed)
	case []any:
		return m.list(written, resolved, deployed)
	case string:
		return m.string(written, deployed)
	default:
		return deployed
	}
}

func (m *merge) object(written, resolved any, deployed map[string]any) any {
	before, _ := written.(map[string]any)
	values, _ := resolved.(map[string]any)
	result := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(deployed)) {
		if before != nil && before[name] == nil && isEmpty(deployed[name]) {
			continue // Glue tells what is empty where nothing was given
		}
		result[name] = m.at("."+name, before[name], values[name], deployed[name])
	}
	for name, value := range before {
		if _, has := deployed[name]; !has && isEmpty(value) {
			result[name] = value
		}
	}
	return result
}

// list merges item by item. An item that was there already, wherever, is written as it was; the others
// take, in order, the place of those that are gone.
func (m *merge) list(written, resolved any, deployed []any) any {
	before, _ := written.([]any)
	values, _ := resolved.([]any)
	origins := originsOf(values, deployed)
	gone := without(len(before), origins)
	result := make([]any, 0, len(deployed))
	for i, item := range deployed {
		if origins[i] >= 0 {
			result = append(result, before[origins[i]])
			continue
		}
		var form, value any
		if len(gone) > 0 {
			form, value, gone = before[gone[0]], values[gone[0]], gone[1:]
		}
		if _, isText := item.(string); isText && !isInclude(form) {
			form = placeholdersOf(before)
		}
		result = append(result, m.at(fmt.Sprintf("[%d]", i), form, value, item))
	}
	return result
}

// originsOf tells for each item where it was before, -1 if nowhere.
func originsOf(values, items []any) []int {
	origins := make([]int, len(items))
	for i, item := range items {
		origins[i] = slices.IndexFunc(values, func(value any) bool { return same(value, item) })
		if i < len(values) && same(values[i], item) {
			origins[i] = i
		}
	}
	return origins
}

// without lists the numbers below count that are not among the given ones.
func without(count int, given []int) []int {
	var left []int
	for i := range count {
		if !slices.Contains(given, i) {
			left = append(left, i)
		}
	}
	return left
}

// placeholdersOf is what a further text of a list is written like: it may hold the placeholders of all.
func placeholdersOf(texts []any) any {
	var all strings.Builder
	for _, text := range texts {
		if !isInclude(text) {
			fmt.Fprint(&all, text)
		}
	}
	return all.String()
}

func (m *merge) at(step string, written, resolved, deployed any) any {
	outer := m.field
	m.field += step
	defer func() { m.field = outer }()
	return m.value(written, resolved, deployed)
}

// string puts placeholders and includes back where the field had them.
func (m *merge) string(written any, deployed string) any {
	before, _ := written.(string)
	if isInclude(written) {
		return m.include(include.FindStringSubmatch(before)[1], before, deployed)
	}
	for _, name := range visual.PlaceholdersIn(deployed) {
		m.literals = append(m.literals, fmt.Sprintf("%s: %q came with ${%s}, which is plain text on AWS and a deploy-time name here", m.field, deployed, name))
	}
	var replacements []string
	for _, name := range visual.PlaceholdersIn(before) {
		replacements = append(replacements, m.values[name], "${"+name+"}")
	}
	text := strings.NewReplacer(replacements...).Replace(deployed)
	for _, name := range slices.Sorted(maps.Keys(m.values)) {
		if strings.Contains(text, m.values[name]) {
			m.literals = append(m.literals, fmt.Sprintf("%s: %q holds the value of ${%s} of this environment", m.field, text, name))
		}
	}
	return text
}

func isInclude(written any) bool {
	text, isText := written.(string)
	return isText && include.MatchString(text)
}

// include keeps the text of a file in the file. Where several fields include it, one that was changed
// is no longer among them.
func (m *merge) include(name, before, deployed string) any {
	if m.includes[name] > 1 {
		m.literals = append(m.literals, fmt.Sprintf("%s: its text, no longer that of %s, which other fields include too, stands in the DAG now", m.field, name))
		return deployed
	}
	m.included[name] = deployed
	return before
}

// countIncludes counts how often each file is included.
func (m *merge) countIncludes(value any) {
	switch value := value.(type) {
	case map[string]any:
		for _, item := range value {
			m.countIncludes(item)
		}
	case []any:
		for _, item := range value {
			m.countIncludes(item)
		}
	case string:
		if match := include.FindStringSubmatch(value); match != nil {
			m.includes[match[1]]++
		}
	}
}

// text is the text of an included file after the merge.
func (m *merge) text(name string) (string, error) {
	if text, changed := m.included[name]; changed {
		return text, nil
	}
	return m.read(name)
}

// same compares without what means the same as leaving it out.
func same(a, b any) bool { return reflect.DeepEqual(dropEmpty(a), dropEmpty(b)) }

func dropEmpty(value any) any {
	switch value := value.(type) {
	case map[string]any:
		full := map[string]any{}
		for name, item := range value {
			if item = dropEmpty(item); !isEmpty(item) {
				full[name] = item
			}
		}
		return full
	case []any:
		items := make([]any, 0, len(value))
		for _, item := range value {
			items = append(items, dropEmpty(item))
		}
		return items
	default:
		return value
	}
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case string:
		return value == ""
	case []any:
		return len(value) == 0
	case map[string]any:
		return len(value) == 0
	default:
		return false
	}
}
