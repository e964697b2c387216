package insights

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"moviepipeline/internal/execution"
	"moviepipeline/internal/quality"
)

var (
	root    = filepath.Join("..", "..")
	modules = filepath.Join(root, "node_modules")
)

// hostile are texts that would do harm, or break the page, were they taken for markup or script.
var hostile = []string{
	`Say "Hello" to 'Me' & Co`,
	`<script>globalThis.hostile = 1</script>`,
	`</script><script>globalThis.hostile = 1</script>`,
	`<img src=x onerror="globalThis.hostile = 1">`,
	`"><svg onload=globalThis.hostile=1>`,
	"`${globalThis.hostile = 1}`",
	`{{.Policy}} {rows} %s`,
	`<!--<script>`,
	`</style><style>* { display: none }</style>`,
	`javascript:globalThis.hostile=1`,
	"🎬 L'été à Zürich, 東京物語, אהבה",
	"one\u2028two\u2029three",
	"a name without any break that goes on and on: " + "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch",
}

func ownCharts(t *testing.T) Charts {
	t.Helper()
	charts, err := OwnCharts()
	require.NoError(t, err)
	return charts
}

func pointer[T any](value T) *T { return &value }

func summary(name string, marts ...string) execution.Summary {
	began := time.Date(2026, 1, 31, 4, 0, 0, 0, time.UTC)
	return execution.Summary{
		Execution: name, Status: execution.Succeeded, IngestDate: name[:10], Marts: marts,
		Began: &began, Ended: pointer(began.Add(249 * time.Second)),
		Datasets: map[string]execution.Dataset{
			"films": {
				Status: "SUCCEEDED", Warnings: []string{"New column " + hostile[3] + " (string)."}, Read: pointer(int64(10_000)), Processed: pointer(int64(9_949)),
				Quarantined: pointer(int64(50)), Duplicates: pointer(int64(1)), Loaded: pointer(int64(9_949)),
				FailedRules: []execution.FailedRule{
					{Rule: `ColumnValues "year" between 1887 and 2036`, Rows: pointer(int64(20))},
					{Rule: hostile[2], Rows: pointer(int64(40))},
				},
			},
			"stars": {Status: "SUCCEEDED", Read: pointer(int64(3)), Processed: pointer(int64(3)), Quarantined: pointer(int64(0)), Duplicates: pointer(int64(0))},
		},
	}
}

// fullReport has made-up rows for every chart, with hostile texts, and a mart without a chart.
func fullReport(t *testing.T) Report {
	t.Helper()
	report := Report{}
	charts := ownCharts(t).Marts
	for _, name := range slices.Sorted(maps.Keys(charts)) {
		report.Marts = append(report.Marts, madeUp(charts[name], 24))
	}
	report.Marts = append(report.Marts, Mart{
		Name: "without_chart", Columns: []string{"name", "n"}, Rows: []Row{{hostile[1], json.Number("2")}, {nil, nil}},
	})
	run := summary("2026-01-31-run-full", slices.Sorted(maps.Keys(charts))...)
	films := run.Datasets["films"]
	for i := range 10 {
		films.FailedRules = append(films.FailedRules, execution.FailedRule{Rule: fmt.Sprintf("IsComplete \"column_%d\"", i), Rows: pointer(int64(1))})
	}
	run.Datasets["films"] = films
	older, failed := summary("2026-01-30-run-older"), failedReport()
	report.Runs, report.Unloaded = []execution.Summary{run, failed.Runs[0], older}, &run
	report.Evaluations = map[string][]quality.Evaluation{
		run.Execution: {
			evaluation(run, "films", "gate", "PASS", "PASS", "PASS"), evaluation(run, "films", "rows", "PASS", "FAIL", "ERROR", "PASS"),
			evaluation(run, "stars", "gate", "PASS"),
		},
		failed.Runs[0].Execution: failed.Evaluations[failed.Runs[0].Execution],
		older.Execution:          {evaluation(older, "films", "gate", "PASS", "PASS"), evaluation(older, "films", "rows", "PASS", "PASS", "PASS", "FAIL")},
	}
	return report
}

// evaluation is the document that the workflow writes of a ruleset. Rules that failed have a hostile reason.
func evaluation(run execution.Summary, dataset, ruleset string, results ...string) quality.Evaluation {
	made := quality.Evaluation{Execution: run.Execution, Dataset: dataset, Date: run.IngestDate, Ruleset: ruleset}
	passed := 0
	for i, result := range results {
		rule := quality.Rule{Rule: fmt.Sprintf("RowCount > %d", i), Result: result}
		if result == "PASS" {
			passed++
		} else {
			rule.Reason = pointer(hostile[1])
		}
		made.Rules = append(made.Rules, rule)
	}
	made.Score = float64(passed) / float64(len(results))
	return made
}

// sparseReport has marts with one row, with NULL in all but the labels, and without any row.
func sparseReport(t *testing.T) Report {
	t.Helper()
	report := Report{}
	charts := ownCharts(t).Marts
	for i, name := range slices.Sorted(maps.Keys(charts)) {
		report.Marts = append(report.Marts, madeUp(charts[name], i%3))
	}
	run := summary("2026-01-31-run-sparse", "any")
	report.Runs, report.Unloaded = []execution.Summary{run}, &run
	return report
}

// failedReport is that of a run that failed at its first gate.
func failedReport() Report {
	run := summary("2026-02-01-run-failed")
	run.Status = execution.Failed
	run.Error = &execution.Failure{Step: pointer("Gate"), Dataset: pointer("films"), Error: "GateFailed", Cause: hostile[3]}
	run.Datasets = map[string]execution.Dataset{
		"films": {Status: "FAILED", Reason: pointer(hostile[1]), Read: pointer(int64(12)), FailedRules: []execution.FailedRule{{Rule: "RowCount > 1"}}},
		"stars": {Status: "BLOCKED", Reason: pointer("films failed")},
	}
	return Report{
		Runs:        []execution.Summary{run},
		Evaluations: map[string][]quality.Evaluation{run.Execution: {evaluation(run, "films", "gate", "PASS", "FAIL")}},
	}
}

// madeUp fills the columns of a chart after their formats.
func madeUp(chart Chart, rows int) Mart {
	mart := Mart{Name: chart.Mart}
	for _, column := range chart.Columns {
		mart.Columns = append(mart.Columns, column.Name)
	}
	for i := range rows {
		row := make(Row, len(chart.Columns))
		for place, column := range chart.Columns {
			row[place] = madeUpValue(column.Format, i, place)
			if column.Name == chart.Draw.Y && chart.Draw.Kind == "heat" {
				row[place] = madeUpValue(column.Format, i/8, place)
			}
		}
		mart.Rows = append(mart.Rows, row)
	}
	return mart
}

func madeUpValue(format string, row, place int) any {
	whole := func(n int) json.Number { return json.Number(fmt.Sprint(n)) }
	switch format {
	case "text":
		return hostile[row%len(hostile)]
	case "year":
		return whole(1970 + row)
	case "decade":
		return whole(1940 + 10*(row%8))
	case "month":
		return whole(1 + row%12)
	case "weekday":
		return whole(row % 7)
	case "hour":
		return whole(row % 24)
	case "months", "date":
		return time.Date(2023, time.Month(1+row), 1, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	case "usd":
		return json.Number(fmt.Sprintf("%d.50", 1_000_000+row*12_345_678))
	}
	if row%9 == 8 && place > 0 {
		return nil
	}
	return json.Number(fmt.Sprintf("%.2f", 10+float64((row*37+place*11)%80)))
}
