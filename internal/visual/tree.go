package visual

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// member is one "name": value of a JSON object.
type member struct {
	name  string
	value any
}

// object is a JSON object in the order of its text.
type object []member

// parseJSON reads one JSON value into object, []any, string, json.Number, bool and nil. Other than
// encoding/json it refuses a name that an object has twice, of which the first would be lost.
func parseJSON(content []byte) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	value, err := parseValue(decoder)
	if err == nil {
		if _, err = decoder.Token(); errors.Is(err, io.EOF) {
			return value, nil
		}
		if err == nil {
			err = errors.New("text after the end of the JSON value")
		}
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the JSON text ends too soon")
	}
	line, column := position(content, decoder.InputOffset())
	return nil, fmt.Errorf("line %d, column %d: %w", line, column, err)
}

func parseValue(decoder *json.Decoder) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		return parseObject(decoder)
	case json.Delim('['):
		return parseList(decoder)
	default:
		return token, nil
	}
}

func parseObject(decoder *json.Decoder) (any, error) {
	members, seen := object{}, map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return nil, err
		}
		name := token.(string)
		if seen[name] {
			return nil, fmt.Errorf("%q stands twice in one object", name)
		}
		seen[name] = true
		value, err := parseValue(decoder)
		if err != nil {
			return nil, err
		}
		members = append(members, member{name, value})
	}
	_, err := decoder.Token()
	return members, err
}

func parseList(decoder *json.Decoder) (any, error) {
	list := []any{}
	for decoder.More() {
		value, err := parseValue(decoder)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := decoder.Token()
	return list, err
}

// position gives line and column, both from 1, of a byte offset.
func position(content []byte, offset int64) (line, column int) {
	before := content[:min(offset, int64(len(content)))]
	return bytes.Count(before, []byte("\n")) + 1, len(before) - bytes.LastIndexByte(before, '\n')
}
