package insights

import (
	"context"
	"encoding/json"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"moviepipeline/internal/execution"
	"moviepipeline/internal/quality"
)

const gateDocument = `{"execution": "2026-01-31-run-new", "dataset": "films", "ruleset": "gate", "ingest_date": "2026-01-31",
	"evaluated_at": "2026-02-01 04:00:00", "score": 0.5, "rules": [
		{"position": 1, "rule": "RowCount > 1", "result": "PASS", "reason": null, "metrics": [{"name": "Dataset.*.RowCount", "value": 7}]},
		{"position": 2, "rule": "IsComplete \"id\"", "result": "FAIL", "reason": "too few", "metrics": []}]}`

func TestReadTakesTheResultsOfRulesOfTheLatestRuns(t *testing.T) {
	runs := []execution.Summary{summary("2026-01-30-run-old"), summary("2026-01-31-run-new")}
	folder := files(t, runs, nil).FS.(fstest.MapFS)
	folder["quality/execution=2026-01-31-run-new/films_gate.json"] = &fstest.MapFile{Data: []byte(gateDocument)}
	folder["quality/execution=2026-01-31-run-new-2/films_gate.json"] = &fstest.MapFile{Data: []byte("of a run that has not reported")}
	report, err := Read(context.Background(), Folder{folder})
	require.NoError(t, err)

	assert.Empty(t, report.Evaluations["2026-01-30-run-old"], "a run before results were kept")
	require.Len(t, report.Evaluations["2026-01-31-run-new"], 1)
	gate := report.Evaluations["2026-01-31-run-new"][0]
	assert.Equal(t, []any{"films", "gate", 0.5, 2}, []any{gate.Dataset, gate.Ruleset, gate.Score, len(gate.Rules)})
	assert.Equal(t, "too few", *gate.Rules[1].Reason)

	folder["quality/execution=2026-01-31-run-new/films_rows.json"] = &fstest.MapFile{Data: []byte("{")}
	_, err = Read(context.Background(), Folder{folder})
	require.ErrorContains(t, err, "reports/quality/execution=2026-01-31-run-new/films_rows.json: results of rules: ")
}

func TestPageTellsHowTheRulesFared(t *testing.T) {
	page := draw(t, fullReport(t))
	for _, words := range []string{
		"<b>Gate</b> 3 of 3 held for the batch, 100.0% <small>(100.0% in the batch of 30 Jan 2026)",
		"<b>Row rules</b> 2 of 4 held for every row, 50.0% <small>(75.0% in the batch of 30 Jan 2026)",
		"<b>Gate</b> 1 of 1 held for the batch, 100.0%</p>",
		"<li>New column &lt;img src=x onerror=&#34;globalThis.hostile = 1&#34;&gt; (string).</li>",
		"Share of the rules that films kept, batch by batch",
		"2 batches with judged rows so far; whether their quality rises or falls can be said from 8 on.",
	} {
		assert.Contains(t, page, words)
	}
	assert.NotContains(t, page, "Share of the rules that stars kept", "of one batch there is no trend")
}

func TestPageTellsWhyAGateFailed(t *testing.T) {
	page := draw(t, failedReport())
	assert.Contains(t, page, "<b>Gate</b> 1 of 2 held for the batch, 50.0%")
	assert.Contains(t, page, `<code>RowCount &gt; 1</code><span class="reason">&lt;script&gt;globalThis.hostile = 1&lt;/script&gt;</span>`)
	assert.NotContains(t, page, "<b>Row rules</b>")
	assert.Contains(t, page, "The results are of one batch;")
}

func TestPageWithoutResultsOfRules(t *testing.T) {
	page := draw(t, sparseReport(t))
	assert.Contains(t, page, "The run did not keep the results of single rules.")
	for _, words := range []string{"held for", "batch by batch", "The results are of one batch"} {
		assert.NotContains(t, page, words)
	}
}

func TestTrendTakesTheNewestEvaluationOfABatch(t *testing.T) {
	corrected, first, older := summary("2026-01-31-run-3"), summary("2026-01-31-run-2"), summary("2026-01-30-run-1")
	corrected.Datasets = map[string]execution.Dataset{"films": {Status: "FAILED"}}
	batches := judgedBatches(Report{
		Runs: []execution.Summary{corrected, first, older},
		Evaluations: map[string][]quality.Evaluation{
			corrected.Execution: {evaluation(corrected, "films", "gate", "FAIL", "PASS")},
			first.Execution:     {evaluation(first, "films", "gate", "PASS"), evaluation(first, "films", "rows", "PASS")},
			older.Execution:     {evaluation(older, "films", "gate", "PASS"), evaluation(older, "stars", "rows", "PASS")},
		},
	}, "films")

	number := func(text string) json.Number { return json.Number(text) }
	assert.Equal(t, []Row{
		{"2026-01-30", number("100"), nil, number("10000"), number("0.5")},
		{"2026-01-31", number("50"), number("100"), nil, nil},
	}, trendOf("films", batches).Rows)
}
