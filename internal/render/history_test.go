package render

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"moviepipeline/internal/quality"
	"moviepipeline/internal/quarantine"
)

// evaluations are three runs of a gate: the second failed.
func evaluations() []quality.Evaluation {
	few := "Value 20 does\nnot meet it"
	run := func(at string, score, rows float64, result string, reason *string) quality.Evaluation {
		return quality.Evaluation{
			Execution: "run-" + at, Dataset: "films", Date: "2026-01-31", Ruleset: "gate", At: "2026-02-01 04:00:" + at, Score: score,
			Rules: []quality.Rule{
				{Rule: "RowCount > 30", Result: result, Reason: reason, Metrics: []quality.Metric{{Name: "Dataset.*.RowCount", Value: rows}}},
				{Rule: `IsComplete "id"`, Result: "PASS", Metrics: []quality.Metric{{Name: "Column.id.Completeness", Value: 1}}},
			},
		}
	}
	return []quality.Evaluation{run("01", 1, 17_481, "PASS", nil), run("02", 0.5, 20, "FAIL", &few), run("03", 1, 9_000, "PASS", nil)}
}

func TestHistoryForPeople(t *testing.T) {
	var out bytes.Buffer
	History(&out, evaluations())
	RuleHistory(&out, evaluations())
	golden(t, "history.txt", out.Bytes())
}

func TestQuarantineForPeople(t *testing.T) {
	rows := []quarantine.Row{
		{
			ID: "0123456789abcdef", Dataset: "films", Date: "2026-01-31", Execution: "run-01", Rules: []string{`IsUnique "id"`, "year > 1880"},
			Columns: []string{"id", "title", "note"}, Row: map[string]string{"id": "1", "title": "Say \"Cheese\"\x1b[31m", "note": " "},
		},
		{ID: "f", Dataset: "films", Date: "2026-01-30", Execution: "run-00", Rules: []string{`IsUnique "id"`}, Row: map[string]string{}},
	}
	var out bytes.Buffer
	Quarantine(&out, rows, 1)
	golden(t, "quarantine.txt", out.Bytes())
}

func TestSparkDrawsTheNewestValues(t *testing.T) {
	assert.Equal(t, "▁▅█", spark([]float64{0, 0.5, 1}, 0, 1))
	assert.Equal(t, "██", spark([]float64{7, 7}, 7, 7))
	many := make([]float64, 40)
	many[0], many[39] = 1, 1
	assert.Equal(t, longest, len([]rune(spark(many, 0, 1))))
	assert.NotContains(t, spark(many[:31], 0, 1), "█")
	assert.Equal(t, "99.9 %", percent(0.99999))
}
