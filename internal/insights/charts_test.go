package insights

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// martsOfProject are the names of the files in sql/marts.
func martsOfProject(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(root, "sql", "marts", "*.sql"))
	require.NoError(t, err)
	var names []string
	for _, file := range files {
		names = append(names, strings.TrimSuffix(filepath.Base(file), ".sql"))
	}
	return names
}

func TestEveryMartHasItsChart(t *testing.T) {
	charts := ownCharts(t).Marts
	marts := martsOfProject(t)
	for _, mart := range marts {
		assert.Contains(t, charts, mart, "mart %s has no chart: add internal/insights/charts/%s.json (docs/insights.md says how)", mart, mart)
	}
	for name := range charts {
		assert.Contains(t, marts, name, "internal/insights/charts/%s.json is the chart of no mart", name)
	}
}

// The workflow and the tests of marts see to it that a mart has the columns that its SQL names.
func TestChartsNameColumnsOfTheirMart(t *testing.T) {
	for name, chart := range ownCharts(t).Marts {
		sql, err := os.ReadFile(filepath.Join(root, "sql", "marts", name+".sql"))
		if os.IsNotExist(err) {
			continue
		}
		require.NoError(t, err)
		for _, column := range chart.Columns {
			assert.Regexp(t, `\b`+column.Name+`\b`, string(sql), "chart %s", name)
		}
	}
}

const goodChart = `{"title": "T", "about": "A", "section": "s", "sort": ["-n"],
	"columns": [{"name": "who", "title": "Who", "format": "text"}, {"name": "n", "title": "N", "format": "count"}],
	"draw": {"kind": "bars", "label": ["who"], "value": "n"},
	"sentence": {"rule": "leader", "of": {"label": "who", "value": "n"}, "say": {"clear": "{first}", "close": "{second}"}}}`

func TestChartsThatAreRefused(t *testing.T) {
	load := func(chart string) error {
		_, err := LoadCharts(fstest.MapFS{
			"sections.json": {Data: []byte(`[{"id": "s", "title": "S", "intro": "I"}]`)},
			"mart.json":     {Data: []byte(chart)},
			"quality.json":  {Data: []byte(strings.Replace(goodChart, `"section": "s"`, `"section": "quality"`, 1))},
		})
		return err
	}
	require.NoError(t, load(goodChart))
	for _, of := range []struct{ old, changed, words string }{
		{`"title": "T"`, `"titel": "T"`, `unknown field "titel"`},
		{`"title": "T"`, `"title": ""`, "title, about and sort must not be empty"},
		{`"section": "s"`, `"section": "x"`, `section "x" does not stand in sections.json`},
		{`"format": "count"`, `"format": "counts"`, `column "n": want a title and one of the formats count, date`},
		{`"kind": "bars"`, `"kind": "pie"`, `kind "pie" is none of bars, columns`},
		{`, "value": "n"}`, `}`, "bars needs value"},
		{`, "value": "n"}`, `, "value": "n", "x": "n"}`, "bars takes no x"},
		{`["-n"]`, `["-m"]`, `column "m" is used and not listed`},
		{`"rule": "leader"`, `"rule": "guess"`, `rule "guess" is none of concentration`},
		{`{"label": "who", `, `{`, "rule leader needs the column `of.label`"},
		{`{"label": "who", "value": "n"}, "say"`, `{"label": "who", "value": "n", "x": "n"}, "say"`, "rule leader takes no column `of.x`"},
		{`, "close": "{second}"`, ``, `rule leader needs words for the outcome "close"`},
		{`{second}`, `{third}`, `rule leader does not find {third} for the outcome "close", but: rows, at_least, first`},
		{`"close": "{second}"`, `"close": "c", "draw": "d"`, `rule leader has no outcome "draw"`},
	} {
		changed := strings.Replace(goodChart, of.old, of.changed, 1)
		require.NotEqual(t, goodChart, changed, of.old)
		assert.ErrorContains(t, load(changed), of.words, of.changed)
		assert.ErrorContains(t, load(changed), "mart.json: ")
	}
}
