package warehouse

import (
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
)

// Placeholders lists what the workflow puts into statements as it runs, where Redshift binds no values: names that
// deployment fixes and the execution's name, which the workflow validates.
var Placeholders = []string{"processed_bucket", "artifacts_bucket", "copy_role", "execution_name"}

// bound lists what the workflow binds: {{ingest_date}} becomes :ingest_date. What is of one dataset is bound under the
// dataset's name, as in :movies_rows_read, since a batch holds the statements of several.
var (
	bound          = []string{"ingest_date", "execution"}
	boundOfDataset = []string{"rows_read", "rows_processed", "rows_quarantined", "rows_duplicates"}
)

var placeholder = regexp.MustCompile(`\{\{([^{}]*)\}\}`)

// read splits a file into statements, with the values of a template put in. A placeholder that is
// neither among them nor one of the workflow's is an error.
func (p planner) read(folder, name string, values map[string]string) ([]string, error) {
	path := p.path(folder, name)
	content, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	statements, err := split(string(content))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(statements) == 0 {
		return nil, fmt.Errorf("%s holds no statement", path)
	}
	for i, statement := range statements {
		if statements[i], err = fill(statement, values); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return statements, nil
}

func (p planner) readSome(folder, name string, values map[string]string, want int) ([]string, error) {
	statements, err := p.read(folder, name, values)
	if err == nil && len(statements) != want {
		err = fmt.Errorf("%s holds %d statements, want %d", p.path(folder, name), len(statements), want)
	}
	return statements, err
}

func (p planner) readOne(folder, name string, values map[string]string) (string, error) {
	statements, err := p.readSome(folder, name, values, 1)
	if err != nil {
		return "", err
	}
	return statements[0], nil
}

func fill(statement string, values map[string]string) (string, error) {
	for name, value := range values {
		statement = strings.ReplaceAll(statement, "{{"+name+"}}", value)
	}
	statement, err := bind(statement, values["dataset"])
	if err != nil {
		return "", err
	}
	for _, match := range placeholder.FindAllStringSubmatch(statement, -1) {
		if !slices.Contains(Placeholders, match[1]) {
			known := slices.Concat(Placeholders, bound, boundOfDataset)
			return "", fmt.Errorf("unknown placeholder %s, known are %s", match[0], strings.Join(known, ", "))
		}
	}
	if rest := placeholder.ReplaceAllString(statement, ""); strings.Contains(rest, "{{") || strings.Contains(rest, "}}") {
		return "", fmt.Errorf("a placeholder is not closed: %s", firstLine(statement))
	}
	return statement, nil
}

// bind turns the placeholders of values that the workflow binds into parameters.
func bind(statement, dataset string) (string, error) {
	names := map[string]string{}
	for _, name := range bound {
		names["{{"+name+"}}"] = ":" + name
	}
	for _, name := range boundOfDataset {
		if dataset != "" {
			names["{{"+name+"}}"] = ":" + dataset + "_" + name
		}
	}
	for at := 0; at < len(statement); {
		length, _, err := piece(statement[at:])
		if err != nil {
			return "", err
		}
		for name := range names {
			if length > 1 && strings.Contains(statement[at:at+length], name) {
				return "", fmt.Errorf("%s is bound, and a quoted text binds no values: %s", name, firstLine(statement))
			}
		}
		at += length
	}
	for name, parameter := range names {
		statement = strings.ReplaceAll(statement, name, parameter)
	}
	return statement, nil
}

// query is a file of views/, model/ or marts/: one statement under the file's name.
type query struct{ name, query string }

// selects reads the queries of a folder and orders them so that each comes after those of the same
// schema that it reads; otherwise by name.
func (p planner) selects(folder, schema string) ([]query, error) {
	return p.queries(folder, schema, func(name, text string) error {
		if first := strings.ToLower(strings.Fields(text)[0]); first != "select" && first != "with" {
			return fmt.Errorf("%s: want one select, got: %s", p.path(folder, name), firstLine(text))
		}
		return nil
	})
}

// model reads the tables that analysts read, in the order in which they read each other.
func (p planner) model() ([]query, error) {
	return p.queries("model", "analytics", func(name, text string) error {
		if want := "create table analytics." + name; !slices.Equal(strings.Fields(text)[:3], strings.Fields(want)) {
			return fmt.Errorf("%s: want %s … as select, got: %s", p.path("model", name), want, firstLine(text))
		}
		return nil
	})
}

func (p planner) queries(folder, schema string, check func(name, text string) error) ([]query, error) {
	found, err := p.namesIn(folder)
	if err != nil {
		return nil, err
	}
	waiting := map[string]string{}
	for _, name := range found {
		text, err := p.readOne(folder, name, p.columnsOfTable(name))
		if err == nil {
			err = check(name, text)
		}
		if err != nil {
			return nil, err
		}
		waiting[name] = text
	}
	return p.inOrder(folder, schema, found, waiting)
}

// columnsOfTable is the value of {{columns}} for a file that is named after a table of a dataset.
func (p planner) columnsOfTable(name string) map[string]string {
	if len(p.columns("staging", name)) == 0 {
		return nil
	}
	return map[string]string{"columns": p.columnList(name)}
}

// columnList is the list of a table's own columns as its file declares them, without ingest_date,
// which only history adds.
func (p planner) columnList(table string) string {
	return strings.Join(names(p.columns("staging", table)), ",\n    ")
}

func (p planner) inOrder(folder, schema string, found []string, waiting map[string]string) ([]query, error) {
	reference := regexp.MustCompile(`(?i)\b` + schema + `\.([a-z_][a-z0-9_]*)`)
	var ordered []query
	for len(waiting) > 0 {
		before := len(ordered)
		for _, name := range found {
			text, waits := waiting[name]
			if !waits || slices.ContainsFunc(reference.FindAllStringSubmatch(text, -1), func(match []string) bool {
				_, unmet := waiting[match[1]]
				return unmet && match[1] != name
			}) {
				continue
			}
			ordered = append(ordered, query{name, text})
			delete(waiting, name)
		}
		if len(ordered) == before {
			return nil, fmt.Errorf("%s: these read each other in a circle: %v", p.dir+"/"+folder, slices.Sorted(maps.Keys(waiting)))
		}
	}
	return ordered, nil
}
