package insights

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// Mart is a table as UNLOAD wrote it.
type Mart struct {
	Name    string
	Columns []string
	// Rows hold nil, bool, string or json.Number, in the order of Columns.
	Rows []Row
}

// Row is a row of a mart.
type Row []any

// add reads JSON lines: one object a row. A column that a row lacks is NULL there.
func (m *Mart) add(content []byte) error {
	decoder := json.NewDecoder(bytes.NewReader(content))
	decoder.UseNumber()
	for number := len(m.Rows) + 1; ; number++ {
		row, err := m.readRow(decoder)
		if errors.Is(err, io.EOF) {
			m.complete()
			return nil
		}
		if err != nil {
			return fmt.Errorf("row %d: %w", number, err)
		}
		m.Rows = append(m.Rows, row)
	}
}

// readRow keeps the order of the members, which is that of the columns.
func (m *Mart) readRow(decoder *json.Decoder) (Row, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	if token != json.Delim('{') {
		return nil, fmt.Errorf("want an object, got %v", token)
	}
	row := make(Row, len(m.Columns))
	for decoder.More() {
		name, err := decoder.Token()
		if err != nil {
			return nil, unended(err)
		}
		var value any
		if err := decoder.Decode(&value); err != nil {
			return nil, unended(err)
		}
		place := m.column(name.(string))
		if place < 0 {
			place = len(m.Columns)
			m.Columns = append(m.Columns, name.(string))
		}
		for len(row) <= place {
			row = append(row, nil)
		}
		row[place] = value
	}
	_, err = decoder.Token()
	return row, unended(err)
}

// unended is an end where a row still goes on.
func unended(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (m *Mart) complete() {
	for i, row := range m.Rows {
		for len(row) < len(m.Columns) {
			row = append(row, nil)
		}
		m.Rows[i] = row
	}
}

// column is the place of a column; -1 when there is none of the name.
func (m Mart) column(name string) int { return slices.Index(m.Columns, name) }

// sorted orders the rows by columns; a minus before a name turns the order, NULL comes last.
func (m Mart) sorted(by []string) Mart {
	ordered := slices.Clone(m.Rows)
	slices.SortStableFunc(ordered, func(a, b Row) int {
		for _, name := range by {
			column, down := strings.CutPrefix(name, "-")
			place := m.column(column)
			if order := compare(a[place], b[place], down); order != 0 {
				return order
			}
		}
		return 0
	})
	m.Rows = ordered
	return m
}

func compare(a, b any, down bool) int {
	switch {
	case a == nil || b == nil:
		return boolOrder(a == nil, b == nil)
	case down:
		a, b = b, a
	}
	x, isNumber := number(a)
	if y, both := number(b); isNumber && both {
		return cmp.Compare(x, y)
	}
	return strings.Compare(fmt.Sprint(a), fmt.Sprint(b))
}

func boolOrder(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// number is a value as a number, also one that came as text.
func number(value any) (float64, bool) {
	var text string
	switch value := value.(type) {
	case json.Number:
		text = value.String()
	case string:
		text = value
	default:
		return 0, false
	}
	parsed, err := strconv.ParseFloat(text, 64)
	return parsed, err == nil
}
