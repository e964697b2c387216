package visual

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// decode fills target, a type of the service's model, from parsed JSON. The SDK's types have no tags:
// a member's name is the Go field's, matched case-exactly. What the model does not have is an error
// that starts with the path of the field.
func decode(target reflect.Value, value any, path string) error {
	if value == nil {
		return fmt.Errorf("%s: null; leave the field out", path)
	}
	switch target.Kind() {
	case reflect.Pointer:
		target.Set(reflect.New(target.Type().Elem()))
		return decode(target.Elem(), value, path)
	case reflect.Struct:
		return decodeStruct(target, value, path)
	case reflect.Slice:
		return decodeList(target, value, path)
	case reflect.Map:
		return decodeMap(target, value, path)
	case reflect.String:
		return decodeString(target, value, path)
	case reflect.Bool:
		on, ok := value.(bool)
		if !ok {
			return wrongType(path, "true or false", value)
		}
		target.SetBool(on)
		return nil
	case reflect.Int32, reflect.Int64:
		return decodeInteger(target, value, path)
	default:
		return fmt.Errorf("%s: the model's type %s cannot be read", path, target.Type())
	}
}

func decodeStruct(target reflect.Value, value any, path string) error {
	members, ok := value.(object)
	if !ok {
		return wrongType(path, "an object", value)
	}
	known := fieldNames(target.Type())
	for _, member := range members {
		if !slices.Contains(known, member.name) {
			return fmt.Errorf("%s: unknown field %q%s", path, member.name, suggestion(member.name, known))
		}
		if err := decode(target.FieldByName(member.name), member.value, join(path, member.name)); err != nil {
			return err
		}
	}
	return nil
}

func decodeList(target reflect.Value, value any, path string) error {
	list, ok := value.([]any)
	if !ok {
		return wrongType(path, "a list", value)
	}
	target.Set(reflect.MakeSlice(target.Type(), len(list), len(list)))
	for i, item := range list {
		if err := decode(target.Index(i), item, fmt.Sprintf("%s[%d]", path, i)); err != nil {
			return err
		}
	}
	return nil
}

func decodeMap(target reflect.Value, value any, path string) error {
	members, ok := value.(object)
	if !ok {
		return wrongType(path, "an object", value)
	}
	target.Set(reflect.MakeMap(target.Type()))
	for _, member := range members {
		item := reflect.New(target.Type().Elem()).Elem()
		if err := decode(item, member.value, join(path, member.name)); err != nil {
			return err
		}
		key := reflect.ValueOf(member.name).Convert(target.Type().Key())
		if err := checkEnum(key, path); err != nil {
			return err
		}
		target.SetMapIndex(key, item)
	}
	return nil
}

func decodeString(target reflect.Value, value any, path string) error {
	text, ok := value.(string)
	if !ok {
		return wrongType(path, "a text", value)
	}
	target.SetString(text)
	return checkEnum(target, path)
}

// checkEnum refuses a value that the model's enumeration does not have. The service may know newer
// ones, but not the version of the model that this was built with.
func checkEnum(value reflect.Value, path string) error {
	method := value.MethodByName("Values")
	if !method.IsValid() {
		return nil
	}
	known := method.Call(nil)[0]
	var names []string
	for i := range known.Len() {
		if known.Index(i).String() == value.String() {
			return nil
		}
		names = append(names, known.Index(i).String())
	}
	return fmt.Errorf("%s: %q is none of %s", path, value.String(), strings.Join(names, ", "))
}

func decodeInteger(target reflect.Value, value any, path string) error {
	number, ok := value.(json.Number)
	if !ok {
		return wrongType(path, "a whole number", value)
	}
	whole, err := strconv.ParseInt(number.String(), 10, target.Type().Bits())
	if err != nil {
		return wrongType(path, "a whole number", value)
	}
	target.SetInt(whole)
	return nil
}

func wrongType(path, want string, value any) error {
	text := map[bool]string{true: "true", false: "false"}
	switch value := value.(type) {
	case object:
		return fmt.Errorf("%s: want %s, not an object", path, want)
	case []any:
		return fmt.Errorf("%s: want %s, not a list", path, want)
	case bool:
		return fmt.Errorf("%s: want %s, not %s", path, want, text[value])
	case json.Number:
		return fmt.Errorf("%s: want %s, not %s", path, want, value)
	default:
		return fmt.Errorf("%s: want %s, not %q", path, want, value)
	}
}

// fieldNames lists the members of a structure of the model, in alphabetical order.
func fieldNames(structure reflect.Type) []string {
	var names []string
	for i := range structure.NumField() {
		if field := structure.Field(i); field.IsExported() {
			names = append(names, field.Name)
		}
	}
	slices.Sort(names)
	return names
}

// suggestion names the known field that differs by case or spaces alone, else lists what is known.
func suggestion(name string, known []string) string {
	for _, field := range known {
		if strings.EqualFold(field, strings.TrimSpace(name)) {
			return fmt.Sprintf("; want %q", field)
		}
	}
	return "; known are " + strings.Join(known, ", ")
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// sortedKeys lists the keys of a map in order.
func sortedKeys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
