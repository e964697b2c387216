// Package warehouse turns the SQL files of the project into the document that the workflow runs:
// which statements, in which order, in which transaction.
package warehouse

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"moviepipeline/internal/datasets"
)

// Limits of the Redshift Data API.
// https://docs.aws.amazon.com/redshift/latest/mgmt/data-api.html
const (
	// MaxBatch is how many statements a BatchExecuteStatement takes.
	MaxBatch = 40
	// MaxStatement is the length of a statement in bytes.
	MaxStatement = 100_000
)

var (
	createRole  = regexp.MustCompile(`^create role ([a-z_]+)$`)
	grantToRole = regexp.MustCompile(`^grant (?:usage on schema|select for tables in schema) [a-z_, ]+ to role ([a-z_]+)$`)
)

// Statements is the document. Its statements hold parameters like :ingest_date that the workflow
// binds, and placeholders like {{copy_role}} that it replaces where Redshift binds no values.
type Statements struct {
	// Schema creates schemas and tables that are not there, in one batch.
	Schema []string `json:"schema"`
	// Columns are all columns of these tables, for adding those that an older table lacks.
	Columns []Column `json:"columns"`
	// Views drops and creates the views, and creates the procedure that rebuilds what analysts read, in
	// one batch with the columns added.
	Views []string `json:"views"`
	// Roles are the database roles to create where they are not there, in the batch of the views.
	Roles []string `json:"roles"`
	// Grants is what they may do, which ends that batch.
	Grants []string `json:"grants"`
	// Datasets holds each dataset's own statements by its name.
	Datasets map[string]Dataset `json:"datasets"`
	// Rebuild calls that procedure, in the batch that loads: a statement for each model table and mart
	// would use up the batch.
	Rebuild string `json:"rebuild"`
	// Quarantine replaces the date's bad rows in the batch that loads, after the loads of all datasets.
	Quarantine []string `json:"quarantine"`
	// Results keeps how each rule fared in this run, in a batch of its own.
	Results []string `json:"results"`
	// Loaded asks what this run loaded; it ends the batch that loads.
	Loaded string `json:"loaded"`
	// Unload writes each mart to S3.
	Unload []Unload `json:"unload"`
}

// Dataset holds the statements of one dataset.
type Dataset struct {
	// Clear empties the dataset's tables in staging.
	Clear []string `json:"clear"`
	// Copy fills a table of staging, by the table's name; `quarantine` is that of the bad rows.
	Copy map[string]string `json:"copy"`
	// Count counts the dataset's own rows and its bad rows, then the bad ones by the rules they broke.
	Count []string `json:"count"`
	// Load replaces the date's rows and writes the audit row.
	Load []string `json:"load"`
}

// Unload is a mart and the statement that writes it to S3.
type Unload struct {
	Name      string `json:"name"`
	Statement string `json:"statement"`
}

// Plan reads the SQL files under sqlDir for the datasets of the list. {{columns}} in a file stands
// for the columns of the table, as tables/<table>.sql declares them in staging. It is an error, which
// names the file, when one is missing or belongs to no dataset, holds an unknown placeholder or other
// statements than its place asks for, when the columns of a table in staging, in history and in its
// COPY differ, or when a batch outgrows the limits of the Redshift Data API.
func Plan(sqlDir string, list []datasets.Dataset) (Statements, error) {
	p := planner{dir: sqlDir, plan: Statements{Datasets: map[string]Dataset{}}}
	if err := p.strangers(list); err != nil {
		return Statements{}, err
	}
	steps := []func() error{
		func() error { return p.schema(list) },
		p.views,
		p.access,
		func() error { return p.datasets(list) },
		p.rebuild,
		func() error { return p.quality(list) },
		p.limits,
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return Statements{}, err
		}
	}
	return p.plan, nil
}

// planner fills the document from the files under dir.
type planner struct {
	dir  string
	plan Statements
}

// templates are the files that serve every table, dataset or mart. No table may have their names.
var templates = map[string][]string{
	"tables": {"quarantine", "audit"},
	"stage":  {"table", "quarantine", "count"},
	"load":   {"table", "rows", "audit", "loaded"},
}

// strangers refuses tables with a template's name and files that belong to no table: a left-over
// file would never run, and a misnamed one would be missed in silence.
func (p planner) strangers(list []datasets.Dataset) error {
	for _, dataset := range list {
		for _, table := range dataset.Tables {
			if slices.Contains(slices.Concat(templates["tables"], templates["stage"], templates["load"]), table) {
				return fmt.Errorf("dataset %q: the table name %q is taken by a template in %s", dataset.Name, table, p.dir)
			}
		}
	}
	for folder, known := range templates {
		if folder == "tables" {
			known = append(slices.Clone(known), tablesOf(list)...)
		}
		found, err := p.namesIn(folder)
		if err != nil {
			return err
		}
		for _, name := range found {
			if !slices.Contains(known, name) {
				return fmt.Errorf("%s is nobody's: %s holds %s alone", p.path(folder, name), folder, strings.Join(known, ", "))
			}
		}
	}
	return nil
}

func tablesOf(list []datasets.Dataset) []string {
	var tables []string
	for _, dataset := range list {
		tables = append(tables, dataset.Tables...)
	}
	return tables
}

func (p *planner) schema(list []datasets.Dataset) error {
	schemas, err := p.read(".", "schemas", nil)
	if err != nil {
		return err
	}
	p.plan.Schema = schemas
	for _, dataset := range list {
		for _, table := range dataset.Tables {
			if err := p.create(table, nil, "staging."+table, "history."+table); err != nil {
				return err
			}
		}
		values := map[string]string{"dataset": dataset.Name}
		if err := p.create("quarantine", values, "staging.quarantined_"+dataset.Name); err != nil {
			return err
		}
	}
	if err := p.create("audit", nil, "audit.loads"); err != nil {
		return err
	}
	return p.createIn("quality", "tables", nil, "history.quarantine", "staging.rule_results", "audit.rule_results")
}

// create adds the tables that the file tables/<name>.sql must create, and no others.
func (p *planner) create(name string, values map[string]string, wanted ...string) error {
	return p.createIn("tables", name, values, wanted...)
}

func (p *planner) createIn(folder, name string, values map[string]string, wanted ...string) error {
	statements, err := p.read(folder, name, values)
	if err != nil {
		return err
	}
	var created []string
	for _, statement := range statements {
		columns, err := columnsOf(statement)
		if err != nil {
			return fmt.Errorf("%s: %w", p.path(folder, name), err)
		}
		if len(columns) > 0 {
			created = append(created, columns[0].Schema+"."+columns[0].Table)
		}
		p.plan.Columns = append(p.plan.Columns, columns...)
	}
	if !slices.Equal(created, wanted) {
		return fmt.Errorf("%s: creates %v, want %v", p.path(folder, name), created, wanted)
	}
	p.plan.Schema = append(p.plan.Schema, statements...)
	return nil
}

// columns gives the columns of a table that the schema creates.
func (p planner) columns(schema, table string) []Column {
	return slices.DeleteFunc(slices.Clone(p.plan.Columns), func(column Column) bool {
		return column.Schema != schema || column.Table != table
	})
}

func (p *planner) views() error {
	selects, err := p.selects("views", "analytics")
	if err != nil {
		return err
	}
	for _, view := range slices.Backward(selects) {
		p.plan.Views = append(p.plan.Views, "drop view if exists analytics."+view.name)
	}
	for _, view := range selects {
		p.plan.Views = append(p.plan.Views, "create view analytics."+view.name+" as\n"+view.query)
	}
	return nil
}

// access takes the roles and what is granted to them from access.sql. Whoever is in a role reads and changes nothing.
func (p *planner) access() error {
	statements, err := p.read(".", "access", nil)
	if err != nil {
		return err
	}
	for _, statement := range statements {
		if match := createRole.FindStringSubmatch(statement); match != nil {
			p.plan.Roles = append(p.plan.Roles, match[1])
			continue
		}
		match := grantToRole.FindStringSubmatch(statement)
		if match == nil {
			return fmt.Errorf("%s: want create role NAME, grant usage on schema … to role NAME or grant select for tables "+
				"in schema … to role NAME, got: %s", p.path(".", "access"), firstLine(statement))
		}
		if !slices.Contains(p.plan.Roles, match[1]) {
			return fmt.Errorf("%s: the role %s is not created before it gets a grant", p.path(".", "access"), match[1])
		}
		p.plan.Grants = append(p.plan.Grants, statement)
	}
	return nil
}

// rebuild fills the procedure that drops and creates the tables of the model, then the marts, which
// read them, and the statements that unload the marts.
func (p *planner) rebuild() error {
	model, err := p.model()
	if err != nil {
		return err
	}
	marts, err := p.selects("marts", "marts")
	if err != nil {
		return err
	}
	var dropped, created []string
	for _, table := range model {
		dropped, created = append(dropped, "analytics."+table.name), append(created, table.query)
	}
	for _, mart := range marts {
		dropped = append(dropped, "marts."+mart.name)
		created = append(created, "create table marts."+mart.name+" as\n"+mart.query)
		unload, err := p.readOne("unload", "mart", map[string]string{"mart": mart.name})
		if err != nil {
			return err
		}
		p.plan.Unload = append(p.plan.Unload, Unload{mart.name, unload})
	}
	if err := p.procedure(append([]string{"drop table if exists " + strings.Join(dropped, ", ")}, created...)); err != nil {
		return err
	}
	p.plan.Loaded, err = p.readOne("load", "loaded", nil)
	return err
}

// procedure puts the statements into the body that rebuild.sql declares.
func (p *planner) procedure(body []string) error {
	text := strings.Join(body, ";\n\n")
	// The workflow fills no placeholder of a procedure, and $$ would end its body.
	for _, sign := range []string{"{{", "$$"} {
		if at := strings.Index(text, sign); at >= 0 {
			return fmt.Errorf("%s: a model table or a mart may not hold %s, got: %s", p.dir, sign, firstLine(text[at:]))
		}
	}
	for _, name := range bound {
		if strings.Contains(text, ":"+name) {
			return fmt.Errorf("%s: a model table or a mart may not bind :%s: a procedure has no values of the run", p.dir, name)
		}
	}
	pair, err := p.readSome(".", "rebuild", map[string]string{"statements": text}, 2)
	if err != nil {
		return err
	}
	p.plan.Views, p.plan.Rebuild = append(p.plan.Views, pair[0]), pair[1]
	return nil
}

// limits checks every batch that the workflow can make of the plan.
func (p *planner) limits() error {
	load := append([]string{p.plan.Rebuild, p.plan.Loaded}, p.plan.Quarantine...)
	// The workflow adds queries of the columns and of the roles that are there to the first of these.
	batches := map[string][]string{
		"that creates the schema": append(slices.Clone(p.plan.Schema), "", ""), "that creates the views": slices.Concat(p.plan.Roles, p.plan.Views, p.plan.Grants),
		"that keeps the results of rules": p.plan.Results,
	}
	for name, dataset := range p.plan.Datasets {
		load = append(load, dataset.Load...)
		copies := slices.Concat(dataset.Clear, dataset.Count)
		for _, statement := range dataset.Copy {
			copies = append(copies, statement)
		}
		batches["that copies "+name] = copies
	}
	batches["that loads all datasets and rebuilds the marts"] = load
	for _, unload := range p.plan.Unload {
		batches["that unloads the marts"] = append(batches["that unloads the marts"], unload.Statement)
	}
	for name, batch := range batches {
		if len(batch) > MaxBatch {
			return fmt.Errorf("%s: the batch %s has %d statements, Redshift takes %d", p.dir, name, len(batch), MaxBatch)
		}
		for _, statement := range batch {
			if len(statement) > MaxStatement {
				return fmt.Errorf("%s: a statement of %d bytes, Redshift takes %d: %s", p.dir, len(statement), MaxStatement, firstLine(statement))
			}
		}
	}
	return nil
}

func (p planner) path(folder, name string) string {
	return filepath.Join(p.dir, folder, name+".sql")
}

// namesIn lists the SQL files of a folder without their ending, in order.
func (p planner) namesIn(folder string) ([]string, error) {
	entries, err := os.ReadDir(filepath.Join(p.dir, folder))
	if folder == "views" && errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []string
	for _, entry := range entries {
		name := entry.Name()
		if entry.IsDir() || filepath.Ext(name) != ".sql" {
			return nil, fmt.Errorf("%s is no SQL file", filepath.Join(p.dir, folder, name))
		}
		found = append(found, name[:len(name)-len(".sql")])
	}
	return found, nil
}
