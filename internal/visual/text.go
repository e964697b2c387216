package visual

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/glue/types"
)

var (
	placeholder = regexp.MustCompile(`\$\{([A-Za-z][A-Za-z0-9_]*)\}`)
	include     = regexp.MustCompile(`^\$\{file:([^{}]*)\}$`)
)

// checkText refuses a text with a "${" that is neither a placeholder nor, as the whole text, an include.
func checkText(text string) error {
	if include.MatchString(text) {
		return nil
	}
	rest := placeholder.ReplaceAllString(text, "")
	at := strings.Index(rest, "${")
	if at < 0 {
		return nil
	}
	if strings.HasPrefix(rest[at:], "${file:") {
		return fmt.Errorf("%q: a ${file:...} is the whole value of a field", text)
	}
	return fmt.Errorf("%q has a ${ that begins no ${Name}; a text that needs one stands in a file of its own: ${file:...}", text)
}

// PlaceholdersIn lists the names of a text's placeholders, each once, in order.
func PlaceholdersIn(text string) []string {
	var names []string
	for _, match := range placeholder.FindAllStringSubmatch(text, -1) {
		if !slices.Contains(names, match[1]) {
			names = append(names, match[1])
		}
	}
	return names
}

// includedFile is the path, relative to the checkout, that a text is the include of.
func includedFile(text string) (string, bool) {
	match := include.FindStringSubmatch(text)
	if match == nil {
		return "", false
	}
	return match[1], true
}

// readInclude reads a file inside the checkout.
func readInclude(checkout, name string) (string, error) {
	if !filepath.IsLocal(name) || name != filepath.ToSlash(filepath.Clean(name)) {
		return "", fmt.Errorf("${file:%s}: want a path relative to the checkout, and inside it", name)
	}
	content, err := os.ReadFile(filepath.Join(checkout, name))
	if err != nil {
		return "", fmt.Errorf("${file:%s}: there is no such file to read in the checkout", name)
	}
	return string(content), nil
}

// Resolve gives the nodes as they are registered on AWS: values in the place of placeholders, texts in
// the place of includes. A placeholder that values lack is an error.
func (d *DAG) Resolve(values map[string]string) (map[string]types.CodeGenConfigurationNode, error) {
	var found Findings
	resolved := map[string]types.CodeGenConfigurationNode{}
	for id, node := range d.Config {
		duplicate := deepCopy(reflect.ValueOf(node))
		eachText(duplicate, "", func(path string, text reflect.Value) {
			value, err := d.resolve(text.String(), values)
			if err != nil {
				found.add(d.place(id, path), "%w", err)
				return
			}
			text.SetString(value)
		})
		resolved[id] = duplicate.Interface().(types.CodeGenConfigurationNode)
	}
	return resolved, found.err()
}

func (d *DAG) resolve(text string, values map[string]string) (string, error) {
	if name, ok := includedFile(text); ok {
		return d.included[name], nil
	}
	for _, name := range PlaceholdersIn(text) {
		if _, known := values[name]; !known {
			return "", fmt.Errorf("${%s} has no value; known are %s", name, strings.Join(sortedKeys(values), ", "))
		}
	}
	return placeholder.ReplaceAllStringFunc(text, func(match string) string {
		return values[match[len("${"):len(match)-len("}")]]
	}), nil
}

// eachText calls visit with each text of a value, and its path. The texts can be set.
func eachText(value reflect.Value, path string, visit func(path string, text reflect.Value)) {
	switch value.Kind() {
	case reflect.Pointer:
		if !value.IsNil() {
			eachText(value.Elem(), path, visit)
		}
	case reflect.Struct:
		for _, name := range fieldNames(value.Type()) {
			eachText(value.FieldByName(name), join(path, name), visit)
		}
	case reflect.Slice:
		for i := range value.Len() {
			eachText(value.Index(i), fmt.Sprintf("%s[%d]", path, i), visit)
		}
	case reflect.Map:
		for _, key := range slices.SortedFunc(slices.Values(value.MapKeys()), func(a, b reflect.Value) int {
			return strings.Compare(a.String(), b.String())
		}) {
			item := reflect.New(value.Type().Elem()).Elem()
			item.Set(value.MapIndex(key))
			eachText(item, join(path, key.String()), visit)
			value.SetMapIndex(key, item)
		}
	case reflect.String:
		visit(path, value)
	}
}

// deepCopy gives a copy, which can be set, that shares nothing with the value.
func deepCopy(value reflect.Value) reflect.Value {
	duplicate := reflect.New(value.Type()).Elem()
	switch value.Kind() {
	case reflect.Pointer:
		if !value.IsNil() {
			duplicate.Set(deepCopy(value.Elem()).Addr())
		}
	case reflect.Struct:
		for _, name := range fieldNames(value.Type()) {
			duplicate.FieldByName(name).Set(deepCopy(value.FieldByName(name)))
		}
	case reflect.Slice:
		if !value.IsNil() {
			duplicate.Set(reflect.MakeSlice(value.Type(), value.Len(), value.Len()))
		}
		for i := range value.Len() {
			duplicate.Index(i).Set(deepCopy(value.Index(i)))
		}
	case reflect.Map:
		if !value.IsNil() {
			duplicate.Set(reflect.MakeMap(value.Type()))
		}
		for _, key := range value.MapKeys() {
			duplicate.SetMapIndex(key, deepCopy(value.MapIndex(key)))
		}
	default:
		duplicate.Set(value)
	}
	return duplicate
}
