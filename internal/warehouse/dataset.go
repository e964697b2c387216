package warehouse

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"moviepipeline/internal/datasets"
)

var (
	columnList = regexp.MustCompile(`(?is)^(?:copy|insert\s+into)\s+[a-z0-9_.]+\s*(\(.*)$`)
	newRows    = regexp.MustCompile(`(?is)^(copy|insert\s+into)\s`)
)

func (p *planner) datasets(list []datasets.Dataset) error {
	for _, dataset := range list {
		statements, err := p.dataset(dataset)
		if err != nil {
			return err
		}
		p.plan.Datasets[dataset.Name] = statements
	}
	return nil
}

func (p *planner) dataset(dataset datasets.Dataset) (Dataset, error) {
	statements := Dataset{Copy: map[string]string{}}
	for _, table := range dataset.Tables {
		if err := p.table(&statements, dataset.Name, table); err != nil {
			return Dataset{}, err
		}
	}
	values := map[string]string{"dataset": dataset.Name, "table": dataset.Tables[0]}
	err := p.stage(&statements, "quarantine", "quarantine", "staging.quarantined_"+dataset.Name, values)
	if err != nil {
		return Dataset{}, err
	}
	if statements.Count, err = p.readSome("stage", "count", values, 2); err != nil {
		return Dataset{}, err
	}
	if values["loaded"], err = p.loaded(dataset); err != nil {
		return Dataset{}, err
	}
	audit, err := p.readSome("load", "audit", values, 2)
	statements.Load = append(statements.Load, audit...)
	return statements, err
}

// loaded is the query of what the tables of a dataset hold of the date.
func (p *planner) loaded(dataset datasets.Dataset) (string, error) {
	var queries []string
	for _, table := range dataset.Tables {
		one, err := p.readOne("load", "rows", map[string]string{"table": table, "row": rowText(p.columns("staging", table))})
		if err != nil {
			return "", err
		}
		queries = append(queries, one)
	}
	return strings.Join(queries, "\nunion all\n"), nil
}

// table adds what stages and loads one published table, and compares the lists of its columns.
func (p *planner) table(statements *Dataset, dataset, table string) error {
	staged, kept := names(p.columns("staging", table)), names(p.columns("history", table))
	if want := append(slices.Clone(staged), "ingest_date"); !slices.Equal(kept, want) {
		return fmt.Errorf("%s: history.%s has the columns %v, want those of staging.%s and ingest_date: %v",
			p.path("tables", table), table, kept, table, want)
	}
	values := map[string]string{"dataset": dataset, "table": table, "columns": p.columnList(table)}
	if err := p.stage(statements, "table", table, "staging."+table, values); err != nil {
		return err
	}
	// COPY of Parquet goes by position, and a column that was added later stands last in its table.
	if err := sameColumns(statements.Copy[table], staged); err != nil {
		return fmt.Errorf("%s: %w", p.path("stage", "table"), err)
	}
	load, err := p.readSome("load", "table", values, 2)
	if err != nil {
		return err
	}
	if err := p.replaces(load, "history."+table, p.path("load", "table")); err != nil {
		return err
	}
	if err := sameColumns(load[1], kept); err != nil {
		return fmt.Errorf("%s: %w", p.path("load", "table"), err)
	}
	statements.Load = append(statements.Load, load...)
	return nil
}

// stage adds the statements of stage/<template>.sql: empty the table, then COPY it from the part of
// staging that the job writes it to.
func (p *planner) stage(statements *Dataset, template, part, table string, values map[string]string) error {
	pair, err := p.readSome("stage", template, values, 2)
	if err != nil {
		return err
	}
	if err := p.replaces(pair, table, p.path("stage", template)); err != nil {
		return err
	}
	prefix := fmt.Sprintf("'s3://{{processed_bucket}}/staging/%s/%s/'", values["dataset"], part)
	if !strings.Contains(pair[1], prefix) {
		return fmt.Errorf("%s: does not copy from %s", p.path("stage", template), prefix)
	}
	statements.Clear = append(statements.Clear, pair[0])
	statements.Copy[part] = pair[1]
	return nil
}

// replaces checks that a pair of statements deletes from the table and then fills it.
func (p planner) replaces(pair []string, table, path string) error {
	deletes := strings.HasPrefix(pair[0]+" ", "delete from "+table+" ") || strings.HasPrefix(pair[0], "delete from "+table+"\n")
	fields := strings.Fields(newRows.ReplaceAllString(pair[1], ""))
	if !deletes || !newRows.MatchString(pair[1]) || len(fields) == 0 || fields[0] != table {
		return fmt.Errorf("%s: want a delete from %s, then a copy or insert into it, got: %s; %s",
			path, table, firstLine(pair[0]), firstLine(pair[1]))
	}
	return nil
}

// sameColumns checks that a COPY or INSERT lists exactly these columns in this order.
func sameColumns(statement string, want []string) error {
	match := columnList.FindStringSubmatch(statement)
	if match == nil {
		return fmt.Errorf("names no columns: %s", firstLine(statement))
	}
	got, err := inParentheses(match[1])
	if err != nil {
		return err
	}
	if !slices.Equal(got, want) {
		return fmt.Errorf("lists the columns %v, the table has %v", got, want)
	}
	return nil
}
