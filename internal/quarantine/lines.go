package quarantine

import (
	"strings"
)

// fieldsOf splits a line of CSV as the batch table is read: by OpenCSVSerDe, a row a line. See
// https://docs.aws.amazon.com/athena/latest/ug/csv-serde.html
func fieldsOf(line string) []string {
	if !strings.Contains(line, `"`) {
		return strings.Split(line, ",")
	}
	var fields []string
	var field strings.Builder
	quoted := false
	for i := 0; i < len(line); i++ {
		switch sign := line[i]; {
		case sign == '"' && quoted && i+1 < len(line) && line[i+1] == '"':
			field.WriteByte('"')
			i++
		case sign == '"':
			quoted = !quoted
		case sign == ',' && !quoted:
			fields = append(fields, field.String())
			field.Reset()
		default:
			field.WriteByte(sign)
		}
	}
	return append(fields, field.String())
}

// namesOf are the columns of a header as the crawler names them.
func namesOf(header string) []string {
	names := fieldsOf(strings.TrimPrefix(header, "\uFEFF"))
	for i, name := range names {
		names[i] = strings.ToLower(strings.TrimSpace(name))
	}
	return names
}

// rowOf is a line by column, as it lies in quarantine: a column that the line has not is not there, of
// what comes after the last column the first field is.
func rowOf(names []string, line string) map[string]string {
	row := map[string]string{}
	for i, field := range fieldsOf(line) {
		switch {
		case i < len(names):
			row[names[i]] = field
		case i == len(names):
			row[Beyond] = field
		}
	}
	return row
}

// lineOf writes a row as a line.
func lineOf(names []string, row map[string]string) string {
	fields := make([]string, 0, len(names)+1)
	for _, name := range names {
		fields = append(fields, quote(row[name]))
	}
	if row[Beyond] != "" {
		fields = append(fields, quote(row[Beyond]))
	}
	return strings.Join(fields, ",")
}

func quote(text string) string {
	if !strings.ContainsAny(text, `",`) {
		return text
	}
	return `"` + strings.ReplaceAll(text, `"`, `""`) + `"`
}
