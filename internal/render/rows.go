package render

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"moviepipeline/internal/query"
)

// widest is where a text in a table is cut.
const widest = 60

// RowTable writes rows as a table for people.
func RowTable(out io.Writer, result query.Result) error {
	writer := newTable(out)
	header := make(table.Row, len(result.Columns))
	configs := make([]table.ColumnConfig, len(result.Columns))
	for i, column := range result.Columns {
		header[i] = column.Name
		configs[i] = table.ColumnConfig{Number: i + 1, WidthMax: widest, WidthMaxEnforcer: shorten}
		if numeric[column.Type] {
			configs[i].Align, configs[i].AlignHeader = text.AlignRight, text.AlignRight
		}
	}
	writer.AppendHeader(header)
	writer.SetColumnConfigs(configs)
	for row, err := range result.Rows {
		if err != nil {
			return err
		}
		cells := make(table.Row, len(row))
		for i, value := range row {
			cells[i] = cell(value)
		}
		writer.AppendRow(cells)
	}
	writer.Render()
	return nil
}

// shorten cuts a text where the table has no more room for it, and shows that.
func shorten(words string, most int) string {
	if text.StringWidthWithoutEscSequences(words) <= most {
		return words
	}
	return text.Trim(words, most-1) + "…"
}

// numeric are the Redshift types whose values stand right in a table.
var numeric = map[string]bool{
	"int2": true, "int4": true, "int8": true, "float4": true, "float8": true, "numeric": true, "decimal": true,
	"smallint": true, "integer": true, "bigint": true, "real": true, "double precision": true,
}

// cell is a value on one line of a table; a dash for NULL.
func cell(value any) string {
	if value == nil {
		return "–"
	}
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, plain(value))
}

func plain(value any) string {
	switch value := value.(type) {
	case nil:
		return ""
	case float64:
		text, err := json.Marshal(value)
		if err != nil {
			return fmt.Sprint(value)
		}
		return string(text)
	default:
		return fmt.Sprint(value)
	}
}

// RowCSV writes rows as CSV (RFC 4180) with a header. NULL and the empty text are both empty.
func RowCSV(out io.Writer, result query.Result) error {
	writer := csv.NewWriter(out)
	header := make([]string, len(result.Columns))
	for i, column := range result.Columns {
		header[i] = column.Name
	}
	if err := writer.Write(header); err != nil {
		return err
	}
	for row, err := range result.Rows {
		if err != nil {
			return err
		}
		fields := make([]string, len(row))
		for i, value := range row {
			fields[i] = plain(value)
		}
		if err := writer.Write(fields); err != nil {
			return err
		}
	}
	writer.Flush()
	return writer.Error()
}

// RowJSON writes rows as a JSON array of objects, one a line, columns in the order of the query.
func RowJSON(out io.Writer, result query.Result) error {
	buffered := bufio.NewWriter(out)
	buffered.WriteString("[")
	separator := "\n"
	for row, err := range result.Rows {
		if err != nil {
			return err
		}
		object, err := rowObject(result.Columns, row)
		if err != nil {
			return err
		}
		buffered.WriteString(separator)
		buffered.Write(object)
		separator = ",\n"
	}
	if separator != "\n" {
		buffered.WriteString("\n")
	}
	buffered.WriteString("]\n")
	return buffered.Flush()
}

func rowObject(columns []query.Column, row query.Row) ([]byte, error) {
	var object bytes.Buffer
	object.WriteString("  {")
	for i, value := range row {
		if i > 0 {
			object.WriteString(", ")
		}
		if err := writeJSON(&object, columns[i].Name); err != nil {
			return nil, err
		}
		object.WriteString(": ")
		if err := writeJSON(&object, value); err != nil {
			return nil, err
		}
	}
	object.WriteString("}")
	return object.Bytes(), nil
}

// writeJSON writes a value on one line; NaN and infinities, which JSON has no number for, as text.
func writeJSON(out *bytes.Buffer, value any) error {
	if number, ok := value.(float64); ok && (math.IsNaN(number) || math.IsInf(number, 0)) {
		value = fmt.Sprint(number)
	}
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return err
	}
	out.Truncate(out.Len() - 1)
	return nil
}
