package warehouse

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"moviepipeline/internal/datasets"
)

var update = flag.Bool("update", false, "write the expected plans anew")

var twoTables = []datasets.Dataset{{Name: "films", Format: "csv", Tables: []string{"films", "film_tags"}}}

func encode(t *testing.T, plan Statements) []byte {
	t.Helper()
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	if err := encoder.Encode(plan); err != nil {
		t.Fatal(err)
	}
	return buffer.Bytes()
}

func TestPlanOfTwoTables(t *testing.T) {
	plan, err := Plan(filepath.Join("testdata", "two_tables"), twoTables)
	if err != nil {
		t.Fatal(err)
	}
	got := encode(t, plan)
	golden := filepath.Join("testdata", "two_tables.json")
	if *update {
		if err := os.WriteFile(golden, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("the plan differs from %s (go test -update writes it anew):\n%s", golden, got)
	}
}

func TestPlanOfTheProject(t *testing.T) {
	list, err := datasets.Load(filepath.Join("..", "..", "datasets.json"))
	if err != nil {
		t.Fatal(err)
	}
	plan, err := Plan(filepath.Join("..", "..", "sql"), list)
	if err != nil {
		t.Fatal(err)
	}
	for _, dataset := range list {
		if got := len(plan.Datasets[dataset.Name].Copy); got != len(dataset.Tables)+1 {
			t.Errorf("%s: %d copies, want one for each table and one for the quarantine", dataset.Name, got)
		}
	}
	for _, mart := range plan.Unload {
		if procedure := plan.Views[len(plan.Views)-1]; !strings.Contains(procedure, "create table marts."+mart.Name+" as") {
			t.Errorf("marts.%s is unloaded and not rebuilt", mart.Name)
		}
	}
	// The workflow carries the document in its state, which holds 256 KB.
	if size := len(encode(t, plan)); size > 100_000 {
		t.Errorf("the plan has %d bytes", size)
	}
}

// Each case changes one file of the good plan and names what the error must say.
func TestPlanRefuses(t *testing.T) {
	cases := map[string]struct {
		file, from, to string
		want           []string
	}{
		"unknown placeholder":           {"load/table.sql", "{{ingest_date}}", "{{ingest_day}}", []string{"load/table.sql", "{{ingest_day}}"}},
		"placeholder with space":        {"load/table.sql", "{{ingest_date}}", "{{ ingest_date }}", []string{"load/table.sql", "{{ ingest_date }}"}},
		"open placeholder":              {"load/table.sql", "{{ingest_date}}", "{{ingest_date}", []string{"load/table.sql", "not closed"}},
		"bound value in a string":       {"load/table.sql", "= {{ingest_date}}", "= '{{ingest_date}}'", []string{"load/table.sql", "{{ingest_date}} is bound", "quoted"}},
		"bound value in a copy":         {"stage/table.sql", "{{dataset}}/{{table}}/", "{{dataset}}/{{table}}/{{execution}}", []string{"stage/table.sql", "{{execution}} is bound", "quoted"}},
		"count without a dataset":       {"load/loaded.sql", "{{execution}}", "{{rows_read}}", []string{"load/loaded.sql", "{{rows_read}}"}},
		"bound value in a mart":         {"marts/total.sql", "history.films", "history.films where ingest_date = {{ingest_date}}", []string{"may not bind", ":ingest_date"}},
		"template value elsewhere":      {"marts/total.sql", "history.films", "history.{{table}}", []string{"marts/total.sql", "{{table}}"}},
		"columns of no table":           {"views/tagged.sql", "id", "{{columns}}", []string{"views/tagged.sql", "{{columns}}"}},
		"open quote":                    {"marts/by_tag.sql", "select label", "select 'label", []string{"marts/by_tag.sql", "line 2", "quote ' does not end"}},
		"open comment":                  {"marts/by_tag.sql", "group by", "/* group by", []string{"marts/by_tag.sql", "line 4", "comment"}},
		"no statement":                  {"load/loaded.sql", "", "-- later", []string{"load/loaded.sql", "no statement"}},
		"two selects":                   {"marts/by_tag.sql", "group by label", "group by label; select 1", []string{"marts/by_tag.sql", "2 statements"}},
		"mart that is no select":        {"marts/by_tag.sql", "select label,", "delete from label,", []string{"marts/by_tag.sql", "want one select"}},
		"history without a column":      {"tables/films.sql", "title varchar(40) default ';',\n", "", []string{"tables/films.sql", "history.films"}},
		"history in other order":        {"tables/films.sql", "    ingest_date date,\n    primary key (id)", "    primary key (id)", []string{"tables/films.sql", "ingest_date"}},
		"table under another name":      {"tables/films.sql", "staging.films", "staging.movies", []string{"tables/films.sql", "staging.movies"}},
		"unreadable column":             {"tables/films.sql", "id bigint,", "id,", []string{"tables/films.sql", `"id"`}},
		"drop among the tables":         {"tables/films.sql", "create table if not exists staging", "drop table staging", []string{"tables/films.sql", "want create table"}},
		"copy of other columns":         {"stage/table.sql", "{{columns}}", "title, id", []string{"stage/table.sql", "[title id]"}},
		"copy without columns":          {"stage/table.sql", "(\n    {{columns}}\n)", "", []string{"stage/table.sql", "no columns"}},
		"copy from another prefix":      {"stage/table.sql", "{{dataset}}/{{table}}/", "{{dataset}}/film/", []string{"stage/table.sql", "staging/films/films/"}},
		"copy into another table":       {"stage/table.sql", "copy staging.{{table}}", "copy staging.film_tags", []string{"stage/table.sql", "staging.films"}},
		"load of other columns":         {"load/table.sql", "({{columns}}, ingest_date)", "(id, ingest_date)", []string{"load/table.sql", "[id ingest_date]"}},
		"load that deletes elsewhere":   {"load/table.sql", "delete from history.{{table}}", "delete from history.film_tags", []string{"load/table.sql", "delete from history.films"}},
		"file of no table":              {"load/actors.sql", "", "select 1", []string{"load/actors.sql", "nobody's"}},
		"quality file of nobody":        {"quality/trend.sql", "", "select 1", []string{"quality/trend.sql", "nobody's"}},
		"results kept elsewhere":        {"quality/results.sql", "delete from audit.rule_results", "delete from audit.loads", []string{"quality/results.sql", "delete from audit.rule_results"}},
		"quarantine without its delete": {"quality/quarantine.sql", "delete from history.quarantine\nwhere", "delete from history.films\nwhere", []string{"quality/quarantine.sql", "delete from history.quarantine"}},
		"file that is no SQL":           {"views/notes.txt", "", "x", []string{"notes.txt", "no SQL"}},
		"views that read each other":    {"views/tagged.sql", "history.film_tags", "analytics.all_tags", []string{"views", "circle", "all_tags"}},
		"model that reads itself round": {"model/films.sql", "history.films", "analytics.counted", []string{"model", "circle", "counted films"}},
		"model that is no table":        {"model/films.sql", "create table analytics.films", "create view analytics.films", []string{"model/films.sql", "want create table analytics.films"}},
		"model under another name":      {"model/films.sql", "create table analytics.films", "create table analytics.movies", []string{"model/films.sql", "want create table analytics.films"}},
		"mart with a placeholder":       {"marts/total.sql", "history.films", "history.films where a = '{{copy_role}}'", []string{"may not hold {{", "{{copy_role}}"}},
		"mart that ends the procedure":  {"marts/total.sql", "history.films", "history.films where $$a$$ = 'a'", []string{"may not hold $$"}},
		"role that writes":              {"access.sql", "grant select", "grant insert", []string{"access.sql", "got: grant insert"}},
		"role that is not created":      {"access.sql", "create role reader;", "", []string{"access.sql", "reader is not created"}},
		"procedure that is not called":  {"rebuild.sql", "call marts.rebuild();", "", []string{"rebuild.sql", "1 statements, want 2"}},
		"statement longer than allowed": {"marts/total.sql", "history.films", "history.films where " + strings.Repeat("1 = 1 and ", 10_000) + "true", []string{"bytes"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			dir := copyOf(t, filepath.Join("testdata", "two_tables"))
			path := filepath.Join(dir, filepath.FromSlash(c.file))
			content, err := os.ReadFile(path)
			if c.from != "" && (err != nil || !strings.Contains(string(content), c.from)) {
				t.Fatalf("%s does not hold %q: %v", c.file, c.from, err)
			}
			changed := c.to
			if c.from != "" {
				changed = strings.Replace(string(content), c.from, c.to, 1)
			}
			if err := os.WriteFile(path, []byte(changed), 0o644); err != nil {
				t.Fatal(err)
			}
			requireError(t, dir, twoTables, c.want...)
		})
	}
}

func TestPlanRefusesMissingFilesAndTakenNames(t *testing.T) {
	for _, file := range []string{"schemas.sql", "tables/films.sql", "stage/table.sql", "load/table.sql", "load/rows.sql", "load/audit.sql", "unload/mart.sql", "rebuild.sql", "access.sql"} {
		dir := copyOf(t, filepath.Join("testdata", "two_tables"))
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(file))); err != nil {
			t.Fatal(err)
		}
		requireError(t, dir, twoTables, filepath.FromSlash(file))
	}
	taken := []datasets.Dataset{{Name: "films", Format: "csv", Tables: []string{"audit"}}}
	requireError(t, filepath.Join("testdata", "two_tables"), taken, `"audit"`, "template")
}

func TestPlanRefusesTooManyStatements(t *testing.T) {
	dir := copyOf(t, filepath.Join("testdata", "two_tables"))
	for i := range MaxBatch {
		path := filepath.Join(dir, "views", fmt.Sprintf("view_%d.sql", i))
		if err := os.WriteFile(path, []byte("select 1 as one"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	requireError(t, dir, twoTables, "statements, Redshift takes 40")
}

func requireError(t *testing.T, dir string, list []datasets.Dataset, wanted ...string) {
	t.Helper()
	_, err := Plan(dir, list)
	if err == nil {
		t.Fatalf("no error, want one with %q", wanted)
	}
	if slices.ContainsFunc(wanted, func(part string) bool { return !strings.Contains(err.Error(), part) }) {
		t.Fatalf("error %q lacks one of %q", err, wanted)
	}
}

func copyOf(t *testing.T, dir string) string {
	t.Helper()
	target := t.TempDir()
	if err := os.CopyFS(target, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return target
}
