package insights

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/execution"
)

// files makes a copy of reports/: summaries in the order of their end, and marts.
func files(t *testing.T, runs []execution.Summary, marts map[string]string) Folder {
	t.Helper()
	folder := fstest.MapFS{}
	for i, run := range runs {
		content, err := json.Marshal(run)
		require.NoError(t, err)
		folder["runs/"+run.Execution+".json"] = &fstest.MapFile{Data: content, ModTime: time.Unix(int64(i), 0)}
	}
	for key, content := range marts {
		folder["marts/"+key] = &fstest.MapFile{Data: []byte(content)}
	}
	return Folder{folder}
}

func TestReadTakesTheMartsOfTheNewestRunThatUnloadedThem(t *testing.T) {
	runs := []execution.Summary{summary("2026-01-31-z-first", "gone"), summary("2026-01-31-a-second", "kept", "empty"), failedReport().Runs[0]}
	report, err := Read(context.Background(), files(t, runs, map[string]string{
		"gone/000":  `{"n":1}`,
		"kept/001":  `{"n":3}`,
		"kept/000":  "{\"n\":1}\n{\"n\":2}\n",
		"empty/000": "",
		"keptlike":  `{"n":4}`,
	}))
	require.NoError(t, err)

	assert.Equal(t, "2026-02-01-run-failed", report.Runs[0].Execution, "the newest by its end, not by its name")
	assert.Equal(t, "2026-01-31-a-second", report.Unloaded.Execution)
	require.Len(t, report.Marts, 2, "what an older run unloaded and is made no more is left out")
	assert.Equal(t, Mart{Name: "empty"}, report.Marts[0])
	assert.Equal(t, Mart{"kept", []string{"n"}, []Row{{json.Number("1")}, {json.Number("2")}, {json.Number("3")}}}, report.Marts[1])
}

func TestReadWithoutARunOrWithABrokenOne(t *testing.T) {
	_, err := Read(context.Background(), files(t, nil, nil))
	require.ErrorIs(t, err, ErrNoRun)
	_, err = Read(context.Background(), Folder{fstest.MapFS{"runs/broken.json": {Data: []byte("{")}}})
	require.ErrorContains(t, err, "reports/runs/broken.json: summary of the run")
	_, err = Read(context.Background(), files(t, []execution.Summary{summary("2026-01-31-a", "bad")}, map[string]string{"bad/000": "x"}))
	require.ErrorContains(t, err, "reports/marts/bad/000: row 1: ")
}

func draw(t *testing.T, report Report) string {
	t.Helper()
	page, err := Page{Environment: "test", Charts: ownCharts(t), Modules: modules}.Draw(report)
	require.NoError(t, err)
	return string(page)
}

func TestPageIsOneSmallFile(t *testing.T) {
	page := draw(t, fullReport(t))
	assert.Less(t, len(page), 3<<20)
	for _, outside := range []string{"src=\"", "<link", "@import", "url(\"http"} {
		assert.NotContains(t, strings.SplitN(page, "<script>", 2)[0], outside)
	}
	assert.Equal(t, page, draw(t, fullReport(t)), "the same report gives the same page")
}

func TestPageTellsOfTheRun(t *testing.T) {
	page := draw(t, fullReport(t))
	for _, words := range []string{
		"✓</span> succeeded", "10,003", "4 min 09 s", "<b>9,949</b> processed", "<b>1</b> duplicate<",
		"The sum is right: no row of films was lost or doubled.", "Every row of stars kept every rule.", "The latest 3 runs", "The other 4 rules",
	} {
		assert.Contains(t, page, words)
	}
	assert.NotContains(t, page, "made, not observed", "of data that are not the sample")

	wrong := fullReport(t)
	*wrong.Runs[0].Datasets["films"].Processed--
	assert.Contains(t, draw(t, wrong), "The sum is wrong: rows of films were lost or doubled.")
}

func TestHeadlinesAreFindingsThatNeedNoCaution(t *testing.T) {
	charts := ownCharts(t)
	for name, chart := range charts.Marts {
		chart.Headline = true
		charts.Marts[name] = chart
	}
	page := func(report Report, sample bool) string {
		drawn, err := Page{Charts: charts, Modules: modules, Sample: sample}.Draw(report)
		require.NoError(t, err)
		return string(drawn)
	}
	const industry, audience = `<li><a href="#chart-box_office_by_genre">`, `<li><a href="#chart-divisive_films">`
	assert.Contains(t, page(fullReport(t), false), industry)
	assert.Contains(t, page(fullReport(t), false), audience)
	assert.Contains(t, page(fullReport(t), true), industry)
	assert.NotContains(t, page(fullReport(t), true), audience, "the ratings of the sample are made")
	assert.NotContains(t, page(sparseReport(t), false), `<li><a href="#chart-box_office_by_year">`, "two rows are no finding")
}

func TestPageOfAFailedRun(t *testing.T) {
	page := draw(t, failedReport())
	for _, words := range []string{
		"✕</span> failed", "GateFailed at step Gate of films.", "There are no trends yet:", "The batch of films as a whole broke a rule",
		"The run did not get as far as judging the rows of stars.", "&lt;script&gt;globalThis.hostile = 1&lt;/script&gt;",
	} {
		assert.Contains(t, page, words)
	}

	report := fullReport(t)
	report.Runs = append(failedReport().Runs, report.Runs...)
	assert.Contains(t, draw(t, report), "They are from run <code>2026-01-31-run-full</code>")
}

func TestChartWhoseColumnIsMissingBecomesATable(t *testing.T) {
	report := fullReport(t)
	mart := &report.Marts[0]
	gone := mart.Columns[len(mart.Columns)-1]
	mart.Columns = mart.Columns[:len(mart.Columns)-1]
	for i := range mart.Rows {
		mart.Rows[i] = mart.Rows[i][:len(mart.Columns)]
	}
	page := draw(t, report)
	assert.Contains(t, page, "The chart of this mart wants columns that it has not: "+gone+".")
	assert.NotContains(t, page, `data-chart="`+mart.Name+`"`)
}

func TestLibrariesMustBeThereAndFit(t *testing.T) {
	modules := t.TempDir()
	_, err := Page{Charts: ownCharts(t), Modules: modules}.Draw(failedReport())
	require.ErrorContains(t, err, "run `make setup`")
	for _, library := range libraries {
		file := filepath.Join(modules, filepath.FromSlash(library))
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(`"</SCRIPT>"`), 0o600))
	}
	_, err = Page{Charts: ownCharts(t), Modules: modules}.Draw(failedReport())
	require.ErrorContains(t, err, "script 1 of the page would end its own element")
}

func TestMarks(t *testing.T) {
	assert.Equal(t, []int64{994, 5, 1}, marks(9949, 50, 1))
	assert.Equal(t, []int64{1000, 0, 0}, marks(3, 0, 0))
	assert.Equal(t, []int64{500, 500, 0}, marks(1, 1, 0))
	assert.Equal(t, []int64{0, 0, 0}, marks(0, 0, 0))
	assert.Equal(t, []int64{0, 1000, 0}, marks(0, 7, 0))
}
