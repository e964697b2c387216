package render_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"

	"moviepipeline/internal/dq"
	"moviepipeline/internal/render"
)

func TestARecommendationTellsWhatGoesUnseen(t *testing.T) {
	var out bytes.Buffer
	render.Recommendation(&out, &dq.Recommendation{
		Rules: 3, Rows: 1200, Dataset: "films",
		LeftOut: []dq.LeftOut{{Rule: `IsUnique "a"`, Why: "the data do not pass it"}},
		Faults: []dq.Trial{
			{Fault: "equal row", Tried: 1, Caught: 0, Missed: []string{"the row"}},
			{Fault: "blank value", Tried: 4, Caught: 3, Rules: []string{"A", "B", "C", "D"}, Missed: []string{"genre"}},
		},
		Planted: []dq.Trial{{Fault: "missing_id", Tried: 1, Caught: 1, Rules: []string{"A"}}},
	})
	text := out.String()
	for _, want := range []string{
		"3 rules, each of which the data pass: 1,200 rows were evaluated.",
		"Left out: IsUnique \"a\"\n  the data do not pass it\n",
		"equal row   │ not caught │            │ the row",
		"blank value │ 3 of 4     │ A          │ genre",
		"and 2 more",
		"Faults planted in samples of films",
		"missing_id │ 1 of 1 │ A  │",
	} {
		assert.Contains(t, text, want)
	}
}
