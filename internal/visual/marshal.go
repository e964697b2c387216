package visual

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

// A line of a DAG's file is at most so long, if it holds more than one value.
const lineLength = 160

// Objects that start at most so deep are written over several lines however short they are: the DAG,
// a node, and its members.
const alwaysBroken = 2

// Marshal writes nodes as a DAG's file has them. Nodes stand in the natural order of their ids
// (node-2 before node-10), Name and Inputs before the other members, these in alphabetical order; what
// is in a list of lists or objects, as the lines of a mapping are, has a line of its own. Equal
// nodes give equal bytes, so that a diff shows what was changed and nothing else.
func Marshal(nodes map[string]types.CodeGenConfigurationNode) ([]byte, error) {
	all := object{}
	for _, id := range slices.SortedFunc(maps.Keys(nodes), natural) {
		all = append(all, member{id, tree(reflect.ValueOf(nodes[id]))})
	}
	var out bytes.Buffer
	if err := write(&out, all, 0, 0); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// Marshal writes the DAG as its file should be.
func (d *DAG) Marshal() ([]byte, error) { return Marshal(d.Config) }

// tree is the inverse of decode. It leaves out what is not set; a false that the model does not
// tell from absent is left out too, a zero is not: SelectFromCollection's Index is required.
func tree(value reflect.Value) any {
	switch value.Kind() {
	case reflect.Pointer:
		return tree(value.Elem())
	case reflect.Struct:
		members := object{}
		for _, name := range memberOrder(value.Type()) {
			field := value.FieldByName(name)
			if isSet(field) {
				members = append(members, member{name, tree(field)})
			}
		}
		return members
	case reflect.Slice:
		list := []any{}
		for i := range value.Len() {
			list = append(list, tree(value.Index(i)))
		}
		return list
	case reflect.Map:
		members := object{}
		for _, key := range value.MapKeys() {
			members = append(members, member{key.String(), tree(value.MapIndex(key))})
		}
		slices.SortFunc(members, func(a, b member) int { return strings.Compare(a.name, b.name) })
		return members
	default:
		return value.Interface()
	}
}

func isSet(field reflect.Value) bool {
	switch field.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		return !field.IsNil()
	case reflect.Int32, reflect.Int64:
		return true
	default:
		return !field.IsZero()
	}
}

func memberOrder(structure reflect.Type) []string {
	names := fieldNames(structure)
	first := func(name string) int { return slices.Index([]string{"Inputs", "Name"}, name) }
	slices.SortStableFunc(names, func(a, b string) int { return first(b) - first(a) })
	return names
}

// write lays a value out: on one line if it fits, else one member or item a line.
func write(out *bytes.Buffer, value any, depth, column int) error {
	var flat bytes.Buffer
	if err := writeFlat(&flat, value); err != nil {
		return err
	}
	if !isBroken(value, depth) && column+flat.Len() < lineLength {
		out.Write(flat.Bytes())
		return nil
	}
	indent := "\n" + strings.Repeat("  ", depth+1)
	switch value := value.(type) {
	case object:
		out.WriteByte('{')
		for i, member := range value {
			name, err := encodeText(member.name)
			if err != nil {
				return err
			}
			out.WriteString(separator(i) + indent + name + ": ")
			if err := write(out, member.value, depth+1, 2*depth+2+len(name)+2); err != nil {
				return err
			}
		}
		out.WriteString("\n" + strings.Repeat("  ", depth) + "}")
	case []any:
		out.WriteByte('[')
		for i, item := range value {
			out.WriteString(separator(i) + indent)
			if err := write(out, item, depth+1, 2*depth+2); err != nil {
				return err
			}
		}
		out.WriteString("\n" + strings.Repeat("  ", depth) + "]")
	default:
		out.Write(flat.Bytes())
	}
	return nil
}

func separator(i int) string {
	if i == 0 {
		return ""
	}
	return ","
}

func isBroken(value any, depth int) bool {
	switch value := value.(type) {
	case object:
		return len(value) > 0 && depth <= alwaysBroken
	case []any:
		return slices.ContainsFunc(value, func(item any) bool {
			switch item.(type) {
			case object, []any:
				return true
			default:
				return false
			}
		})
	default:
		return false
	}
}

func writeFlat(out *bytes.Buffer, value any) error {
	switch value := value.(type) {
	case object:
		out.WriteByte('{')
		for i, member := range value {
			name, err := encodeText(member.name)
			if err != nil {
				return err
			}
			out.WriteString(strings.Repeat(", ", min(i, 1)) + name + ": ")
			if err := writeFlat(out, member.value); err != nil {
				return err
			}
		}
		out.WriteByte('}')
	case []any:
		out.WriteByte('[')
		for i, item := range value {
			out.WriteString(strings.Repeat(", ", min(i, 1)))
			if err := writeFlat(out, item); err != nil {
				return err
			}
		}
		out.WriteByte(']')
	default:
		text, err := encodeText(value)
		if err != nil {
			return err
		}
		out.WriteString(text)
	}
	return nil
}

// encodeText encodes a text, number or boolean, and leaves < and > as they are: these are no web pages.
func encodeText(value any) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return "", err
	}
	return strings.TrimSuffix(out.String(), "\n"), nil
}
