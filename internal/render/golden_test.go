package render

import (
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"iter"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/execution"
	"moviepipeline/internal/query"
)

var update = flag.Bool("update", false, "accept what is written as the new golden files")

// golden compares what was written with testdata/<name>.
func golden(t *testing.T, name string, written []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.WriteFile(path, written, 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	assert.Equal(t, string(want), string(written))
}

// result is a run in which all kinds of outcomes stand.
func result(t *testing.T) execution.Result {
	t.Helper()
	content, err := os.ReadFile(filepath.Join("testdata", "summary.json"))
	require.NoError(t, err)
	summary, err := execution.ParseSummary(content)
	require.NoError(t, err)
	films := "movies"
	return execution.Result{Summary: summary, Steps: []execution.Step{
		{Name: "Crawl", Status: execution.Succeeded, Seconds: 2.25},
		{Name: "Gate", Dataset: &films, Status: execution.Failed, Seconds: 61},
	}}
}

func TestResultForPeople(t *testing.T) {
	var out bytes.Buffer
	Result(&out, result(t))
	Steps(&out, result(t).Steps)
	golden(t, "result.txt", out.Bytes())
}

func TestResultForPrograms(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, JSON(&out, result(t)))
	golden(t, "result.json", out.Bytes())
}

func TestRuns(t *testing.T) {
	began := time.Date(2026, 1, 31, 4, 0, 0, 0, time.Local)
	var out bytes.Buffer
	Runs(&out, []execution.Run{
		{Name: "b", Status: execution.Running, Began: began},
		{Name: "a", Status: execution.Succeeded, Began: began, Ended: began.Add(90 * time.Second)},
	}, began.Add(5*time.Second))
	golden(t, "runs.txt", out.Bytes())
}

// rows has a value of each kind, and those that are hard to write.
func rows() query.Result {
	return query.Result{
		Returns: true,
		Columns: []query.Column{{Name: "n", Type: "int8"}, {Name: "share", Type: "numeric"}, {Name: "x", Type: "float8"}, {Name: "ok", Type: "bool"}, {Name: "title", Type: "varchar"}},
		Rows: sequence(
			query.Row{int64(9007199254740993), json.Number("0.10"), 1e21, true, `Say "Cheese", <b>now</b> & then`},
			query.Row{nil, nil, math.NaN(), nil, nil},
			query.Row{int64(-1), json.Number("12.50"), 0.5, false, "two\nlines\x1b[31m"},
			query.Row{int64(0), json.Number("0"), 0.0, false, "A title that is far longer than what a table on a screen should give to one column"},
		),
	}
}

func sequence(all ...query.Row) iter.Seq2[query.Row, error] {
	return func(yield func(query.Row, error) bool) {
		for _, row := range all {
			if !yield(row, nil) {
				return
			}
		}
	}
}

func TestRowsInEachForm(t *testing.T) {
	var table, list, lines bytes.Buffer
	require.NoError(t, RowTable(&table, rows()))
	require.NoError(t, RowJSON(&list, rows()))
	require.NoError(t, RowCSV(&lines, rows()))
	golden(t, "rows.txt", table.Bytes())
	golden(t, "rows.json", list.Bytes())
	golden(t, "rows.csv", lines.Bytes())
	assert.True(t, json.Valid(list.Bytes()))
}

func TestNoRows(t *testing.T) {
	none := query.Result{Returns: true, Columns: []query.Column{{Name: "n"}}, Rows: sequence()}
	var list, lines bytes.Buffer
	require.NoError(t, RowJSON(&list, none))
	require.NoError(t, RowCSV(&lines, none))
	assert.Equal(t, "[]\n", list.String())
	assert.Equal(t, "n\n", lines.String())
}

func TestFailureBetweenPagesIsToldInEachForm(t *testing.T) {
	broken := query.Result{Returns: true, Columns: []query.Column{{Name: "n"}}, Rows: func(yield func(query.Row, error) bool) {
		yield(nil, errors.New("page gone"))
	}}
	assert.EqualError(t, RowTable(&bytes.Buffer{}, broken), "page gone")
	assert.EqualError(t, RowJSON(&bytes.Buffer{}, broken), "page gone")
	assert.EqualError(t, RowCSV(&bytes.Buffer{}, broken), "page gone")
}
