package warehouse

import (
	"fmt"
	"regexp"
	"strings"
)

// Column is a column of a table of the warehouse as its DDL declares it.
type Column struct {
	Schema string `json:"schema"`
	Table  string `json:"table"`
	Column string `json:"column"`
	// Type is the Redshift type without constraints, as `alter table … add column` takes it.
	Type string `json:"type"`
}

var (
	createTable = regexp.MustCompile(`(?is)^create\s+table\s+if\s+not\s+exists\s+([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)\s*\(`)
	columnItem  = regexp.MustCompile(`(?is)^([a-z_][a-z0-9_]*)\s+([a-z][a-z ]*?(?:\([0-9, ]+\))?)(?:\s+(?:not\s+null|null|default|encode|distkey|sortkey|primary|unique|references|identity)\b.*)?$`)
	constraint  = regexp.MustCompile(`(?i)^(primary\s+key|foreign\s+key|unique|constraint)\b`)
)

// columnsOf reads the columns that a `create table if not exists schema.table (…)` declares.
func columnsOf(statement string) ([]Column, error) {
	head := createTable.FindStringSubmatchIndex(statement)
	if head == nil {
		return nil, fmt.Errorf("want create table if not exists schema.table, got: %s", firstLine(statement))
	}
	schema, table := statement[head[2]:head[3]], statement[head[4]:head[5]]
	items, err := inParentheses(statement[head[1]-1:])
	if err != nil {
		return nil, err
	}
	var columns []Column
	for _, item := range items {
		if constraint.MatchString(item) {
			continue
		}
		match := columnItem.FindStringSubmatch(item)
		if match == nil {
			return nil, fmt.Errorf("%s.%s: cannot read the column %q", schema, table, item)
		}
		columns = append(columns, Column{schema, table, strings.ToLower(match[1]), strings.ToLower(match[2])})
	}
	return columns, nil
}

// inParentheses cuts the list in the parentheses that text begins with at its commas, except those
// in parentheses of their own.
func inParentheses(text string) ([]string, error) {
	var items []string
	depth, start := 0, 1
	for at, sign := range text {
		switch {
		case sign == '(':
			depth++
		case sign == ',' && depth == 1, sign == ')' && depth == 1:
			items = append(items, strings.TrimSpace(text[start:at]))
			start = at + 1
			if sign == ')' {
				return items, nil
			}
		case sign == ')':
			depth--
		}
	}
	return nil, fmt.Errorf("the list %s does not end", firstLine(text))
}

func names(columns []Column) []string {
	var list []string
	for _, column := range columns {
		list = append(list, column.Column)
	}
	return list
}

// rowText is the expression of a row as one text: its columns with the sign of a unit's end between them, that of a
// record's end for NULL. A cast to a varchar without a length would cut at 256 bytes.
func rowText(columns []Column) string {
	var texts []string
	for _, column := range columns {
		text := column.Column
		if !strings.HasPrefix(column.Type, "varchar") {
			text = "cast(" + text + " as varchar(32))"
		}
		texts = append(texts, "coalesce("+text+", chr(30))")
	}
	return strings.Join(texts, " || chr(31) || ")
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
